import { isProgrammingError, messageOf } from '../core/errors.ts'
import type { Logger } from '../core/log.ts'
import type { Indexer } from '../indexer.ts'
import type { IngestResult } from '../operations/live/ingest.ts'

export interface CycleOptions {
  /** ms for the stream, reading and applying together. Default 20 000. */
  readonly ingestMs?: number | undefined
  /** ms for the whole. Default 28 000. */
  readonly deadlineMs?: number | undefined
  /** Accounts of which it is asked how they stand. Default 50. */
  readonly accounts?: number | undefined
  /**
   * Which histories are fetched in what is left of the time.
   *
   * - `due`: of accounts that are known, as they fall due.
   * - `all`: looks for accounts at the relays as well, where nobody has yet or the stream was left for days; that goes on
   *   from cycle to cycle.
   * - `none`: leaves them to `lexidex backfill --d1 --remote`. For plans that allow a Worker few requests.
   *
   * Default `due`.
   */
  readonly backfill?: 'due' | 'all' | 'none' | undefined
}

const INGEST_MS = 20_000
const DEADLINE_MS = 28_000
const ACCOUNTS = 50
/** Requests wait for each other beyond that: Workers open six connections at a time. */
const CONCURRENCY = 6

/** What one cycle did. */
export interface CycleResult {
  /** Null where the stream could not be followed; the log has why. */
  readonly ingested: IngestResult | null
  readonly elapsedMs: number
}

/**
 * One bounded round of all that keeps an index up to date, for schedulers: reads the stream up to now, asks how accounts
 * stand, fetches histories that are due. Each part is cut short in time and goes on in the next cycle; what goes wrong
 * in one does not keep the others from their turn.
 */
export async function runCycle(
  indexer: Indexer<any>,
  options: CycleOptions & { readonly logger: Logger },
): Promise<CycleResult> {
  const {
    ingestMs = INGEST_MS,
    deadlineMs = DEADLINE_MS,
    accounts: limit = ACCOUNTS,
    backfill = 'due',
    logger,
  } = options
  const startedAt = performance.now()
  const signal = AbortSignal.timeout(deadlineMs)
  const part = async <T>(what: string, work: () => Promise<T>): Promise<T | null> => {
    if (signal.aborted) return null
    try {
      return await work()
    } catch (error) {
      if (isProgrammingError(error)) throw error
      logger.error(`Could not ${what} in this cycle: ${messageOf(error)}`, error)
      return null
    }
  }

  // Before the stream is followed: its first event makes the position new.
  const decision = backfill === 'all' ? await part('decide on a backfill', () => indexer.decideBackfill()) : null
  const timeoutMs = Math.min(ingestMs, deadlineMs)
  const ingested = await part('follow the stream', () => indexer.ingest({ timeoutMs, signal }))
  // Half of what is left, so that no part takes all of it.
  const left = deadlineMs - (performance.now() - startedAt)
  const half = AbortSignal.any([signal, AbortSignal.timeout(Math.max(0, left / 2))])
  await part('check accounts', () => indexer.checkAccounts({ limit, signal: half }))
  if (decision !== null) {
    const options = { decision, concurrency: CONCURRENCY, signal }
    await part('backfill', () => indexer.performBackfill(options).catch(ignoreOther))
  }
  await part('keep house', () =>
    indexer.keepHouse({ signal, once: true, backfill: backfill !== 'none', concurrency: CONCURRENCY }),
  )
  return { ingested, elapsedMs: Math.round(performance.now() - startedAt) }
}

/** Somebody else backfills, from the command line perhaps. */
function ignoreOther(error: unknown): void {
  if (!(error instanceof Error && error.name === 'BackfillInProgress')) throw error
}
