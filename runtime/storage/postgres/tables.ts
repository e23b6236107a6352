import type { CollectionDef, ColumnKind } from '../../core/collection.ts'
import { LexidexError } from '../../core/errors.ts'

/** What writing to a collection takes. */
export interface CollectionTable {
  readonly nsid: string
  readonly table: string
  /** Table of its words, where it is searched. */
  readonly search: string | undefined
  /** Promoted columns, in table order. */
  readonly columns: readonly { readonly name: string; readonly kind: ColumnKind }[]
  /** Whether triggers count into its rows. */
  readonly isCounted: boolean
  readonly discover: boolean
  /** Columns that are unique together, and what rows are found by: a table that is cut by author needs the author too. */
  readonly key: readonly ['uri'] | readonly ['uri', 'did']
  /** Place of the subject's column among `columns`; -1 where there is none. */
  readonly subject: number
  /** Places of the columns that point at parents which count. */
  readonly pointers: readonly number[]
}

/**
 * @param partitioned names of the tables that are cut by author
 * @throws LexidexError where the subject's column is none of the columns
 */
export function tablesOf(
  collections: readonly CollectionDef[],
  partitioned: { has(table: string): boolean },
): CollectionTable[] {
  const relations = collections.flatMap((parent) => Object.values(parent.relations))
  return collections.map(
    ({ name, nsid, table, searchTable: search, counts, discover, subjectColumn, columns: defs }) => {
      const columns = Object.entries(defs).map(([column, { kind }]) => ({ name: column, kind }))
      const place = (column: string) => columns.findIndex((one) => one.name === column)
      const subject = subjectColumn === undefined ? -1 : place(subjectColumn)
      if (subjectColumn !== undefined && subject < 0) {
        throw new LexidexError(`${name} has no column ${subjectColumn} for its subject`, {
          hint: 'Generate again: the emitted files do not belong together.',
        })
      }
      const pointers = new Set(
        relations.filter(({ collection }) => collection === name).map(({ column }) => place(column)),
      )
      return {
        ...{ nsid, table, search, columns, discover, subject },
        isCounted: Object.keys(counts).length > 0,
        pointers: [...pointers].filter((at) => at >= 0),
        key: partitioned.has(table) ? ['uri', 'did'] : ['uri'],
      }
    },
  )
}

/** The DID in a column that holds a DID or an at-uri; null where there is none. */
export function accountOf(pointer: string | number | null): string | null {
  if (typeof pointer !== 'string') return null
  if (!pointer.startsWith('at://')) return pointer
  const end = pointer.indexOf('/', 5)
  return end < 0 ? pointer.slice(5) : pointer.slice(5, end)
}
