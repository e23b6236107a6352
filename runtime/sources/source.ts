import type { Position, SourceItem } from '../core/events.ts'

export interface SourceOptions {
  /**
   * Ends the stream: nothing is given from then on, for who aborts may have left out some of what was given last. The
   * iteration then returns, it does not throw.
   */
  readonly signal: AbortSignal
  /** Where to go on; null to begin with what happens from now on. */
  readonly from: Position | null
}

/**
 * A stream of events that is read for as long as somebody wants it.
 *
 * Items come in lists, as many as have arrived since the last list was taken: one turn of an async iteration
 * costs more than the work on an event. While the consumer is busy a source holds a bounded amount and then
 * makes the sender wait, so a consumer that is behind costs no memory.
 */
export interface Source {
  /** Name in positions. */
  readonly name: string
  /** Reconnects for as long as it takes. Throws only where going on is of no use. */
  items(options: SourceOptions): AsyncIterable<readonly SourceItem[]>
}
