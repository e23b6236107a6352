import type { CollectionDef, ColumnDef } from '../core/collection.ts'
import type { ColumnValue } from '../core/operation.ts'
import { tidTime } from '../core/tid.ts'
import { parseDatetime } from '../core/time.ts'

/**
 * Longest text of a column, in UTF-16 code units. Longer text is cut there: a filter for a value of that length means
 * nothing, and an index page holds only so much. The record itself stays whole.
 */
export const MAX_TEXT = 1024

/** Most values of a list that are kept in its column. The record itself stays whole. */
export const MAX_VALUES = 256

const FIRST_TID_US = Date.UTC(2022, 0, 1) * 1000
const DAY_US = 24 * 60 * 60 * 1_000_000

/** One value per promoted column. What a column cannot hold is null. */
export function projectColumns(columns: readonly ColumnDef<any>[], record: unknown): ColumnValue[] {
  const values: ColumnValue[] = new Array(columns.length)
  for (let i = 0; i < columns.length; i++) values[i] = columnValue(columns[i]!, record)
  return values
}

function columnValue({ kind, read }: ColumnDef<any>, record: unknown): ColumnValue {
  let value: unknown
  try {
    value = read(record)
  } catch {
    // A record that was not held to its lexicon may lack what the path goes through; then there is no value.
    return null
  }
  switch (kind) {
    case 'text':
      return typeof value === 'string' ? columnText(value) : null
    case 'integer':
      return Number.isSafeInteger(value) ? (value as number) : null
    case 'boolean':
      return typeof value === 'boolean' ? Number(value) : null
    case 'datetime':
      return parseDatetime(value)
    case 'list':
      return Array.isArray(value) ? JSON.stringify(columnTexts(value)) : null
  }
}

function columnTexts(values: readonly unknown[]): string[] {
  const texts = new Set<string>()
  for (const value of values) {
    if (typeof value === 'string') texts.add(columnText(value))
    if (texts.size === MAX_VALUES) break
  }
  return [...texts]
}

const UNSTORABLE = /[\0\p{Surrogate}]/u

/** Databases end text at NUL or refuse it, and no UTF-8 exists for half a surrogate pair. */
function columnText(value: string): string {
  const text = value.length > MAX_TEXT ? value.slice(0, MAX_TEXT) : value
  return UNSTORABLE.test(text) ? text.replaceAll('\0', '').replace(/\p{Surrogate}/gu, '\ufffd') : text
}

/**
 * µs since 1970 that a record sorts by: its own time, else that of its key, else that of its rev, and never later than
 * `nowUs`, so that nobody stays on top by a date in the future.
 */
export function sortTime(collection: CollectionDef, record: unknown, rkey: string, rev: string, nowUs: number): number {
  const time = statedTime(collection, record) ?? keyTime(rkey, nowUs) ?? tidTime(rev) ?? nowUs
  return Math.min(time, nowUs)
}

function statedTime({ time }: CollectionDef, record: unknown): number | null {
  if (time === undefined) return null
  try {
    return parseDatetime(time(record))
  } catch {
    // As in `columnValue`: a record without the path states no time.
    return null
  }
}

/** Time of a record key that is a TID by intent: other words of 13 letters decode to times long gone or to come. */
function keyTime(rkey: string, nowUs: number): number | null {
  const time = tidTime(rkey)
  return time !== null && time >= FIRST_TID_US && time <= nowUs + DAY_US ? time : null
}
