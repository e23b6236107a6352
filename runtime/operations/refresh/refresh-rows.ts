import { bookkeeping, type OperationContext } from '../context.ts'

const PAGE = 1000
/** Values per statement: D1 binds no more. */
const MAX_VALUES = 90

/** An account that is to be compared. */
export interface RefreshedAccount {
  readonly did: string
  readonly hidden: number
  readonly resync: number
}

const COLUMNS = ['did', 'hidden', 'resync'] as const

/**
 * Known accounts that are not deleted, in the order of their DIDs, or only those that are named.
 *
 * @param after those after this DID
 */
export function refreshedAccounts({ store }: OperationContext, dids?: readonly string[], after = '') {
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
    let last = after
    for (;;) {
      const page = await accounts().select(COLUMNS).where('did', '>', last).orderBy('did').limit(PAGE).execute()
      yield* page
      if (page.length < PAGE) return
      last = page.at(-1)!.did
    }
  }

  async function total(): Promise<number> {
    if (named !== null) return named.length
    const count = accounts()
      .where('did', '>', after)
      .select((eb) => eb.fn.countAll<number | string>().as('count'))
    return Number((await count.executeTakeFirstOrThrow()).count)
  }

  return { all, total }
}
