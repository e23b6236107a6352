import type { ColumnValue } from '../../core/operation.ts'

export type Row = readonly ColumnValue[]

/**
 * Longest JSON array that one statement binds, in UTF-16 code units. D1 takes values of 2 MB, in which a unit has up to
 * three bytes.
 */
const MAX_ARRAY = 600_000

/** Most bytes of a row: D1 takes 2 MB, and the row's other columns and its overhead need some of it. */
const MAX_ROW_BYTES = 1_950_000

/** Rows as JSON arrays of them, as few as there may be. A row that is too long for one of them stands alone. */
export function* arraysOf(rows: readonly Row[]): Generator<{ readonly json: string; readonly rows: readonly Row[] }> {
  let texts: string[] = []
  let from = 0
  let length = 0
  for (const [i, row] of rows.entries()) {
    const text = JSON.stringify(row)
    if (length > 0 && length + text.length > MAX_ARRAY) {
      yield { json: `[${texts.join()}]`, rows: rows.slice(from, i) }
      texts = []
      from = i
      length = 0
    }
    texts.push(text)
    length += text.length
  }
  if (texts.length > 0) yield { json: `[${texts.join()}]`, rows: rows.slice(from) }
}

/** Whether a value of the array may be too long for D1 to bind it. */
export function isLong(json: string): boolean {
  return json.length > MAX_ARRAY
}

/** Whether D1 can hold a row of these values. */
export function fits(values: Row): boolean {
  let units = 0
  for (const value of values) if (typeof value === 'string') units += value.length
  if (units * 3 <= MAX_ROW_BYTES) return true
  let bytes = 0
  for (const value of values) if (typeof value === 'string') bytes += new TextEncoder().encode(value).length
  return bytes <= MAX_ROW_BYTES
}

/** As databases keep a text: half of a surrogate pair is no character. */
export function wellFormed(value: ColumnValue): ColumnValue {
  return typeof value === 'string' ? value.toWellFormed() : value
}
