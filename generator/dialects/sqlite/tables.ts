import type { ColumnType, TablePlan } from '../../plan/types.ts'
import type { Statement } from '../dialect.ts'
import { name } from './quote.ts'

const TYPES: Readonly<Record<ColumnType, string>> = {
  text: 'TEXT',
  integer: 'INTEGER',
  boolean: 'INTEGER',
  datetime: 'INTEGER',
}

/** The table of a collection, and its indexes. */
export function createTable(table: TablePlan): Statement[] {
  const columns = [
    'id INTEGER PRIMARY KEY',
    'uri TEXT NOT NULL UNIQUE',
    'did TEXT NOT NULL',
    'rkey TEXT NOT NULL',
    'cid TEXT NOT NULL',
    'rev TEXT NOT NULL',
    'indexed_at INTEGER NOT NULL',
    'sort_at INTEGER NOT NULL',
    'hidden INTEGER NOT NULL DEFAULT 0',
    ...table.columns.map((column) => `${name(column.name)} ${TYPES[column.type]}`),
    ...table.counts.map((column) => `${name(column)} INTEGER NOT NULL DEFAULT 0`),
    // Last, so that reading a column before it never walks the pages that a long record overflows to.
    'record TEXT NOT NULL',
  ]
  return [
    { comment: table.nsid, sql: `CREATE TABLE ${name(table.name)} (\n  ${columns.join(',\n  ')}\n) STRICT` },
    ...table.indexes.map((index) => ({
      comment: `For ${index.serves.join(', ')}`,
      sql: `CREATE INDEX ${name(index.name)} ON ${name(table.name)} (${index.columns.map(name).join(', ')})`,
    })),
  ]
}
