import { messageOf } from '../../core/errors.ts'
import { eventLine } from '../../core/log.ts'
import type { OperationContext } from '../context.ts'
import { type Lease, takeLease } from '../runs/leases.ts'
import { RunRecorder } from '../runs/run-recorder.ts'
import { endRun, findRefreshInProgress, insertRun, REFRESH, type RunError, type RunRow } from '../runs/run-rows.ts'
import { refreshedAccounts } from './refresh-rows.ts'
import type { RefreshProgress } from './refresh-tally.ts'

/** ms after which one that was interrupted is not gone on with: what it compared first may have changed since. */
const MAX_AGE_MS = 48 * 60 * 60_000

/** A refresh of all accounts, as a row of `lexidex_run`: how far it is, and what went wrong. */
export class RefreshRun {
  readonly #context: OperationContext
  readonly #row: RunRow
  readonly #lease: Lease
  readonly #recorder: RunRecorder
  /** Accounts in the order in which they were begun, and whether they are done. */
  readonly #open = new Map<string, boolean>()

  /**
   * Begins one, or goes on with one that was interrupted.
   *
   * @param anew does not go on with another
   * @returns null where another is at it, here or in another process: this one is then for its caller alone to know of
   */
  static async begin(context: OperationContext, anew: boolean): Promise<RefreshRun | null> {
    const lease = await takeLease(context, REFRESH)
    if (lease === null) return null
    try {
      const old = anew ? null : await interrupted(context)
      if (old === null) await endOthers(context)
      const row = old ?? (await insertRun(context, REFRESH, 'requested'))
      return new RefreshRun(context, row, lease, old !== null)
    } catch (error) {
      await lease.release()
      throw error
    }
  }

  private constructor(context: OperationContext, row: RunRow, lease: Lease, resumed: boolean) {
    this.#context = context
    this.#row = row
    this.#lease = lease
    this.#recorder = new RunRecorder(context, row, { resumed, name: REFRESH })
    this.#recorder.begin()
    const { last_did: after, dids_processed: didsProcessed } = row
    if (resumed) context.logger.log(eventLine('refresh.resuming', { ...this.#recorder.id, after, didsProcessed }))
  }

  /** The last account that is done with all before it; null where none is. */
  get after(): string | null {
    return this.#row.last_did
  }

  /** Aborts where another process may go on with it. */
  get lost(): AbortSignal {
    return this.#lease.lost
  }

  /** In the order of DIDs. */
  started(did: string): void {
    this.#open.set(did, false)
  }

  done(did: string): void {
    this.#open.set(did, true)
    for (const [first, isDone] of this.#open) {
      if (!isDone) break
      this.#recorder.reach(first)
      this.#open.delete(first)
    }
  }

  fail(error: RunError): void {
    this.#recorder.fail(error)
  }

  advance({ accountsDone, accountsTotal, total }: RefreshProgress): void {
    const records = total.missing + total.staleUpdates + total.deleted
    this.#recorder.advance({ accountsDone, accountsTotal, records })
  }

  /** @param interrupted whether there is something left, for the next to go on with */
  async end(interrupted: boolean): Promise<void> {
    if (!this.lost.aborted) await this.#recorder.flush()
    if (!interrupted) await endRun(this.#context, this.#row.id, 'completed')
    const { dids_processed: didsProcessed, records, error_count: errors } = this.#recorder.progress
    const figures = { didsProcessed, records, errors, durationMs: this.#recorder.elapsedMs }
    const event = interrupted ? 'interrupted' : errors > 0 ? 'completed_with_errors' : 'completed'
    this.#context.logger.log(eventLine(`${this.#recorder.event}.${event}`, { ...this.#recorder.id, ...figures }))
  }

  async failed(cause: unknown): Promise<void> {
    const { logger } = this.#context
    const { event, id } = this.#recorder
    try {
      await this.#recorder.flush()
      await endRun(this.#context, this.#row.id, 'failed', messageOf(cause))
    } catch (error) {
      logger.error(eventLine(`${event}.failed_status_update_error`, { ...id, error: messageOf(error) }))
    }
    logger.error(eventLine(`${event}.failed`, { ...id, error: messageOf(cause) }))
  }

  release(): Promise<void> {
    return this.#lease.release()
  }
}

async function interrupted(context: OperationContext): Promise<RunRow | null> {
  const run = await findRefreshInProgress(context)
  if (run === null || context.clock.now() - run.started_at > MAX_AGE_MS) return null
  const all = await refreshedAccounts(context).total()
  const left = await refreshedAccounts(context, undefined, run.last_did ?? '').total()
  // Some that come later may have been done as well; they are done again.
  return { ...run, dids_processed: all - left }
}

async function endOthers(context: OperationContext): Promise<void> {
  for (let old = await findRefreshInProgress(context); old !== null; old = await findRefreshInProgress(context)) {
    await endRun(context, old.id, 'failed', 'It was interrupted, and another has taken its place')
  }
}
