import { concat } from '../core/bytes.ts'
import { messageOf } from '../core/errors.ts'
import { type Fetch, FetchError, type FetchStream, type StreamedAnswer, type StreamOptions } from '../core/http.ts'
import { dropOldest } from '../core/oldest.ts'
import { type Clock, systemClock } from '../core/time.ts'
import { sleep } from './backoff.ts'
import { ServiceError } from './service-error.ts'

export { ServiceError, type ServiceErrorKind } from './service-error.ts'

const RETRY_MS = [500, 2500]
/** The least wait after a 429, whatever its headers say: doubled each time, up to a minute. */
const LIMITED_FIRST_MS = 1000
const LIMITED_LONGEST_MS = 60_000
/** Hosts that are remembered to be waited for: strangers make as many as they like. */
const MAX_CLOSED = 10_000
/** Times that a host may say 429 to one request. */
const LIMITED_TRIES = 8
/** Bytes of an error that are read. */
const LONGEST_REFUSAL = 100_000
/** A host that asks for a longer wait than this is come back to by the caller. */
const LONGEST_WAIT_MS = 10 * 60_000
/** Longest wait that a host is believed, in ms: what was put off has to come up again. */
const LONGEST_RESET_MS = 48 * 60 * 60_000

export interface XrpcClient {
  /**
   * Calls a query and gives its JSON object. What fails for the moment is tried three times, and a host that limits
   * its callers is waited for, by all requests to it together.
   *
   * @param service URL of the host
   * @throws ServiceError; the signal's reason where it aborts
   */
  get(service: string, method: string, params: XrpcParams, options?: XrpcOptions): Promise<Record<string, any>>
  /**
   * Calls a query with a long answer, and gives what `read` makes of its bytes. Tried again as `get` is, by another
   * call of `read`, where the request fails; what `read` throws itself ends the call.
   *
   * @throws ServiceError (`too-large` beyond `maxBytes`); the signal's reason where it aborts; what `read` throws
   */
  download<T>(
    service: string,
    method: string,
    params: XrpcParams,
    read: (body: AsyncIterable<Uint8Array>) => Promise<T>,
    options: DownloadOptions,
  ): Promise<T>
}

export type XrpcParams = Readonly<Record<string, string | number>>

export interface XrpcOptions {
  readonly signal?: AbortSignal | undefined
  /** `false`: one try, for callers that cannot wait. Default true. */
  readonly retry?: boolean | undefined
}

export interface DownloadOptions extends StreamOptions {
  /** Media type that is asked for. */
  readonly accept: string
}

export interface XrpcClientOptions {
  readonly fetch: Fetch
  /** For `download`, which is not to be used without it. */
  readonly stream?: FetchStream | undefined
  readonly clock?: Clock | undefined
  /** Waits before the second and the third try of a request that failed for the moment, in ms. Default 500 and 2500. */
  readonly retryMs?: readonly number[] | undefined
}

