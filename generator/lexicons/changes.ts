import { isDeepStrictEqual } from 'node:util'
import { compareText } from '../input/order.ts'

/** One difference between two documents. */
export interface Change {
  readonly sign: '+' | '-' | '~'
  /** Keys, with `.` between them: `defs.main.record.properties.name`. */
  readonly path: string
  /** What is there now, was there, or both, as JSON. */
  readonly text: string
}

const LONGEST = 80

/** What differs from `before` to `after`, in the order of the keys. Of a list of names, its names. */
export function changesBetween(before: unknown, after: unknown, path = ''): Change[] {
  if (isDeepStrictEqual(before, after)) return []
  if (isNames(before) && isNames(after)) return changesOfNames(before, after, path)
  if (!isObject(before) || !isObject(after)) return [{ sign: '~', path, text: `${shown(before)} → ${shown(after)}` }]
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort(compareText)
  return keys.flatMap((key): Change[] => {
    const at = path === '' ? key : `${path}.${key}`
    if (!(key in before)) return [{ sign: '+', path: at, text: shown(after[key]) }]
    if (!(key in after)) return [{ sign: '-', path: at, text: shown(before[key]) }]
    return changesBetween(before[key], after[key], at)
  })
}

function changesOfNames(before: readonly string[], after: readonly string[], path: string): Change[] {
  const gone = before.filter((name) => !after.includes(name))
  const come = after.filter((name) => !before.includes(name))
  if (gone.length + come.length === 0) return [{ sign: '~', path, text: 'in another order' }]
  return [
    ...gone.map((name) => ({ sign: '-' as const, path, text: shown(name) })),
    ...come.map((name) => ({ sign: '+' as const, path, text: shown(name) })),
  ]
}

function shown(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
