import type { Position, SourceItem } from '../../core/events.ts'
import { moveTo, readPosition } from '../../sources/jetstream-position.ts'
import type { OperationContext } from '../context.ts'
import { openStream, type Stream } from './stream.ts'

export interface IngestOptions {
  /** ms for all of it. Default 25 000. */
  readonly timeoutMs?: number | undefined
  /** Operations per transaction. Default 200. */
  readonly batchSize?: number | undefined
  /** ms for which a host that answers must have sent nothing, to be believed that there is no more. Default 3000. */
  readonly quietMs?: number | undefined
  /** Ends the cycle early: what was read is applied all the same. */
  readonly signal?: AbortSignal | undefined
}

export interface IngestResult {
  /** Events that were read, of any kind. */
  readonly events: number
  /** Records that were written or removed. */
  readonly applied: number
  /** Whether the stream was read up to when the cycle began. */
  readonly caughtUp: boolean
  /** Where the next cycle begins. */
  readonly position: Position
  readonly elapsedMs: number
}

const TIMEOUT_MS = 25_000
const BATCH = 200
const QUIET_MS = 3000
/** Of the time that there is, this much is for applying what was read; 1 s at most. */
const APPLYING_SHARE = 0.1
const MAX_APPLYING_MS = 1000
/** ms that a cycle has at least for something to arrive at all: one that never gets anywhere is of no use. */
const FIRST_STEP_MS = 5000
const WATCH_MS = 50
const PONG_TIMEOUT_MS = 10_000
/** How far behind our own clock the position stays where only the silence of the host moved it. */
const QUIET_MARGIN_US = 60_000_000

/**
 * Reads the stream from where it was read to up to now, and ends: for schedulers that call again and again.
 *
 * - `timeoutMs` holds for reading and applying together: reading ends a little before it, with a few batches at most
 *   that are not applied yet. Every cycle gets further, however short it is: it takes one batch at least, and where that
 *   does not arrive in time waits for it until 5 s have passed.
 * - Each batch becomes durable together with its position, so a process that is killed meanwhile has lost nothing of
 *   what it did.
 * - It has caught up at the first event that is as late as its own beginning. Where there is none, it has when a host
 *   that answers pings has been silent for `quietMs`; the position is then moved to one minute before the beginning, so
 *   that quiet collections do not fall behind for ever. That asks for clocks that agree to a minute, and for hosts
 *   that do not pause for that long in the middle of a replay.
 *
 * What the stream leads to (accounts to check, history to fetch) is noted and left to `checkAccounts` and `backfill`.
 * Hosts that cannot be reached do not fail the call: it has then read nothing.
 *
 * @throws LexidexError where there is no Jetstream to follow, or where the database does not take the last batch
 */
export async function ingest(context: OperationContext, options: IngestOptions = {}): Promise<IngestResult> {
  const startedAt = performance.now()
  const startUs = context.clock.nowUs()
  const { timeoutMs = TIMEOUT_MS, batchSize = BATCH, quietMs = QUIET_MS, signal } = options
  const pings = { pingIntervalMs: Math.max(1, quietMs / 3), pongTimeoutMs: PONG_TIMEOUT_MS }
  const stream = await openStream(context, { batchSize, flushIntervalMs: 100, ...pings })
  const readingMs = timeoutMs - Math.min(MAX_APPLYING_MS, timeoutMs * APPLYING_SHARE)
  const readUntil = startedAt + readingMs
  const giveUpAt = Math.max(readUntil, startedAt + FIRST_STEP_MS)
  const cycle = new Cycle(stream, { startUs, quietMs, readUntil, giveUpAt, signal })
  await cycle.run(batchSize)
  const { received, applied } = stream.applier.stats()
  const { caughtUp, position } = cycle
  return { events: received, applied, caughtUp, position, elapsedMs: Math.round(performance.now() - startedAt) }
}

interface CycleOptions {
  readonly startUs: number
  readonly quietMs: number
  /** ms on the monotonic clock */
  readonly readUntil: number
  /** The same, where nothing new has come yet. */
  readonly giveUpAt: number
  readonly signal: AbortSignal | undefined
}

class Cycle {
  readonly #stream: Stream
  readonly #options: CycleOptions
  readonly #stop = new AbortController()
  readonly #whenStopped = new Promise<void>((resolve) => {
    this.#stop.signal.addEventListener('abort', () => resolve(), { once: true })
  })
  caughtUp = false
  /** Of what was pushed last. */
  position: Position

  constructor(stream: Stream, options: CycleOptions) {
    this.#stream = stream
    this.#options = options
    this.position = stream.from
  }

  async run(batchSize: number): Promise<void> {
    const { source, applier, from } = this.#stream
    const { signal } = this.#options
    const stop = () => this.#stop.abort()
    const watch = setInterval(() => this.#watch(), WATCH_MS)
    signal?.addEventListener('abort', stop)
    if (signal?.aborted) stop()
    try {
      for await (const items of source.items({ signal: this.#stop.signal, from })) {
        for (const [i, item] of items.entries()) {
          await this.#push(item)
          // The timer does not fire while items are at hand.
          if ((i + 1) % batchSize === 0) this.#watch()
          if (this.#stop.signal.aborted) break
        }
        // What comes after items that were left out must not be taken: its position would pass over them.
        if (this.#stop.signal.aborted) break
      }
      if (this.caughtUp) await this.#moveOn()
    } finally {
      clearInterval(watch)
      signal?.removeEventListener('abort', stop)
      await applier.close()
    }
  }

  async #push(item: SourceItem): Promise<void> {
    const { startUs } = this.#options
    const crowded = this.#stream.applier.push(item)
    if (item.position !== null) this.position = item.position
    if (readPosition(this.position)!.cursorUs >= startUs) this.#end()
    // A database that does not answer must not hold the cycle beyond its time.
    if (crowded) await Promise.race([crowded, this.#whenStopped])
  }

  /** Ends the cycle where its time is over, or where there is nothing more to come. */
  #watch(): void {
    const { quietMs, readUntil, giveUpAt } = this.#options
    const { host, quietMs: quietFor, lastFrameUs } = this.#stream.source.stats()
    // The first frame that comes is the last one of the cycle before.
    const isFurther = lastFrameUs !== null && lastFrameUs > readPosition(this.#stream.from)!.cursorUs
    if (host !== null && quietFor >= quietMs) this.#end()
    else if (performance.now() >= (isFurther ? readUntil : giveUpAt)) this.#stop.abort()
  }

  #end(): void {
    this.caughtUp = true
    this.#stop.abort()
  }

  async #moveOn(): Promise<void> {
    const { host, cursorUs } = readPosition(this.position)!
    const wanted = this.#options.startUs - QUIET_MARGIN_US
    if (cursorUs < wanted) await this.#push(moveTo({ host, cursorUs: wanted }))
  }
}
