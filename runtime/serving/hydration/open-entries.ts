import type { Row } from '../shared/splice.ts'

// As `ReadDialect.childParts` separates them.
const WITHIN = '\u001f'
const BETWEEN = '\u001e'

/** A record as JSON without the brace at its end, and the columns that were asked for with it. */
export interface OpenEntry {
  readonly row: Row
  readonly json: string
}

/** Entries of one list, in its order. */
export function readEntries(list: string, columns: readonly string[]): readonly OpenEntry[] {
  return list.split(BETWEEN).map((text) => readEntry(text, columns))
}

/** @param columns As the statement was made with; at least one */
export function readEntry(text: string, columns: readonly string[]): OpenEntry {
  const at = text.indexOf(WITHIN)
  const values = JSON.parse(text.slice(0, at))
  const row: Record<string, unknown> = {}
  for (let i = 0; i < columns.length; i++) row[columns[i]!] = values[i]
  return { row, json: text.slice(at + 1) }
}
