import type { TablePlan } from '../../plan/types.ts'
import type { Statement } from '../dialect.ts'
import { jsonPath, name } from './quote.ts'

/**
 * The full-text index of a table, which holds words only and no copy of the text, and the triggers that keep it.
 * An update that leaves the searched text alone does not touch it.
 */
export function searchTable(table: TablePlan): Statement[] {
  const { search } = table
  if (search === null) return []
  const columns = search.columns.map((column) => name(column.name)).join(', ')
  const text = (row: 'OLD' | 'NEW') => search.columns.map(({ segments }) => `${row}.record ->> ${jsonPath(segments)}`)
  const insert = [
    `  INSERT INTO ${name(search.table)} (rowid, ${columns})`,
    `  VALUES (NEW.id, ${text('NEW').join(', ')});`,
  ]
  const remove = `  DELETE FROM ${name(search.table)} WHERE rowid = OLD.id;`
  const old = text('OLD')
  const changed = text('NEW').map((value, i) => `(${old[i]}) IS NOT (${value})`)
  return [
    {
      comment: `Words of ${table.name}: ${search.columns.map((column) => column.segments.join('.')).join(', ')}`,
      sql: `CREATE VIRTUAL TABLE ${name(search.table)} USING fts5 (${columns}, content = '', contentless_delete = 1)`,
    },
    {
      sql: [
        `CREATE TRIGGER ${name(`${search.table}_insert`)} AFTER INSERT ON ${name(table.name)}`,
        'BEGIN',
        ...insert,
        'END',
      ].join('\n'),
    },
    {
      sql: [
        `CREATE TRIGGER ${name(`${search.table}_update`)} AFTER UPDATE OF record ON ${name(table.name)}`,
        `WHEN ${changed.join('\n  OR ')}`,
        'BEGIN',
        remove,
        ...insert,
        'END',
      ].join('\n'),
    },
    {
      sql: [
        `CREATE TRIGGER ${name(`${search.table}_delete`)} AFTER DELETE ON ${name(table.name)}`,
        'BEGIN',
        remove,
        'END',
      ].join('\n'),
    },
  ]
}
