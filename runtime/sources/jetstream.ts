import { platform } from '#platform'
import { messageOf } from '../core/errors.ts'
import type { SourceItem } from '../core/events.ts'
import { type Logger, silentLogger } from '../core/log.ts'
import type { Frame, FrameDecoder } from '../core/platform.ts'
import { type Clock, systemClock } from '../core/time.ts'
import { createBackoff, sleep } from './backoff.ts'
import { decodeFrame } from './frame.ts'
import { JETSTREAM, moveTo, type Progress, readPosition, SKEW_US, toPosition } from './jetstream-position.ts'
import { subscriptionUrls } from './jetstream-urls.ts'
import type { Source, SourceOptions } from './source.ts'

/** Each host has its own clock: how far a cursor of another one is set back. */
const REWIND_US = 10_000_000
/** A connection that lasted this long was a good one. */
const HEALTHY_MS = 30_000
const PING_INTERVAL_MS = 30_000
/**
 * Text of the frames in one list of items, in bytes. A list is decoded in one go, in 0.5 ms or so, while requests wait; and
 * compressed, very much of it fits into what the socket holds.
 */
const MAX_LIST = 64 * 1024

export interface JetstreamOptions {
  /** `wss://host`, in order of preference. `/subscribe` is added where there is no path. */
  readonly urls: readonly string[]
  /** NSIDs, at most 100. */
  readonly collections: readonly string[]
  readonly logger?: Logger | undefined
  readonly clock?: Clock | undefined
  /** ms between pings. On a quiet stream the position follows the time at this distance. Default 30 000. */
  readonly pingIntervalMs?: number | undefined
  /** ms after which a host that leaves a ping unanswered is left. Default: until the next ping is due. */
  readonly pongTimeoutMs?: number | undefined
  /**
   * The dictionary of the host's software for `/subscribe`: frames then come compressed, in less than half the bytes
   * for about 25 µs each. Default: plain text, which is also what is fallen back to wherever this does not work.
   */
  readonly zstdDictionary?: Uint8Array | undefined
  /** ms until the first try to connect again; doubled with every failure, up to 30 s. Default 1000. */
  readonly reconnectMs?: number | undefined
}

export interface JetstreamStats {
  /** Host that is connected to now. */
  readonly host: string | null
  /** When it was connected, in ms since 1970. */
  readonly connectedAt: number | null
  readonly connections: number
  /** Whether frames are asked for compressed. */
  readonly compressed: boolean
  readonly frames: number
  /** Frames that could not be read. */
  readonly malformed: number
  /** The last frame's own time, by its host's clock, in µs since 1970. */
  readonly lastFrameUs: number | null
  /** When the last frame arrived, in ms since 1970. */
  readonly lastFrameAt: number | null
  /** When a host last showed that it is there: by a frame, an answer to a ping, or its opening. ms since 1970. */
  readonly lastHeartbeatAt: number | null
  /** Frames a second by the host's own time, since it was connected; null for the first 100. */
  readonly perSecond: number | null
  /** For how long the host that is connected has sent nothing although it answers, in ms. */
  readonly quietMs: number
  /** How far back the stream was when it was last heard of, in ms: the age of the last frame as it arrived. */
  readonly lagMs: number | null
}

export interface JetstreamSource extends Source {
  stats(): JetstreamStats
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

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
  const { pongTimeoutMs } = options
  const hosts = subscriptionUrls(options.urls, collections)
  let zstd = decoderOf(options.zstdDictionary, logger)
  /** The first frame of the connection: its time, and how many came before it. */
  let first: { readonly us: number; readonly frames: number } | null = null
  const stats: Mutable<JetstreamStats> = {
    host: null,
    connectedAt: null,
    connections: 0,
    compressed: zstd !== null,
    frames: 0,
    malformed: 0,
    lastFrameUs: null,
    lastFrameAt: null,
    lastHeartbeatAt: null,
    perSecond: null,
    quietMs: 0,
    lagMs: null,
  }

