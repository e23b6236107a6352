import { messageOf } from '../../core/errors.ts'
import { sleep } from '../../sources/backoff.ts'
import { backfill } from '../backfill/backfill.ts'
import { countDueAccounts } from '../backfill/jobs.ts'
import { bookkeeping, type OperationContext } from '../context.ts'
import { isLeased, type Lease, takeLease } from '../runs/leases.ts'
import { BACKFILL_LEASE } from '../runs/runs.ts'
import { pruneTombstones } from './tombstones.ts'

export interface HousekeepingOptions {
  readonly signal: AbortSignal
  /** Fetches the history that falls due: of accounts that are new to the stream, and of those that failed. Default true. */
  readonly backfill?: boolean | undefined
  /** ms between looks. Default 10 000. */
  readonly intervalMs?: number | undefined
  /** Looks once, at once, and ends: for schedulers. Default: until the signal aborts. */
  readonly once?: boolean | undefined
  /** Accounts that are fetched at a time. Default 10: the stream goes first. */
  readonly concurrency?: number | undefined
}

const INTERVAL_MS = 10_000
const CONCURRENCY = 10
/** ms at a time, so that a backfill that somebody asks for does not have to share for long. */
const SLICE_MS = 30_000
const DAY_MS = 24 * 60 * 60_000
/** In `lexidex_state`: when old tombstones were removed last. */
const PRUNED = 'tombstones_pruned'

/**
 * What has to be done now and then, by one process: ends bulk loads whose process has died, fetches history as it falls
 * due, unless a backfill goes on, and forgets old deletions once a day. Ends when the signal aborts, and never rejects: what fails is told and tried again.
 */
export async function keepHouse(context: OperationContext, options: HousekeepingOptions): Promise<void> {
  const { signal, intervalMs = INTERVAL_MS, once = false } = options
  let lease: Lease | null = null
  while (!signal.aborted) {
    if (!once) await sleep(intervalMs, signal)
    if (signal.aborted) break
    try {
      if (lease === null || lease.lost.aborted) lease = await takeLease(context, 'housekeeping')
      if (lease !== null) await round(context, AbortSignal.any([signal, lease.lost]), options)
    } catch (error) {
      if (!signal.aborted) context.logger.error(`Housekeeping failed, trying again: ${messageOf(error)}`, error)
    }
    if (once) break
  }
  await lease?.release().catch((error) => {
    // It runs out by itself.
    context.logger.warn(`Could not give back the lease of housekeeping: ${messageOf(error)}`)
  })
}

async function round(context: OperationContext, signal: AbortSignal, options: HousekeepingOptions): Promise<void> {
  await context.store.bulk?.recover?.()
  await pruneDaily(context, signal)
  if (options.backfill === false || (await isLeased(context, BACKFILL_LEASE))) return
  if ((await countDueAccounts(context, context.clock.now())) === 0) return
  const slice = AbortSignal.any([signal, AbortSignal.timeout(SLICE_MS)])
  const { concurrency = CONCURRENCY } = options
  await backfill(context, { concurrency, signal: slice })
}

async function pruneDaily(context: OperationContext, signal: AbortSignal): Promise<void> {
  const { store, clock } = context
  const db = bookkeeping(store)
  const state = await db.selectFrom('lexidex_state').select('updated_at').where('name', '=', PRUNED).executeTakeFirst()
  if (state !== undefined && clock.now() - state.updated_at < DAY_MS) return
  const pruned = await pruneTombstones(context, signal)
  const row = { value: String(pruned), updated_at: clock.now() }
  await db
    .insertInto('lexidex_state')
    .values({ name: PRUNED, ...row })
    .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
    .execute()
}
