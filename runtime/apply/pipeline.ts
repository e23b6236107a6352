import { LexidexError, messageOf } from '../core/errors.ts'
import type { Logger } from '../core/log.ts'
import type { ApplyBatch, Operation } from '../core/operation.ts'
import type { Clock } from '../core/time.ts'
import type { ApplyResult, Store } from '../storage/store.ts'
import type { PendingBatch } from './batch.ts'
import { isolate, type Refused } from './isolate.ts'
import { nextTurn, Pause } from './pause.ts'

export interface PipelineOptions {
  readonly store: Pick<Store, 'apply' | 'isTransient'> & Partial<Pick<Store, 'background'>>
  /** Operations per transaction. */
  readonly batchSize: number
  readonly clock: Clock
  readonly logger: Logger
  /** Told of every transaction after it is durable. */
  readonly onWritten: (batch: ApplyBatch, result: ApplyResult) => void
  /** Told of what the database takes in no form. */
  readonly onRefused: (refused: Refused) => void
}

/** What may wait before more is too much, in full batches: on this thread, and where the store works in the background. */
const MAX_WAITING = 4
const MAX_WAITING_IN_BACKGROUND = 8
/** Full batches that one transaction in the background holds at most. */
const MAX_JOINED = 4
/** In UTF-16 code units. */
const MAX_WAITING_TEXT = 32_000_000
const MAX_JOINED_TEXT = 8_000_000
const FIRST_RETRY_MS = 100
const LAST_RETRY_MS = 30_000
const ATTEMPTS_WHEN_CLOSING = 3

/**
 * Applies batches in order, each until it is durable.
 *
 * A store that works in the background is given the next batch while it is at one, so that it never waits for us; it
 * then keeps the order where the first of the two fails. While it is behind, it is given several batches as one: many
 * of the pages that a transaction writes are those that the one before has written.
 */
export class Pipeline {
  readonly #options: PipelineOptions
  readonly #pause = new Pause()
  readonly #waiting: PendingBatch[] = []
  #draining = false
  #closing = false
  #failure: LexidexError | null = null

  constructor(options: PipelineOptions) {
    this.#options = options
  }

  /** Operations that wait. */
  get operations(): number {
    return this.#waiting.reduce((sum, batch) => sum + batch.operations.length, 0)
  }

