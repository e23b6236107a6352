import { LexidexError } from '../../runtime/core/errors.ts'

/** Minutes, hours, days of the month, months, days of the week: the least and the largest value of each. */
const FIELDS = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 7],
] as const

/**
 * Whether a minute is one at which a cron trigger fires. Five fields of numbers, `*`, ranges, lists and steps; in UTC, as
 * Cloudflare takes them.
 */
export type CronMatch = (time: Date) => boolean

/** @throws LexidexError where the expression is none */
export function readCron(expression: string): CronMatch {
  const texts = expression.trim().split(/\s+/)
  const fields = texts.length === FIELDS.length ? FIELDS.map((bounds, i) => readField(texts[i]!, bounds)) : [null]
  if (fields.includes(null)) {
    throw new LexidexError(`Not a cron expression: ${expression}`, {
      hint: 'It has five fields of numbers: minute, hour, day, month, day of the week, such as `*/5 * * * *`.',
    })
  }
  const [minutes, hours, days, months, weekdays] = fields as ReadonlySet<number>[]
  const [isAnyDay, isAnyWeekday] = [texts[2] === '*', texts[4] === '*']
  return (time) => {
    const isDay = days!.has(time.getUTCDate())
    const weekday = time.getUTCDay()
    const isWeekday = weekdays!.has(weekday) || (weekday === 0 && weekdays!.has(7))
    return (
      minutes!.has(time.getUTCMinutes()) &&
      hours!.has(time.getUTCHours()) &&
      months!.has(time.getUTCMonth() + 1) &&
      // Where both are stated, either will do.
      (isAnyDay || isAnyWeekday ? isDay && isWeekday : isDay || isWeekday)
    )
  }
}

function readField(text: string, [least, largest]: readonly [number, number]): ReadonlySet<number> | null {
  const values = new Set<number>()
  for (const part of text.split(',')) {
    const match = /^(?:\*|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(part)
    if (match === null) return null
    const [, first, last, step] = match
    const from = first === undefined ? least : Number(first)
    // `5/15` goes on from 5, `5` alone does not.
    const to = last !== undefined ? Number(last) : first === undefined || step !== undefined ? largest : from
    const by = step === undefined ? 1 : Number(step)
    if (from < least || to > largest || from > to || by === 0) return null
    for (let value = from; value <= to; value += by) values.add(value)
  }
  return values
}
