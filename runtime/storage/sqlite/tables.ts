import type { CollectionDef } from '../../core/collection.ts'
import { LexidexError } from '../../core/errors.ts'
import type { ColumnValue } from '../../core/operation.ts'

/** What writing to a collection takes: plain data, so that it can be sent to another thread. */
export interface CollectionTable {
  readonly nsid: string
  readonly table: string
  /** Promoted columns, in table order. */
  readonly columns: readonly string[]
  /** Columns that triggers count into. */
  readonly counts: readonly string[]
  readonly discover: boolean
  /** Place of the subject's column among `columns`; -1 where there is none. */
  readonly subject: number
}

/** @throws LexidexError where the subject's column is none of the columns */
export function tableOf(collection: CollectionDef): CollectionTable {
  const { name, nsid, table, discover, subjectColumn, counts } = collection
  const columns = Object.keys(collection.columns)
  const subject = subjectColumn === undefined ? -1 : columns.indexOf(subjectColumn)
  if (subjectColumn !== undefined && subject < 0) {
    throw new LexidexError(`${name} has no column ${subjectColumn} for its subject`, {
      hint: 'Generate again: the emitted files do not belong together.',
    })
  }
  return { nsid, table, columns, counts: Object.values(counts), discover, subject }
}

/** The DID in a subject's column, which holds a DID or an at-uri; null where there is none. */
export function accountOf(subject: ColumnValue): string | null {
  if (typeof subject !== 'string') return null
  if (!subject.startsWith('at://')) return subject
  const end = subject.indexOf('/', 5)
  return end < 0 ? subject.slice(5) : subject.slice(5, end)
}
