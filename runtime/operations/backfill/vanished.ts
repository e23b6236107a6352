import type { CollectionDef } from '../../core/collection.ts'
import { bookkeeping, type OperationContext } from '../context.ts'
import { MAX_URIS, notify } from '../on-demand/notify.ts'
import type { RunError } from '../runs/run-rows.ts'

export interface VanishedOptions {
  /** ms since 1970: listings that were completed since then count. */
  readonly since: number
  readonly signal: AbortSignal
  readonly onFailure: (error: RunError) => void
}

/**
 * Removes what was deleted while nobody followed the stream. A record that a complete listing does not give any more
 * keeps a rev from before the listing; that alone proves nothing, so its PDS is asked for each of them.
 *
 * @returns how many were deleted
 */
export async function removeVanished(context: OperationContext, options: VanishedOptions): Promise<number> {
  let deleted = 0
  for (const collection of context.collections) {
    for (let last = ''; !options.signal.aborted; ) {
      const uris = await unlisted(context, collection, options.since, last)
      if (uris.length === 0) break
      const result = await notify(context, uris)
      deleted += result.deleted
      for (const { uri, message } of result.errors ?? []) {
        options.onFailure({ did: uri.split('/')[2]!, collection: collection.nsid, message: `${uri}: ${message}` })
      }
      last = uris.at(-1)!
    }
  }
  return deleted
}

/** Records that the last listing of their account did not give, in the order of their URIs. */
async function unlisted(
  { store }: OperationContext,
  { table, nsid }: CollectionDef,
  since: number,
  after: string,
): Promise<readonly string[]> {
  const listed = bookkeeping(store)
    .selectFrom('lexidex_job')
    .select(['did', 'rev'])
    .where('collection', '=', nsid)
    .where('status', '=', 'completed')
    .where('updated_at', '>=', since)
  const rows = await store.db
    .selectFrom(table)
    .innerJoin(listed.as('listed'), 'listed.did', `${table}.did`)
    .select(`${table}.uri`)
    .whereRef(`${table}.rev`, '<', 'listed.rev')
    .where(`${table}.uri`, '>', after)
    .orderBy(`${table}.uri`)
    .limit(MAX_URIS)
    .execute()
  return rows.map(({ uri }) => uri as string)
}
