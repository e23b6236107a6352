import { identifier } from '../../model/names.ts'
import type { TablePlan } from '../../plan/types.ts'
import type { Statement } from '../dialect.ts'
import { jsonPath, name } from './quote.ts'
import { TOKENIZER } from './tokenizer.ts'

// No copy of the text; and entries for the first letters of words, without which a `prefix*` reads all words that
// begin with it.
const OPTIONS = `content = '', contentless_delete = 1, prefix = '2 3',
  tokenize = "${TOKENIZER}"`

/**
 * The full-text index of a table, and the triggers that keep it.
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
      comment: `Words of ${table.name}: ${search.columns.map((column) => column.segments.join('.')).join(', ')}.
-- They are made of letters, numbers and marks; the signs are later than the tokenizer, which would take them for letters`,
      sql: `CREATE VIRTUAL TABLE ${name(search.table)} USING fts5 (
  ${columns}, ${OPTIONS}
)`,
    },
    {
      sql: [
        `CREATE TRIGGER ${name(identifier(search.table, 'insert'))} AFTER INSERT ON ${name(table.name)}`,
        'BEGIN',
        ...insert,
        'END',
      ].join('\n'),
    },
    {
      sql: [
        `CREATE TRIGGER ${name(identifier(search.table, 'update'))} AFTER UPDATE OF record ON ${name(table.name)}`,
        `WHEN ${changed.join('\n  OR ')}`,
        'BEGIN',
        remove,
        ...insert,
        'END',
      ].join('\n'),
    },
    {
      sql: [
        `CREATE TRIGGER ${name(identifier(search.table, 'delete'))} AFTER DELETE ON ${name(table.name)}`,
        'BEGIN',
        remove,
        'END',
      ].join('\n'),
    },
  ]
}
