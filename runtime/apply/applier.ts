import type { Admission } from '../admission/admit.ts'
import { LexidexError, messageOf } from '../core/errors.ts'
import type { AccountEvent, IdentityEvent, SourceItem, SyncEvent } from '../core/events.ts'
import { type Logger, silentLogger } from '../core/log.ts'
import type { ApplyBatch, Operation } from '../core/operation.ts'
import { type Clock, systemClock } from '../core/time.ts'
import type { ApplyResult, Store } from '../storage/store.ts'
import { PendingBatch } from './batch.ts'
import { isolate } from './isolate.ts'
import { nextTurn, Pause } from './pause.ts'

/** Events that are not records: they ask for something to be looked up, and write nothing by themselves. */
export type HintEvent = AccountEvent | IdentityEvent | SyncEvent

export interface ApplierOptions {
  readonly store: Pick<Store, 'apply' | 'isTransient'>
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
  readonly onApplied?: (batch: ApplyBatch, result: ApplyResult) => void
  /**
   * Told of every account, identity and sync event, in order of arrival. The position moves past the event once what
   * is returned has settled; a failure is logged and counted.
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

/** Batches that may wait before `push` asks the caller to. */
const MAX_WAITING_BATCHES = 4
const MAX_WAITING_TEXT = 32_000_000
const FIRST_RETRY_MS = 100
const LAST_RETRY_MS = 30_000
const ATTEMPTS_WHEN_CLOSING = 3

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
  readonly #pause = new Pause()
  readonly #waiting: PendingBatch[] = []
  #open = new PendingBatch()
  #timer: ReturnType<typeof setTimeout> | null = null
  #draining = false
  #closing = false
  #failure: LexidexError | null = null
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
    this.#options = options
    this.#batchSize = options.batchSize ?? 500
    this.#clock = options.clock ?? systemClock
    this.#logger = options.logger ?? silentLogger
  }

  push({ event, position }: SourceItem): void | Promise<void> {
    if (this.#closing) throw closedError()
    if (event !== null) this.#take(event)
    if (position !== null) this.#open.positions.set(position.source, position)
    if (this.#open.isFull(this.#batchSize)) this.#seal()
    else if (!this.#open.isEmpty) this.#timer ??= setTimeout(() => this.#seal(), this.#options.flushIntervalMs ?? 1000)
    if (this.#isCrowded()) return this.#waiting[0]!.done
  }

  async flush(): Promise<void> {
    this.#seal()
    await this.#waiting.at(-1)?.done
    if (this.#failure !== null) throw this.#failure
  }

  async close(): Promise<void> {
    this.#closing = true
    this.#pause.end()
    await this.flush()
  }

  stats(): ApplierStats {
    const queued = this.#waiting.reduce((sum, batch) => sum + batch.operations.length, this.#open.operations.length)
    return { ...this.#stats, queued }
  }

  #take(event: NonNullable<SourceItem['event']>): void {
    this.#stats.received++
    if (event.timeUs !== undefined) this.#stats.lastEventUs = event.timeUs
    if (event.kind !== 'put' && event.kind !== 'delete') {
      this.#hint(event)
      return
    }
    const operation = this.#options.admission.admit(event)
    if (operation === null) return
    if (operation.op === 'reject') this.#stats.rejected++
    else this.#open.add(operation)
  }

  #hint(event: HintEvent): void {
    const failed = (error: unknown) => {
      this.#stats.failedHints++
      this.#logger.error(`Could not handle an event of kind ${event.kind} about ${event.did}: ${messageOf(error)}`)
    }
    try {
      const work = this.#options.onHint?.(event)
      if (work !== undefined) this.#open.hints.push(work.catch(failed))
    } catch (error) {
      failed(error)
    }
  }

  #isCrowded(): boolean {
    const count = this.#waiting.length
    if (count === 0) return false
    return count >= MAX_WAITING_BATCHES || this.#waiting.reduce((sum, { text }) => sum + text, 0) >= MAX_WAITING_TEXT
  }

  /** Closes the batch that fills and has it applied after those that wait. */
  #seal(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#open.isEmpty) return
    this.#waiting.push(this.#open)
    this.#open = new PendingBatch()
    if (!this.#draining) void this.#drain()
  }

  async #drain(): Promise<void> {
    this.#draining = true
    while (this.#waiting.length > 0) {
      // A synchronous database holds the thread for a whole batch; sockets and timers get theirs in between.
      await nextTurn()
      const batch = this.#waiting[0]!
      if (this.#failure === null) await this.#applyUntilDurable(batch)
      this.#waiting.shift()
      batch.settle()
    }
    this.#draining = false
  }

  async #applyUntilDurable(batch: PendingBatch): Promise<void> {
    let attemptsWhenClosing = 0
    for (let attempt = 0; ; attempt++) {
      await Promise.all(batch.hints)
      const error = await this.#applyOnce(batch)
      if (error === null) return
      if (this.#closing && ++attemptsWhenClosing >= ATTEMPTS_WHEN_CLOSING) {
        this.#failure = new LexidexError(`Closed with a batch that could not be applied: ${messageOf(error)}`, {
          hint: 'Its position was not saved either; the source delivers it again at the next start.',
          cause: error,
        })
        return
      }
      const delay = this.#closing ? FIRST_RETRY_MS : Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempt)
      if (!this.#options.store.isTransient(error)) this.#joinNext(batch)
      const count = batch.operations.length
      this.#logger.warn(`Could not apply ${count} operations, next attempt in ${delay} ms: ${messageOf(error)}`)
      await this.#pause.for(delay)
    }
  }

  /**
   * Nothing of the batch could be written, so nothing tells a poisoned operation from a broken database. With more
   * operations beside it the next attempt can.
   */
  #joinNext(batch: PendingBatch): void {
    const next = this.#waiting[1]
    if (next === undefined || batch.operations.length >= 2 * this.#batchSize) return
    this.#waiting.splice(1, 1)
    batch.join(next)
  }

  /** @returns what went wrong, or null where all of the batch is durable */
  async #applyOnce({ operations, positions }: PendingBatch): Promise<unknown> {
    const isTransient = (error: unknown) => this.#options.store.isTransient(error)
    try {
      await this.#write(operations, [...positions.values()])
      return null
    } catch (error) {
      if (isTransient(error)) return error
      this.#logger.warn(`The database refused a batch, looking for what is at fault: ${messageOf(error)}`)
    }
    try {
      const refused = await isolate(operations, (part) => this.#write(part, []), isTransient)
      await this.#write([], [...positions.values()])
      for (const { operation, reason } of refused) {
        this.#stats.dropped++
        this.#logger.error(`Dropped the ${describe(operation)}. ${reason}`)
      }
      return null
    } catch (error) {
      return error
    }
  }

  async #write(operations: readonly Operation[], positions: ApplyBatch['positions']): Promise<void> {
    const batch: ApplyBatch = { operations, positions, now: this.#clock.now() }
    const result = await this.#options.store.apply(batch)
    const { puts, deletes, quarantined } = result
    this.#stats.applied += puts + deletes
    this.#stats.quarantined += quarantined
    this.#stats.stale += operations.length - puts - deletes - quarantined
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
