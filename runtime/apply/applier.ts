import type { Admission } from '../admission/admit.ts'
import { isDid } from '../core/at-uri.ts'
import { LexidexError, messageOf } from '../core/errors.ts'
import type { RecordEvent, SourceItem } from '../core/events.ts'
import { type Logger, silentLogger } from '../core/log.ts'
import type { ApplyBatch, Operation } from '../core/operation.ts'
import { type Clock, systemClock } from '../core/time.ts'
import type { ApplyResult, Store } from '../storage/store.ts'
import { type HintEvent, PendingBatch } from './batch.ts'
import { nextTurn } from './pause.ts'
import { Pipeline } from './pipeline.ts'

export type { HintEvent } from './batch.ts'

export interface ApplierOptions {
  readonly store: Pick<Store, 'apply' | 'isTransient'> & Partial<Pick<Store, 'background'>>
  readonly admission: Admission
  /** Operations per transaction. Default 500. */
  readonly batchSize?: number
  /** Longest time that an item waits for its batch to fill, in ms. Default 1000. */
  readonly flushIntervalMs?: number
  /** Default: the system's. */
  readonly clock?: Clock
  /** Default: silent. */
  readonly logger?: Logger
  /** Told of every transaction after it is durable. What it throws is logged. */
  readonly onApplied?: ((batch: ApplyBatch, result: ApplyResult) => void) | undefined
  /**
   * Told of every account, identity and sync event, in order of arrival, once it is noted at the account. Whoever acts
   * on the notes needs it only to begin at once. A failure is logged and counted.
   */
  readonly onHint?: (event: HintEvent) => void | Promise<void>
}

export interface ApplierStats {
  /** Events pushed, of any kind. */
  readonly received: number
  /** Puts and deletes that changed something. */
  readonly applied: number
  /** Operations that changed nothing: stale, repeated, or of accounts that are not known. */
  readonly stale: number
  readonly quarantined: number
  /** Events that admission could attribute to no record. */
  readonly rejected: number
  /** Operations that the database refused in every form. */
  readonly dropped: number
  /** Hints whose handler failed. */
  readonly failedHints: number
  /** Operations that wait. */
  readonly queued: number
  /** The latest event's own time, in µs since 1970. */
  readonly lastEventUs: number | null
  /** When a transaction last succeeded, in ms since 1970. */
  readonly lastAppliedAt: number | null
}

/** Turns a stream of events into transactions, in order. */
export interface Applier {
  /** Takes an item. A returned promise asks the caller to wait before the next one. */
  push(item: SourceItem): void | Promise<void>
  /**
   * Resolves when everything pushed so far is durable.
   *
   * @throws LexidexError where the applier was closed before that
   */
  flush(): Promise<void>
  /**
   * Applies what waits and stops. Safe to call twice.
   *
   * @throws LexidexError where the database does not take it in a few attempts; the position then stays behind it
   */
  close(): Promise<void>
  stats(): ApplierStats
}

/** Items that are taken before the caller is asked for a turn of the event loop: a millisecond or so. */
const ITEMS_PER_TURN = 25

/**
 * Collects operations into transactions: when a batch is full or `flushIntervalMs` after its first item, positions of
 * a quiet stream included. A transaction that fails is tried again from the same place; an operation that the database
 * cannot store is quarantined, so that the rest goes on.
 */
export function createApplier(options: ApplierOptions): Applier {
  return new StreamApplier(options)
}

