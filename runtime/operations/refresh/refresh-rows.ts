import { bookkeeping, type OperationContext } from '../context.ts'

const PAGE = 1000
/** Values per statement: D1 binds no more. */
const MAX_VALUES = 90
/** Row of `lexidex_state`: the collections that `verified_rev` speaks of. */
const VERIFIED_COLLECTIONS = 'refresh.collections'

/** An account that is to be compared. */
export interface RefreshedAccount {
  readonly did: string
  readonly hidden: number
  readonly resync: number
  readonly verified_rev: string | null
}

const COLUMNS = ['did', 'hidden', 'resync', 'verified_rev'] as const

/** Known accounts that are not deleted, in the order of their DIDs, or only those that are named. */
export function refreshedAccounts({ store }: OperationContext, dids?: readonly string[]) {
  const accounts = () => bookkeeping(store).selectFrom('lexidex_account').where('hidden', '<', 2)
  const named = dids === undefined ? null : [...new Set(dids)]

  async function* all(): AsyncGenerator<RefreshedAccount, void> {
    if (named !== null) {
      for (let i = 0; i < named.length; i += MAX_VALUES) {
        const part = named.slice(i, i + MAX_VALUES)
        yield* await accounts().select(COLUMNS).where('did', 'in', part).execute()
      }
      return
    }
    let last = ''
    for (;;) {
      const page = await accounts().select(COLUMNS).where('did', '>', last).orderBy('did').limit(PAGE).execute()
      yield* page
      if (page.length < PAGE) return
      last = page.at(-1)!.did
    }
  }

  async function total(): Promise<number> {
    if (named !== null) return named.length
    const count = accounts().select((eb) => eb.fn.countAll<number | string>().as('count'))
    return Number((await count.executeTakeFirstOrThrow()).count)
  }

  return { all, total }
}

/** Where the app has other collections than when accounts were last compared, all have to be compared anew. */
export async function forgetVerified({ store, collections, clock }: OperationContext): Promise<void> {
  const db = bookkeeping(store)
  const value = JSON.stringify(collections.map(({ nsid }) => nsid).sort())
  const before = await db
    .selectFrom('lexidex_state')
    .select('value')
    .where('name', '=', VERIFIED_COLLECTIONS)
    .executeTakeFirst()
  if (before?.value === value) return
  await db.updateTable('lexidex_account').set({ verified_rev: null }).where('verified_rev', 'is not', null).execute()
  const updated_at = clock.now()
  await db
    .insertInto('lexidex_state')
    .values({ name: VERIFIED_COLLECTIONS, value, updated_at })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value, updated_at }))
    .execute()
}
