import { bookkeeping, type OperationContext } from '../context.ts'

/**
 * How long deletions are remembered, in ms: 30 days. What is older than that comes from no source any more: Jetstream
 * hosts replay some days, and what a PDS lists or archives carries the rev that the repo has at that time.
 */
const KEPT_MS = 30 * 24 * 60 * 60_000
/** Rows at a time: the database does other things in between. */
const PART = 1000

/**
 * Forgets deletions of more than 30 days ago.
 *
 * @returns how many
 */
export async function pruneTombstones({ store, clock }: OperationContext, signal: AbortSignal): Promise<number> {
  const db = bookkeeping(store)
  const before = clock.now() - KEPT_MS
  let pruned = 0
  while (!signal.aborted) {
    const old = await db
      .selectFrom('lexidex_tombstone')
      .select(['uri', 'deleted_at'])
      .where('deleted_at', '<', before)
      .orderBy('deleted_at')
      .limit(PART)
      .execute()
    const last = old.at(-1)?.deleted_at
    if (last === undefined) break
    // One that was renewed since it was read has a later time.
    await db.deleteFrom('lexidex_tombstone').where('deleted_at', '<=', last).execute()
    pruned += old.length
  }
  return pruned
}
