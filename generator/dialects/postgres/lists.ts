import { identifier } from '../../model/names.ts'
import type { ListPlan, TablePlan } from '../../plan/types.ts'
import type { Statement } from '../dialect.ts'
import { name } from './quote.ts'
import { rowTrigger, statementTrigger } from './triggers.ts'

/** The values of the lists of a table, and the triggers that keep them: what an index is for a column of one value. */
export function listTables(table: TablePlan): Statement[] {
  return table.lists.flatMap((list) => listTable(table, list))
}

function listTable(table: TablePlan, list: ListPlan): Statement[] {
  const values = name(list.table)
  const column = name(list.column)
  return [
    {
      comment: `Each value of ${table.name}.${list.column}, for ${list.serves.join(', ')}`,
      sql: `CREATE TABLE ${values} (
  value text COLLATE "C" NOT NULL,
  sort_at bigint NOT NULL,
  uri text COLLATE "C" NOT NULL,
  id bigint NOT NULL,
  PRIMARY KEY (value, sort_at, uri)
)`,
    },
    ...statementTrigger(identifier(list.table, 'insert'), 'INSERT', table.name, [
      insertOf(list, 'new_rows', `new_rows, ${elements(list, 'new_rows')}`),
    ]),
    ...statementTrigger(identifier(list.table, 'delete'), 'DELETE', table.name, [
      deleteOf(list, 'old_rows', `old_rows, ${elements(list, 'old_rows')}`),
    ]),
    ...rowTrigger(
      identifier(list.table, 'update'),
      `UPDATE OF ${column}, sort_at ON ${name(table.name)}`,
      `OLD.${column} IS DISTINCT FROM NEW.${column} OR OLD.sort_at <> NEW.sort_at`,
      [deleteOf(list, 'OLD', elements(list, 'OLD')), insertOf(list, 'NEW', elements(list, 'NEW'))],
    ),
  ]
}

/** Makes the values of a list anew. */
export function rebuildList(table: TablePlan, list: ListPlan): string[] {
  const rows = name(table.name)
  return [`  DELETE FROM ${name(list.table)};`, insertOf(list, rows, `${rows}, ${elements(list, rows)}`)]
}

function insertOf(list: ListPlan, row: string, from: string): string {
  return [
    `  INSERT INTO ${name(list.table)} (value, sort_at, uri, id)`,
    `  SELECT DISTINCT list.value, ${row}.sort_at, ${row}.uri, ${row}.id`,
    `  FROM ${from};`,
  ].join('\n')
}

function deleteOf(list: ListPlan, row: string, from: string): string {
  return [
    `  DELETE FROM ${name(list.table)} AS gone USING ${from}`,
    `  WHERE gone.value = list.value AND gone.sort_at = ${row}.sort_at AND gone.uri = ${row}.uri;`,
  ].join('\n')
}

/** One row per value; none where there is no list. */
function elements(list: ListPlan, row: string): string {
  return `json_array_elements_text(${row}.${name(list.column)}::json) AS list (value)`
}
