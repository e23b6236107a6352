import { identifier } from '../../model/names.ts'
import type { SearchPlan, TablePlan } from '../../plan/types.ts'
import type { Statement } from '../dialect.ts'
import { jsonPath, name } from './quote.ts'
import { rowTrigger, statementTrigger } from './triggers.ts'

/**
 * The words of a table, beside it, so that its counts change without them; and the triggers that keep them.
 * An update that leaves the record alone does not touch them.
 */
export function searchTable(table: TablePlan): Statement[] {
  const { search } = table
  if (search === null) return []
  const words = name(wordsFunction(search))
  return [
    {
      comment: `Words of ${table.name}: ${search.columns.map((column) => column.segments.join('.')).join(', ')}`,
      sql: `CREATE TABLE ${name(search.table)} (\n  id bigint PRIMARY KEY,\n  words tsvector NOT NULL\n)`,
    },
    { sql: `CREATE INDEX ${name(identifier(search.table, 'by_words'))} ON ${name(search.table)} USING gin (words)` },
    { sql: wordsOf(search) },
    ...statementTrigger(identifier(search.table, 'insert'), 'INSERT', table.name, [
      `  INSERT INTO ${name(search.table)} (id, words) SELECT id, ${words}(record) FROM new_rows;`,
    ]),
    ...statementTrigger(identifier(search.table, 'delete'), 'DELETE', table.name, [
      `  DELETE FROM ${name(search.table)} WHERE id IN (SELECT id FROM old_rows);`,
    ]),
    ...rowTrigger(
      identifier(search.table, 'update'),
      `UPDATE OF record ON ${name(table.name)}`,
      'OLD.record <> NEW.record',
      [`  UPDATE ${name(search.table)} SET words = ${words}(NEW.record) WHERE id = NEW.id;`],
    ),
  ]
}

/** Name of the function that makes the words of a record. */
export function wordsFunction(search: SearchPlan): string {
  return identifier(search.table, 'words')
}

function wordsOf(search: SearchPlan): string {
  // No phrase reaches from one field into the next: between them stands what is no word.
  const texts = search.columns.map(({ segments }) => `lexidex_words(json #>> ${jsonPath(segments)})`)
  return `CREATE FUNCTION ${name(wordsFunction(search))}(record text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT ${texts.join(` || '$:1'\n    || `)}
  FROM lexidex_json(record) AS json
$$`
}
