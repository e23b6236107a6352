import { XrpcClientError } from './error.ts'

/** A service that asks for a longer wait than this gets none: the caller learns at once. In ms. */
const LONGEST_WAIT = 30_000

/** Upper end of the first wait where the service states none. In ms. */
const FIRST_WAIT = 250

/**
 * How long to wait before a request is sent again, in ms; null where it must not be sent again.
 *
 * Only for requests that change nothing: after a network error, nobody knows whether the request
 * arrived.
 *
 * @param attempt how many retries there were before
 * @param now ms since 1970
 */
export function retryDelay(error: unknown, attempt: number, now: number): number | null {
  if (!(error instanceof XrpcClientError)) return null
  if (error.status !== 429 && error.status !== 503 && error.error !== 'NetworkError') return null
  const asked = delayAsked(error.headers, now)
  if (asked !== null) return asked <= LONGEST_WAIT ? asked : null
  const most = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** attempt)
  // Clients that failed together must not come back together.
  return most / 2 + (Math.random() * most) / 2
}

/** The wait that the headers of a response ask for, in ms; null where they do not say. */
export function delayAsked(headers: Headers, now: number): number | null {
  const after = headers.get('retry-after')?.trim()
  if (after) {
    const ms = /^\d+$/.test(after) ? Number(after) * 1000 : Date.parse(after) - now
    if (!Number.isNaN(ms)) return Math.max(0, ms)
  }
  const reset = headers.get('ratelimit-reset')?.trim()
  if (reset && /^\d+$/.test(reset)) {
    const seconds = Number(reset)
    // PDSs state the time in seconds since 1970; the draft standard, seconds from now.
    return Math.max(0, seconds > 1e9 ? seconds * 1000 - now : seconds * 1000)
  }
  return null
}

/** Waits for `ms`, or throws the signal's reason as soon as it is aborted. */
export function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }, ms)
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort, { once: true })
  })
}
