export interface Backoff {
  /** ms to wait before the next try: half to all of a time that doubles with every call. */
  next(): number
  reset(): void
}

/** Waits that grow from `firstMs` (default 1000) to `longestMs` (default 30 000), with jitter so that clients spread. */
export function createBackoff(firstMs = 1000, longestMs = 30_000): Backoff {
  let failures = 0
  return {
    next() {
      const ms = Math.min(longestMs, firstMs * 2 ** failures++)
      return ms * (0.5 + Math.random() / 2)
    },
    reset() {
      failures = 0
    },
  }
}

/** Resolves after `ms`, or at once when the signal aborts. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done, { once: true })
  })
}
