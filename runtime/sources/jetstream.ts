import { LexidexError, messageOf } from '../core/errors.ts'
import type { Position, SourceItem } from '../core/events.ts'
import { type Logger, silentLogger } from '../core/log.ts'
import { type Clock, systemClock } from '../core/time.ts'
import { createBackoff, sleep } from './backoff.ts'
import { decodeFrame } from './frame.ts'
import { readSocket } from './socket.ts'
import type { Source, SourceOptions } from './source.ts'

/** The name in positions. */
export const JETSTREAM = 'jetstream'

/** Jetstream takes no more `wantedCollections` than this. */
const MAX_COLLECTIONS = 100
/** Each host has its own clock: how far a cursor of another one is set back. */
const REWIND_US = 10_000_000
/** How far our clock may be ahead of a host's, where no frame has told its time yet. */
const SKEW_US = 10_000_000
/** A connection that lasted this long was a good one. */
const HEALTHY_MS = 30_000
const PING_INTERVAL_MS = 30_000

export interface JetstreamOptions {
  /** `wss://host`, in order of preference. `/subscribe` is added where there is no path. */
  readonly urls: readonly string[]
  /** NSIDs, at most 100. */
  readonly collections: readonly string[]
  readonly logger?: Logger | undefined
  readonly clock?: Clock | undefined
  /** ms between pings. On a quiet stream the position follows the time at this distance. Default 30 000. */
  readonly pingIntervalMs?: number | undefined
}

export interface JetstreamStats {
  /** Host that is connected to now. */
  readonly host: string | null
  readonly connections: number
  readonly frames: number
  /** Frames that could not be read. */
  readonly malformed: number
  /** Time of the last frame, in µs since 1970: tells a quiet stream from one that has stopped. */
  readonly lastFrameUs: number | null
}

