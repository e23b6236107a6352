import { messageOf } from '../../core/errors.ts'
import type { OperationContext } from '../context.ts'
import { countDueAccounts } from './jobs.ts'

/** Accounts with due jobs that make a bulk load worth its end. */
const ACCOUNTS = 100
/**
 * Longest load, in ms: while it lasts, counts and searches are behind and lists are slow. A network that is quick has
 * delivered millions of records by then; for one that is slow, writing record by record is quick enough.
 */
const LONGEST_MS = 10 * 60_000

/**
 * Does `work`, which fetches history, in a bulk load: where the index is nearly empty, many accounts are due, and the
 * store knows bulk loads. Nothing depends on it but the time that it takes.
 *
 * @throws what `work` throws; else the database's error, where the load cannot be ended: the next start then ends it
 */
export async function loadInBulk<T>(context: OperationContext, work: () => Promise<T>): Promise<T> {
  const { store, logger, clock } = context
  const { bulk } = store
  if (bulk === undefined || (await countDueAccounts(context, clock.now())) < ACCOUNTS || !(await bulk.begin())) {
    return work()
  }
  logger.log('backfill: loading in bulk; counts and searches follow when it ends')
  let ending: Promise<void> | null = null
  const end = () => {
    ending ??= endAndTell()
    return ending
  }
  async function endAndTell(): Promise<void> {
    const startedAt = performance.now()
    await bulk!.end()
    logger.log(`backfill: indexed and counted in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
  }
  // Whoever waits for the end hears of a failure.
  const timer = setTimeout(() => void end().catch(() => {}), LONGEST_MS)
  let done: T
  try {
    done = await work()
  } catch (error) {
    await end().catch((failure) => {
      logger.error(`backfill: could not end the bulk load, the next start will: ${messageOf(failure)}`)
    })
    throw error
  } finally {
    clearTimeout(timer)
  }
  await end()
  return done
}