/** Speaks XRPC to PDSes and relays over `fetch`, with one budget per host. */
export function createXrpc(options: XrpcClientOptions): XrpcClient {
  const { fetch, clock = systemClock, retryMs = RETRY_MS } = options
  /** Monotonic ms before which a host must not be called. */
  const closedUntil = new Map<string, number>()

  async function opening(host: string, signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      signal?.throwIfAborted()
      const waitMs = (closedUntil.get(host) ?? 0) - performance.now()
      if (waitMs <= 0) return
      // All who wait here would otherwise call in the same moment.
      await sleep(waitMs + Math.random() * 100, signal)
    }
  }

  function close(host: string, ms: number): void {
    const until = performance.now() + ms
    if (until <= (closedUntil.get(host) ?? 0)) return
    closedUntil.delete(host)
    closedUntil.set(host, until)
    dropOldest(closedUntil, MAX_CLOSED)
  }

  /** @returns ms until the host takes requests again, where it says so */
  function heedLimits(url: URL, headers: Headers): number | null {
    const stated = resetAfter(headers, clock.now())
    const resetMs = stated === null ? null : Math.min(LONGEST_RESET_MS, Math.max(0, stated))
    if (headers.get('ratelimit-remaining') === '0' && resetMs !== null) {
      close(url.host, Math.min(resetMs, LONGEST_WAIT_MS))
    }
    return resetMs
  }

  async function once(url: URL, signal: AbortSignal | undefined): Promise<Record<string, any>> {
    let response: Response
    try {
      response = await fetch(url.href, { signal, headers: { accept: 'application/json' } })
    } catch (error) {
      signal?.throwIfAborted()
      throw unanswered(url, error)
    }
    const resetMs = heedLimits(url, response.headers)
    const body = await readObject(response)
    if (response.ok && body !== null) return body
    if (response.ok) throw ServiceError.unreadable(url.origin, 'an answer that is no JSON object')
    throw ServiceError.of(url.host, response.status, body, resetMs)
  }

  async function downloadOnce<T>(
    url: URL,
    read: (body: AsyncIterable<Uint8Array>) => Promise<T>,
    { accept, ...limits }: DownloadOptions,
  ): Promise<T> {
    const { signal } = limits
    let answer: StreamedAnswer
    try {
      answer = await options.stream!(url.href, { ...limits, headers: { accept } })
    } catch (error) {
      signal?.throwIfAborted()
      throw unanswered(url, error)
    }
    const resetMs = heedLimits(url, answer.headers)
    if (answer.status === 200) return read(pieces(url, answer.body, signal))
    throw ServiceError.of(url.host, answer.status, await readRefusal(answer.body), resetMs)
  }

  /** Tries until it succeeds, or fails for more than the moment. */
  async function persist<T>(url: URL, signal: AbortSignal | undefined, attempt: () => Promise<T>): Promise<T> {
    let failed = 0
    let limited = 0
    for (;;) {
      await opening(url.host, signal)
      try {
        return await attempt()
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error
        if (error.kind === 'rate-limited') {
          // Hosts have been seen to refuse earlier than they announce, and to say "0 seconds".
          const growing = Math.min(LIMITED_LONGEST_MS, LIMITED_FIRST_MS * 2 ** limited)
          const waitMs = Math.max(growing, error.retryAfterMs ?? 0)
          if (++limited === LIMITED_TRIES || waitMs > LONGEST_WAIT_MS) throw error
          close(url.host, waitMs)
        } else if (error.kind === 'transient' && failed < retryMs.length) {
          await sleep(retryMs[failed++]! * (0.5 + Math.random() / 2), signal)
        } else {
          throw error
        }
      }
    }
  }

  return {
    async get(service, method, params, { signal, retry = true } = {}) {
      const url = methodUrl(service, method, params)
      if (retry) return persist(url, signal, () => once(url, signal))
      await opening(url.host, signal)
      return once(url, signal)
    },
    async download(service, method, params, read, download) {
      const url = methodUrl(service, method, params)
      return persist(url, download.signal, () => downloadOnce(url, read, download))
    },
  }
}

function methodUrl(service: string, method: string, params: XrpcParams): URL {
  if (!URL.canParse(service)) throw new ServiceError('permanent', `Not a URL: ${service}`)
  const url = new URL(`/xrpc/${method}`, service)
  for (const [name, value] of Object.entries(params)) url.searchParams.set(name, String(value))
  return url
}

function unanswered(url: URL, error: unknown): ServiceError {
  const kind = error instanceof FetchError ? error.kind : 'network'
  const outcome = kind === 'refused' ? 'permanent' : kind === 'too-large' ? 'too-large' : 'transient'
  return new ServiceError(outcome, `${url.host}: ${messageOf(error)}`, { cause: error })
}

async function* pieces(
  url: URL,
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void> {
  try {
    for await (const piece of body) yield piece
  } catch (error) {
    signal?.throwIfAborted()
    throw unanswered(url, error)
  }
}

/** The body of an answer of status 300 or more, where it is JSON of a reasonable size. */
async function readRefusal(body: AsyncIterable<Uint8Array>): Promise<Record<string, any> | null> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const piece of body) {
      bytes += piece.length
      if (bytes > LONGEST_REFUSAL) return null
      pieces.push(piece)
    }
  } catch {
    // The status has been read, and says enough.
    return null
  }
  return readObject(new Response(concat(pieces)))
}

async function readObject(response: Response): Promise<Record<string, any> | null> {
  try {
    const body: unknown = await response.json()
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? body : null
  } catch {
    // No JSON: the caller decides by the status.
    return null
  }
}

/** ms until the host takes requests again, as its headers have it; null where they do not say. */
function resetAfter(headers: Headers, nowMs: number): number | null {
  const retryAfter = headers.get('retry-after')
  if (retryAfter !== null) {
    const ms = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - nowMs
    if (!Number.isNaN(ms)) return ms
  }
  const reset = headers.get('ratelimit-reset')
  if (reset === null || !/^\d+$/.test(reset)) return null
  // Hosts of atproto state the second of the reset; the draft standard states the seconds until then.
  const seconds = Number(reset)
  return seconds > 1e9 ? seconds * 1000 - nowMs : seconds * 1000
}