export interface JetstreamSource extends Source {
  stats(): JetstreamStats
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** How far a host's stream has been read. */
interface Progress {
  readonly host: string
  /** µs since 1970, by the host's clock. */
  readonly cursorUs: number
}

/**
 * Follows Jetstream v1 (`/subscribe`), for ever: where a host fails it goes on with the next one after 1 s to 30 s.
 *
 * Every frame moves the position, wanted or not. Two things move it where there is no frame:
 *
 * - The first connection, without a position to go on from, sets it to just before it was made, so that a restart
 *   before the first frame loses nothing.
 * - On a quiet stream it follows the time: from the last frame's own time, by what has passed since then on a
 *   monotonic clock, as far as the host has answered pings, less one ping interval. A host's clock is thus never
 *   compared with ours, and while a host replays its log this lags behind what it has sent.
 *
 * On a change of host the stream is set back to 10 s before the last frame that was seen.
 *
 * @throws LexidexError where there is no URL, an invalid one, or more than 100 collections
 */
export function createJetstream(options: JetstreamOptions): JetstreamSource {
  const { collections, logger = silentLogger, clock = systemClock, pingIntervalMs = PING_INTERVAL_MS } = options
  const hosts = subscriptionUrls(options.urls, collections)
  const stats: Mutable<JetstreamStats> = { host: null, connections: 0, frames: 0, malformed: 0, lastFrameUs: null }

  async function* items({ signal, from }: SourceOptions): AsyncGenerator<readonly SourceItem[], void> {
    const backoff = createBackoff()
    let progress = readPosition(from)
    /** Where another host goes on from: unlike `progress` it has never moved by time alone. */
    let seen = progress
    let current = Math.max(
      0,
      hosts.findIndex(({ host }) => host === progress?.host),
    )

    async function* follow(url: URL): AsyncGenerator<readonly SourceItem[], void> {
      const { host } = url
      const from = progress?.host === host ? progress : seen && { host, cursorUs: seen.cursorUs - REWIND_US }
      const started = { host, cursorUs: clock.nowUs() - SKEW_US }
      const target = new URL(url)
      if (from !== null) target.searchParams.set('cursor', String(from.cursorUs))
      /** A time by the host's clock, and when it was on the monotonic clock. */
      let known: { readonly us: number; readonly at: number } | null = null
      for await (const { messages, confirmedAt } of readSocket(target.href, { signal, pingIntervalMs })) {
        if (known === null) {
          progress = from ?? started
          seen ??= progress
          known = { us: progress.cursorUs, at: confirmedAt }
          stats.host = host
          stats.connections++
          logger.log(`jetstream: following ${host} ${from === null ? 'from now on' : `from ${iso(from.cursorUs)}`}`)
          yield [moveTo(progress)]
        }
        const found = decode(messages, host)
        if (found.length > 0) {
          progress = { host, cursorUs: stats.lastFrameUs! }
          seen = progress
          known = { us: progress.cursorUs, at: performance.now() }
          yield found
        } else {
          const us = known.us + Math.floor(confirmedAt - known.at - pingIntervalMs) * 1000
          if (us <= progress!.cursorUs) continue
          progress = { host, cursorUs: us }
          yield [moveTo(progress)]
        }
      }
    }

    while (!signal.aborted) {
      const url = hosts[current]!
      const startedAt = performance.now()
      try {
        yield* follow(url)
      } catch (error) {
        if (performance.now() - startedAt > HEALTHY_MS) backoff.reset()
        else current = (current + 1) % hosts.length
        const waitMs = backoff.next()
        const next = `${hosts[current]!.host} in ${(waitMs / 1000).toFixed(1)} s`
        logger.warn(`jetstream: ${url.host}: ${messageOf(error)}; ${next}`)
        await sleep(waitMs, signal)
      } finally {
        stats.host = null
      }
    }
  }

  function decode(messages: readonly Buffer[], host: string): SourceItem[] {
    const items: SourceItem[] = []
    for (const message of messages) {
      const { timeUs, event, problem } = decodeFrame(message.toString())
      stats.frames++
      if (problem !== null) reportMalformed(host, problem)
      if (timeUs === null) continue
      stats.lastFrameUs = timeUs
      items.push({ event, position: toPosition({ host, cursorUs: timeUs }) })
    }
    return items
  }

  function reportMalformed(host: string, problem: string): void {
    stats.malformed++
    // A host that has gone wrong sends thousands of them.
    if (stats.malformed === 1 || stats.malformed % 1000 === 0) {
      logger.warn(`jetstream: ${host}: frame skipped, ${problem} (${stats.malformed} so far)`)
    }
  }

  return { name: JETSTREAM, items, stats: () => ({ ...stats }) }
}

/** The position just before the time `nowUs` at the first of `urls`, for a stream that is followed later on. */
export function positionBefore(nowUs: number, urls: readonly string[]): Position {
  const [url] = subscriptionUrls(urls, [])
  return toPosition({ host: url!.host, cursorUs: nowUs - SKEW_US })
}

function moveTo(progress: Progress): SourceItem {
  return { event: null, position: toPosition(progress) }
}

function toPosition({ host, cursorUs }: Progress): Position {
  return { source: JETSTREAM, epoch: host, cursor: String(cursorUs) }
}

function readPosition(position: Position | null): Progress | null {
  if (position === null) return null
  const cursorUs = Number(position.cursor)
  if (position.source !== JETSTREAM || !Number.isSafeInteger(cursorUs)) {
    throw new LexidexError(`Not a position of Jetstream: ${JSON.stringify(position)}`, {
      hint: 'Delete the row of lexidex_cursor to follow from now on, and run a backfill for what lies between.',
    })
  }
  return { host: position.epoch, cursorUs }
}

function subscriptionUrls(urls: readonly string[], collections: readonly string[]): readonly URL[] {
  if (urls.length === 0) {
    throw new LexidexError('No Jetstream to follow', { hint: 'Name at least one in `jetstreams` of the config.' })
  }
  if (collections.length > MAX_COLLECTIONS) {
    throw new LexidexError(`Jetstream filters by at most ${MAX_COLLECTIONS} collections, not ${collections.length}`)
  }
  return urls.map((text) => {
    const url = URL.canParse(text) ? new URL(text) : null
    if (url === null || !/^wss?:$/.test(url.protocol)) {
      throw new LexidexError(`Not the URL of a Jetstream: ${text}`, { hint: 'Write it as wss://host.' })
    }
    if (url.pathname === '/') url.pathname = '/subscribe'
    for (const collection of collections) url.searchParams.append('wantedCollections', collection)
    return url
  })
}

function iso(timeUs: number): string {
  const date = new Date(timeUs / 1000)
  return Number.isNaN(date.getTime()) ? String(timeUs) : date.toISOString()
}
