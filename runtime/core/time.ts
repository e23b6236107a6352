// Beyond these a µs count is no longer exact in a double. The years 1696 and 2243.
const MIN_US = -8.64e15
const MAX_US = 8.64e15

const DATETIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.(\d+))?(?:Z|[+-]\d{2}:\d{2})$/

/**
 * µs since 1970 of an ISO 8601 datetime with a time zone; null where `value` is none.
 * Digits after the sixth decimal are cut; years outside 1696 to 2243 are clamped,
 * so that every value is an exact integer.
 *
 * @see https://atproto.com/specs/lexicon#datetime
 */
export function parseDatetime(value: unknown): number | null {
  if (typeof value !== 'string') return null
  const match = DATETIME.exec(value)
  if (match === null) return null
  const ms = Date.parse(value)
  if (Number.isNaN(ms)) return null
  const belowMs = match[1] === undefined ? 0 : Number(match[1].slice(3, 6).padEnd(3, '0'))
  return Math.min(MAX_US, Math.max(MIN_US, ms * 1000 + belowMs))
}

/** The time now, in ms and in µs since 1970. Tests replace it. */
export interface Clock {
  now(): number
  nowUs(): number
}

export const systemClock: Clock = {
  now: () => Date.now(),
  nowUs: () => Date.now() * 1000,
}
