import { messageOf } from '../../core/errors.ts'
import { sleep } from '../../sources/backoff.ts'
import type { Leadership } from '../../storage/store.ts'
import type { OperationContext } from '../context.ts'

/** ms between two tries to take over. */
const TRY_MS = 1000

/**
 * Does `work` for as long as no other process that shares the database does it: one works, the others wait, and one of
 * those takes over where it ends, or dies. Where one process has the database for itself, it just works.
 *
 * @param work ends when its signal aborts
 * @throws what `work` throws
 */
export async function asLeader(
  context: OperationContext,
  name: string,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { shared } = context.store
  if (shared === undefined) return work(signal)
  const { logger } = context
  let waiting = false
  while (!signal.aborted) {
    let leadership: Leadership | null = null
    try {
      leadership = await shared.lead(name)
    } catch (error) {
      logger.warn(`Could not ask who leads (${name}), trying again: ${messageOf(error)}`)
    }
    if (leadership === null) {
      if (!waiting) logger.log(`Another process leads (${name}); waiting to take its place`)
      waiting = true
      await sleep(TRY_MS, signal)
      continue
    }
    if (waiting) logger.log(`Leading (${name})`)
    waiting = false
    const { lost } = leadership
    try {
      await work(AbortSignal.any([signal, lost]))
      if (!lost.aborted) return
    } catch (error) {
      if (!lost.aborted || signal.aborted) throw error
      logger.warn(`Lost the lead (${name}): ${messageOf(error)}`)
    } finally {
      await leadership.release()
    }
  }
}
