import { bookkeeping, type OperationContext } from './context.ts'

/** Row of `lexidex_state`: the collections that `verified_rev` speaks of. */
const VERIFIED_COLLECTIONS = 'refresh.collections'

/**
 * The rev at which an account's repo was last compared as a whole. What is said of an earlier rev is void from then on,
 * whoever says it: the store refuses it.
 */
export async function verifiedRev({ store }: OperationContext, did: string): Promise<string | null> {
  const row = await bookkeeping(store)
    .selectFrom('lexidex_account')
    .select('verified_rev')
    .where('did', '=', did)
    .executeTakeFirst()
  return row?.verified_rev ?? null
}

/**
 * Forgets what a repo was compared at, where its own host has it at an earlier rev now: it was set back, and what it
 * holds would never be taken otherwise.
 *
 * @param verified as it was before the host was asked
 * @param rev what the host says
 */
export async function forgetIfSetBack(
  { store, logger }: OperationContext,
  did: string,
  { verified, rev }: { readonly verified: string | null; readonly rev: string },
): Promise<void> {
  if (verified === null || rev >= verified) return
  logger.warn(`${did} was compared at ${verified}, and its host has it at ${rev} now`)
  await bookkeeping(store)
    .updateTable('lexidex_account')
    .set({ verified_rev: null })
    .where('did', '=', did)
    .where('verified_rev', '=', verified)
    .execute()
}

/**
 * Where the app has other collections than when accounts were last compared, all have to be compared anew.
 *
 * @returns whether that is so
 */
export async function forgetVerified({ store, collections, clock }: OperationContext): Promise<boolean> {
  const db = bookkeeping(store)
  const value = JSON.stringify(collections.map(({ nsid }) => nsid).sort())
  const before = await db
    .selectFrom('lexidex_state')
    .select('value')
    .where('name', '=', VERIFIED_COLLECTIONS)
    .executeTakeFirst()
  if (before?.value === value) return false
  await db.updateTable('lexidex_account').set({ verified_rev: null }).where('verified_rev', 'is not', null).execute()
  const updated_at = clock.now()
  await db
    .insertInto('lexidex_state')
    .values({ name: VERIFIED_COLLECTIONS, value, updated_at })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value, updated_at }))
    .execute()
  return true
}