  async function* items({ signal, from }: SourceOptions): AsyncGenerator<readonly SourceItem[], void> {
    const backoff = createBackoff(options.reconnectMs)
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
      if (zstd !== null) target.searchParams.set('compress', 'true')
      if (from !== null) target.searchParams.set('cursor', String(from.cursorUs))
      /** A time by the host's clock, and when it was on the monotonic clock. */
      let known: { readonly us: number; readonly at: number } | null = null
      const chunks = platform.readSocket(target.href, { signal, pingIntervalMs, pongTimeoutMs })
      for await (const { messages, confirmedAt } of chunks) {
        stats.lastHeartbeatAt = clock.now()
        if (known === null) {
          progress = from ?? started
          seen ??= progress
          known = { us: progress.cursorUs, at: confirmedAt }
          connected(host, progress)
          logger.log(`jetstream: following ${host} ${from === null ? 'from now on' : `from ${iso(from.cursorUs)}`}`)
          yield [moveTo(progress)]
        }
        for (const found of decode(messages, host)) {
          progress = { host, cursorUs: stats.lastFrameUs! }
          seen = progress
          known = { us: progress.cursorUs, at: performance.now() }
          yield found
          if (signal.aborted) return
        }
        stats.quietMs = Math.max(0, confirmedAt - known.at)
        const us = known.us + Math.floor(confirmedAt - known.at - pingIntervalMs) * 1000
        if (us <= progress!.cursorUs) continue
        progress = { host, cursorUs: us }
        yield [moveTo(progress)]
      }
    }

    while (!signal.aborted) {
      const url = hosts[current]!
      const startedAt = performance.now()
      try {
        yield* follow(url)
      } catch (error) {
        if (error instanceof NotDecodable) {
          logger.warn(`jetstream: ${url.host}: ${error.message}; going on with plain text`)
          zstd = null
          stats.compressed = false
          continue
        }
        if (performance.now() - startedAt > HEALTHY_MS) backoff.reset()
        else current = (current + 1) % hosts.length
        const waitMs = backoff.next()
        const next = `${hosts[current]!.host} in ${(waitMs / 1000).toFixed(1)} s`
        logger.warn(`jetstream: ${url.host}: ${messageOf(error)}; ${next}`)
        await sleep(waitMs, signal)
      } finally {
        stats.host = null
        stats.connectedAt = null
      }
    }
  }

  function connected(host: string, { cursorUs }: Progress): void {
    stats.host = host
    stats.connectedAt = clock.now()
    stats.connections++
    stats.perSecond = null
    stats.quietMs = 0
    first = null
    stats.lagMs = Math.round((clock.nowUs() - cursorUs) / 1000)
  }

  function* decode(messages: readonly Frame[], host: string): Generator<readonly SourceItem[], void> {
    let items: SourceItem[] = []
    let bytes = 0
    for (const message of messages) {
      stats.frames++
      let text: string | null
      if (typeof message === 'string') {
        text = message
      } else {
        const plain = zstd === null ? message : zstd.decode(message)
        if (plain === 'unreadable') {
          if (items.length > 0) yield items
          throw new NotDecodable('frames were compressed with another dictionary, or are damaged')
        }
        text = plain === 'too-large' ? null : platform.textOf(plain)
      }
      const { timeUs, event, problem } = text === null ? TOO_LARGE : decodeFrame(text)
      if (problem !== null) reportMalformed(host, problem)
      if (timeUs === null) continue
      stats.lastFrameUs = timeUs
      stats.lastFrameAt = clock.now()
      first ??= { us: timeUs, frames: stats.frames }
      const frames = stats.frames - first.frames
      if (frames >= 100 && timeUs > first.us) stats.perSecond = (frames * 1e6) / (timeUs - first.us)
      stats.lagMs = Math.max(0, Math.round(stats.lastFrameAt - timeUs / 1000))
      items.push({ event, position: toPosition({ host, cursorUs: timeUs }) })
      bytes += text?.length ?? 0
      if (bytes <= MAX_LIST) continue
      yield items
      items = []
      bytes = 0
    }
    if (items.length > 0) yield items
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

const TOO_LARGE = { timeUs: null, event: null, problem: 'too large' } as const

class NotDecodable extends Error {}

function decoderOf(dictionary: Uint8Array | undefined, logger: Logger): FrameDecoder | null {
  if (dictionary === undefined) return null
  const decoder = platform.createZstdDecoder(dictionary)
  if (typeof decoder !== 'string') return decoder
  logger.warn(`jetstream: following without compression, the dictionary is of no use: ${decoder}`)
  return null
}

function iso(timeUs: number): string {
  const date = new Date(timeUs / 1000)
  return Number.isNaN(date.getTime()) ? String(timeUs) : date.toISOString()
}
