import { Closing } from '../../core/closing.ts'
import { LexidexError } from '../../core/errors.ts'
import type { OperationContext } from '../context.ts'
import type { BackfillKind } from './run-rows.ts'
import { type PerformOptions, performPrepared, prepareBackfill } from './runs.ts'

/** What starting a backfill comes to. */
export type StartedBackfill =
  | {
      readonly message: 'Backfill started'
      readonly type: BackfillKind
      readonly status: 'in_progress'
      readonly id: string
    }
  | { readonly message: string; readonly type: 'not_needed' }

/** Backfills that were started and go on in the background, until they are stopped. */
export class BackgroundBackfills {
  readonly #context: OperationContext
  readonly #closing = new Closing()
  readonly #running = new Set<Promise<unknown>>()

  constructor(context: OperationContext) {
    this.#context = context
  }

  /**
   * Starts a backfill where one is due, or forced, and does not wait for it.
   *
   * @throws BackfillInProgress where another goes on, here or in another process
   */
  async start(force?: BackfillKind, options: PerformOptions = {}): Promise<StartedBackfill> {
    if (this.#closing.isClosed) throw new LexidexError('The index is closed')
    const prepared = await prepareBackfill(this.#context, { force })
    if (!('lease' in prepared)) {
      return {
        message: 'No backfill needed. Use ?force=catch_up or ?force=full_sync to override.',
        type: 'not_needed',
      }
    }
    const done = this.#closing
      .during((signal) => performPrepared(this.#context, prepared, { ...options, signal }))
      // The run's row and the log have it.
      .catch(() => {})
      .finally(() => this.#running.delete(done))
    this.#running.add(done)
    const { id } = prepared.run
    return { message: 'Backfill started', type: prepared.type, status: 'in_progress', id: String(id) }
  }

  /** Resolves when none goes on. */
  async settled(): Promise<void> {
    await Promise.all(this.#running)
  }

  /** Interrupts what goes on; the next backfill goes on with it. */
  async stop(): Promise<void> {
    this.#closing.close()
    await Promise.all(this.#running)
  }
}
