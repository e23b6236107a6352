/** Numbers, times and names as people read them. */

const numbers = new Intl.NumberFormat()
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' })
const dates = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
const fullDates = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' })

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 365.25 * 86_400],
  ['month', 30.44 * 86_400],
  ['week', 7 * 86_400],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
]

export function number(value: number): string {
  return numbers.format(value)
}

/** `1 record`, `2 records` */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${number(n)} ${n === 1 ? one : many}`
}

/** "3 minutes ago". @param ms since 1970 */
export function ago(ms: number, now = Date.now()): string {
  const seconds = (ms - now) / 1000
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit)
  }
  return Math.abs(seconds) < 10 ? 'just now' : relative.format(Math.trunc(seconds), 'second')
}

/** A duration: "350 ms", "12 s", "4 min", "3 h". */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`
  return ms < 172_800_000 ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / 86_400_000)} days`
}

/** "3 Feb 2026, 18:00" in the reader's own zone. */
export function date(ms: number): string {
  return dates.format(ms)
}

/** With weekday and zone, for titles. */
export function fullDate(ms: number): string {
  return fullDates.format(ms)
}

export function bytes(n: number): string {
  if (n < 1000) return `${n} B`
  return n < 1_000_000 ? `${(n / 1000).toFixed(n < 10_000 ? 1 : 0)} kB` : `${(n / 1_000_000).toFixed(1)} MB`
}

/** `rsvpsGoingCount` as "rsvps going", `startsAt` as "starts at". */
export function words(name: string): string {
  return name.replace(/([a-z\d])([A-Z])/g, '$1 $2').toLowerCase()
}

/** A token's own name: `going` of `community.lexicon.calendar.rsvp#going`; other text as it is. */
export function tokenName(text: string): string {
  return /^[a-z\d-]+(?:\.[a-zA-Z\d-]+)+#([\w-]+)$/.exec(text)?.[1] ?? text
}

/** A DID that fits a line: its ends. */
export function shortDid(did: string): string {
  return did.length <= 26 ? did : `${did.slice(0, 14)}…${did.slice(-6)}`
}

/** At most `max` characters, cut at a character. */
export function clip(text: string, max: number): string {
  if (text.length <= max) return text
  return `${[...text.slice(0, max + 1)].slice(0, -1).join('').trimEnd()}…`
}