class StreamApplier implements Applier {
  readonly #options: ApplierOptions
  readonly #batchSize: number
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #pipeline: Pipeline
  #open = new PendingBatch()
  #timer: ReturnType<typeof setTimeout> | null = null
  #closed = false
  #itemsInTurn = 0
  readonly #stats = {
    received: 0,
    applied: 0,
    stale: 0,
    quarantined: 0,
    rejected: 0,
    dropped: 0,
    failedHints: 0,
    lastEventUs: null as number | null,
    lastAppliedAt: null as number | null,
  }

  constructor(options: ApplierOptions) {
    const { store, batchSize = 500, clock = systemClock, logger = silentLogger } = options
    this.#options = options
    this.#batchSize = batchSize
    this.#clock = clock
    this.#logger = logger
    this.#pipeline = new Pipeline({
      store,
      batchSize,
      clock,
      logger,
      onWritten: (batch, result) => this.#count(batch, result),
      onRefused: ({ operation, reason }) => {
        this.#stats.dropped++
        logger.error(`Dropped the ${describe(operation)}. ${reason}`)
      },
    })
  }

  push({ event, position }: SourceItem): void | Promise<void> {
    if (this.#closed) throw closedError()
    if (event !== null) this.#take(event)
    if (position !== null) this.#open.positions.set(position.source, position)
    if (this.#open.isFull(this.#batchSize)) this.#seal()
    else if (!this.#open.isEmpty) this.#timer ??= setTimeout(() => this.#seal(), this.#options.flushIntervalMs ?? 1000)
    const crowded = this.#pipeline.crowded()
    if (crowded === null && ++this.#itemsInTurn < ITEMS_PER_TURN) return
    this.#itemsInTurn = 0
    return crowded ?? nextTurn()
  }

  async flush(): Promise<void> {
    this.#seal()
    await this.#pipeline.flush()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#pipeline.close()
    await this.flush()
  }

  stats(): ApplierStats {
    return { ...this.#stats, queued: this.#pipeline.operations + this.#open.operations.length }
  }

  #take(event: NonNullable<SourceItem['event']>): void {
    this.#stats.received++
    if (event.timeUs !== undefined) this.#stats.lastEventUs = event.timeUs
    switch (event.kind) {
      case 'put':
      case 'delete':
        this.#admit(event)
        break
      case 'account':
      case 'identity':
      case 'sync':
        if (!isDid(event.did)) {
          this.#stats.rejected++
          break
        }
        this.#open.add({ op: 'check', did: event.did, resync: event.kind === 'sync' })
        if (this.#options.onHint !== undefined) this.#open.hints.push(event)
        break
      default:
        // A source of a later day may know more kinds than its types say.
        this.#stats.rejected++
    }
  }

  #admit(event: RecordEvent): void {
    const operation = this.#options.admission.admit(event)
    if (operation === null) return
    if (operation.op === 'reject') this.#stats.rejected++
    else this.#open.add(operation)
  }

  /** Closes the batch that fills and has it applied after those that wait. */
  #seal(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#open.isEmpty) return
    const batch = this.#open
    this.#open = new PendingBatch()
    this.#pipeline.add(batch)
    if (batch.hints.length > 0) void batch.done.then(() => batch.durable && this.#tell(batch.hints))
  }

  #tell(hints: readonly HintEvent[]): void {
    for (const event of hints) {
      const failed = (error: unknown) => {
        this.#stats.failedHints++
        this.#logger.error(`Could not handle an event of kind ${event.kind} about ${event.did}: ${messageOf(error)}`)
      }
      try {
        this.#options.onHint?.(event)?.catch(failed)
      } catch (error) {
        failed(error)
      }
    }
  }

  #count(batch: ApplyBatch, result: ApplyResult): void {
    const { puts, deletes, quarantined } = result
    const records = batch.operations.reduce((sum, { op }) => (op === 'check' || op === 'account' ? sum : sum + 1), 0)
    this.#stats.applied += puts + deletes
    this.#stats.quarantined += quarantined
    this.#stats.stale += records - puts - deletes - quarantined
    this.#stats.lastAppliedAt = this.#clock.now()
    try {
      this.#options.onApplied?.(batch, result)
    } catch (error) {
      this.#logger.error(`onApplied threw: ${messageOf(error)}`)
    }
  }
}

function describe(operation: Operation): string {
  if ('uri' in operation) return `${operation.op} of ${operation.uri} at ${operation.rev}`
  return `${operation.op} of ${operation.did}`
}

function closedError(): LexidexError {
  return new LexidexError('The applier is closed', { hint: 'Stop the source before closing, or make a new applier.' })
}
