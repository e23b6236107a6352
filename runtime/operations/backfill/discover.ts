import { isProgrammingError, messageOf } from '../../core/errors.ts'
import { listReposByCollection } from '../../sources/relay.ts'
import { bookkeeping, type OperationContext } from '../context.ts'
import { anchorPosition } from '../live/position.ts'
import { addAccounts, addJobs, addMissingJobs } from './jobs.ts'

export interface DiscoverOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: DiscoverProgress) => void) | undefined
}

export interface DiscoverProgress {
  readonly relay: string
  /** NSID. */
  readonly collection: string
  /** Accounts that this relay has listed so far for this collection. */
  readonly listed: number
}

export interface DiscoverResult {
  /** Accounts that were not known before. */
  readonly discovered: number
  /** Listings that did not reach their end. The next call goes on where they stopped. */
  readonly failed: readonly DiscoverFailure[]
}

export interface DiscoverFailure {
  readonly relay: string
  readonly collection: string
  readonly reason: string
}

/**
 * Asks every relay for the accounts with records of the discovered collections, and registers each with a backfill job
 * for that collection and for every dependent one. Progress is kept per page: a listing that was cut short goes on
 * where it stopped, one that was complete is walked anew, for accounts that have come since.
 *
 * A page that cannot be had after three tries ends that listing; it does not fail the call.
 */
export async function discover(context: OperationContext, options: DiscoverOptions = {}): Promise<DiscoverResult> {
  const { signal } = options
  // An account that begins while the relays are asked may be on none of their pages, but it is on the stream.
  await anchorPosition(context)
  const before = await countAccounts(context)
  const failed: DiscoverFailure[] = []
  for (const relay of context.relays) {
    for (const { nsid } of context.collections.filter((collection) => collection.discover)) {
      if (signal?.aborted) break
      try {
        await walk(context, relay, nsid, options)
      } catch (error) {
        if (isProgrammingError(error)) throw error
        if (signal?.aborted) break
        const reason = messageOf(error)
        context.logger.warn(`discover: ${relay} ${nsid}: ${reason}`)
        await saveListing(context, relay, nsid, { last_error: reason })
        failed.push({ relay, collection: nsid, reason })
      }
    }
  }
  await addMissingJobs(context)
  return { discovered: (await countAccounts(context)) - before, failed }
}

async function walk(
  context: OperationContext,
  relay: string,
  collection: string,
  { signal, onProgress }: DiscoverOptions,
): Promise<void> {
  const row = await bookkeeping(context.store)
    .selectFrom('lexidex_discovery')
    .select(['cursor', 'completed'])
    .where('relay', '=', relay)
    .where('collection', '=', collection)
    .executeTakeFirst()
  const resumed = row === undefined || row.completed === 1 ? null : row.cursor
  await saveListing(context, relay, collection, { cursor: resumed, completed: 0, last_error: null })
  const dependents = context.collections.filter(({ discover }) => !discover).map(({ nsid }) => nsid)
  let listed = 0
  for await (const { dids, cursor } of listReposByCollection(context.relayXrpc, relay, collection, {
    cursor: resumed,
    signal,
  })) {
    await addAccounts(context, dids)
    await addJobs(context, dids, [collection, ...dependents])
    // Only now: a cursor must not be ahead of the accounts that it has passed.
    await saveListing(context, relay, collection, { cursor, completed: cursor === null ? 1 : 0 })
    listed += dids.length
    onProgress?.({ relay, collection, listed })
  }
}

type ListingState = { cursor?: string | null; completed?: number; last_error?: string | null }

async function saveListing(
  context: OperationContext,
  relay: string,
  collection: string,
  state: ListingState,
): Promise<void> {
  const changed = { ...state, updated_at: context.clock.now() }
  await bookkeeping(context.store)
    .insertInto('lexidex_discovery')
    .values({ relay, collection, ...changed })
    .onConflict((conflict) => conflict.columns(['relay', 'collection']).doUpdateSet(changed))
    .execute()
}

async function countAccounts(context: OperationContext): Promise<number> {
  const { count } = await bookkeeping(context.store)
    .selectFrom('lexidex_account')
    .select((eb) => eb.fn.countAll<number | string>().as('count'))
    .executeTakeFirstOrThrow()
  return Number(count)
}
