const ALPHABET = '234567abcdefghijklmnopqrstuvwxyz'
const DIGITS = new Map([...ALPHABET].map((char, value) => [char, value]))
const TID = /^[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}$/

/**
 * Whether `value` is a TID: 13 characters of sortable base 32.
 *
 * @see https://atproto.com/specs/tid
 */
export function isTid(value: string): boolean {
  return TID.test(value)
}

/** The time that a TID carries, in µs since 1970; null where `tid` is none. */
export function tidTime(tid: string): number | null {
  if (!isTid(tid)) return null
  let time = 0
  // The first 11 characters are the time, the last two the clock id.
  for (let i = 0; i < 11; i++) time = time * 32 + DIGITS.get(tid[i]!)!
  return Number.isSafeInteger(time) ? time : null
}

/** The TID of a time in µs since 1970, for clock id `clock` (0 to 1023). */
export function makeTid(timeUs: number, clock = 0): string {
  let tid = ''
  for (let i = 0, rest = timeUs; i < 11; i++) {
    tid = ALPHABET[rest % 32] + tid
    rest = Math.floor(rest / 32)
  }
  return tid + ALPHABET[clock >> 5] + ALPHABET[clock & 31]
}