  add(batch: PendingBatch): void {
    const last = this.#waiting.at(-1)
    // A database that takes longer than a batch has to fill would get ever smaller ones.
    const joins = this.#waiting.length > 1 && last!.handed === null && this.#fitInOne(last!, batch)
    if (joins) last!.join(batch)
    else this.#waiting.push(batch)
    this.#handOverNext()
    if (!this.#draining) void this.#drain()
  }

  /** Resolves when there are fewer batches; null where there is room. */
  crowded(): Promise<void> | null {
    const [first] = this.#waiting
    if (first === undefined) return null
    const { store, batchSize } = this.#options
    const batches = store.background ? MAX_WAITING_IN_BACKGROUND : MAX_WAITING
    const text = this.#waiting.reduce((sum, batch) => sum + batch.text, 0)
    const full = this.#waiting.length >= batches || this.operations >= batches * batchSize || text >= MAX_WAITING_TEXT
    return full ? first.done : null
  }

  /** @throws LexidexError where it was closed before all was durable */
  async flush(): Promise<void> {
    await this.#waiting.at(-1)?.done
    if (this.#failure !== null) throw this.#failure
  }

  /** From now on a batch that fails is tried a few times only. */
  close(): void {
    this.#closing = true
    this.#pause.end()
  }

  async #drain(): Promise<void> {
    this.#draining = true
    while (this.#waiting.length > 0) {
      // A store on this thread holds it for a whole batch; sockets and timers get theirs in between.
      await nextTurn()
      const batch = this.#waiting[0]!
      if (this.#failure === null) await this.#applyUntilDurable(batch)
      this.#waiting.shift()
      batch.settle(this.#failure === null)
    }
    this.#draining = false
  }

  async #applyUntilDurable(batch: PendingBatch): Promise<void> {
    let attemptsWhenClosing = 0
    for (let attempt = 0; ; attempt++) {
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
      this.#options.logger.warn(`Could not apply ${count} operations, next attempt in ${delay} ms: ${messageOf(error)}`)
      await this.#pause.for(delay)
    }
  }

  /**
   * Nothing of the batch could be written, so nothing tells a poisoned operation from a broken database. With more
   * operations beside it the next attempt can.
   */
  #joinNext(batch: PendingBatch): void {
    const next = this.#waiting[1]
    if (next === undefined || batch.operations.length >= 2 * this.#options.batchSize) return
    this.#waiting.splice(1, 1)
    batch.join(next)
  }

  /** @returns what went wrong, or null where all of the batch is durable */
  async #applyOnce(batch: PendingBatch): Promise<unknown> {
    const { store, logger, onRefused } = this.#options
    const { operations } = batch
    const positions = [...batch.positions.values()]
    try {
      await this.#applyWhole(batch)
      return null
    } catch (error) {
      if (store.isTransient(error)) return error
      logger.warn(`The database refused a batch, looking for what is at fault: ${messageOf(error)}`)
    }
    try {
      const write = (part: readonly Operation[]) => this.#write({ operations: part, positions: [], now: this.#now() })
      const refused = await isolate(operations, write, (error) => store.isTransient(error))
      await this.#write({ operations: [], positions, now: this.#now() })
      for (const one of refused) onRefused(one)
      return null
    } catch (error) {
      return error
    }
  }

  async #applyWhole(batch: PendingBatch): Promise<void> {
    try {
      this.#handOver(batch)
      this.#handOverNext()
      const { content, result } = batch.handed!
      this.#options.onWritten(content, await result)
    } catch (error) {
      batch.handed = null
      const next = this.#waiting[1]
      // It fails as well; not before that may anything else be tried.
      await next?.handed?.result.catch(() => {})
      if (next !== undefined) next.handed = null
      throw error
    }
  }

  #handOverNext(): void {
    const [first, next] = this.#waiting
    if (!this.#options.store.background || next === undefined || !first?.handed || this.#failure !== null) return
    if (next.handed !== null) return
    this.#joinThoseBehind(next)
    try {
      this.#handOver(next, first.handed.content)
    } catch {
      // Refused at once: it is met again, and dealt with, when it is the first.
      next.handed = null
    }
  }

  #joinThoseBehind(batch: PendingBatch): void {
    const most = MAX_JOINED * this.#options.batchSize
    for (let behind = this.#waiting[2]; behind !== undefined; behind = this.#waiting[2]) {
      if (batch.operations.length + behind.operations.length > most) return
      if (batch.text + behind.text > MAX_JOINED_TEXT) return
      this.#waiting.splice(2, 1)
      batch.join(behind)
    }
  }

  #fitInOne(one: PendingBatch, other: PendingBatch): boolean {
    const { batchSize } = this.#options
    return one.operations.length + other.operations.length <= batchSize && one.text + other.text <= MAX_JOINED_TEXT
  }

  #handOver(batch: PendingBatch, follows?: ApplyBatch): void {
    if (batch.handed !== null) return
    const { operations, positions } = batch
    const content: ApplyBatch = { operations, positions: [...positions.values()], now: this.#now() }
    const result = Promise.resolve(this.#options.store.apply(content, follows))
    // Whoever waits for it hears of a failure; until then nobody may.
    result.catch(() => {})
    batch.handed = { content, result }
  }

  async #write(batch: ApplyBatch): Promise<void> {
    this.#options.onWritten(batch, await this.#options.store.apply(batch))
  }

  #now(): number {
    return this.#options.clock.now()
  }
}
