import { LexidexError } from '../core/errors.ts'
import type { Position, SourceItem } from '../core/events.ts'
import { subscriptionUrls } from './jetstream-urls.ts'

/** The name in positions. */
export const JETSTREAM = 'jetstream'

/** How far our clock may be ahead of a host's, where no frame has told its time yet. */
export const SKEW_US = 10_000_000

/** How far a host's stream has been read. */
export interface Progress {
  readonly host: string
  /** µs since 1970, by the host's clock. */
  readonly cursorUs: number
}

/** The position just before the time `nowUs` at the first of `urls`, for a stream that is followed later on. */
export function positionBefore(nowUs: number, urls: readonly string[]): Position {
  const [url] = subscriptionUrls(urls, [])
  return toPosition({ host: url!.host, cursorUs: nowUs - SKEW_US })
}

/** A step of the position without an event. */
export function moveTo(progress: Progress): SourceItem {
  return { event: null, position: toPosition(progress) }
}

export function toPosition({ host, cursorUs }: Progress): Position {
  return { source: JETSTREAM, epoch: host, cursor: String(cursorUs) }
}

/** @throws LexidexError where it is not a position of Jetstream */
export function readPosition(position: Position | null): Progress | null {
  if (position === null) return null
  const cursorUs = Number(position.cursor)
  if (position.source !== JETSTREAM || !Number.isSafeInteger(cursorUs)) {
    throw new LexidexError(`Not a position of Jetstream: ${JSON.stringify(position)}`, {
      hint: 'Delete the row of lexidex_cursor to follow from now on, and run a backfill for what lies between.',
    })
  }
  return { host: position.epoch, cursorUs }
}
