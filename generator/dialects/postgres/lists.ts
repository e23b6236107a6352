import { identifier } from '../../model/names.ts'
import type { ListPlan, TablePlan } from '../../plan/types.ts'
import type { Statement } from '../dialect.ts'
import { name } from './quote.ts'
import { statementTrigger } from './triggers.ts'

/** The values of the lists of a table, and the triggers that keep them: what an index is for a column of one value. */
export function listTables(table: TablePlan): Statement[] {
  return table.lists.flatMap((list) => listTable(table, list))
}

function listTable(table: TablePlan, list: ListPlan): Statement[] {
  const values = name(list.table)
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
    ...statementTrigger(identifier(list.table, 'insert'), 'INSERT', table.name, [insertOf(list, 'new_rows')]),
    ...statementTrigger(identifier(list.table, 'delete'), 'DELETE', table.name, [
      `  DELETE FROM ${values} AS gone USING old_rows, ${elements(list, 'old_rows')}`,
      '  WHERE gone.value = list.value AND gone.sort_at = old_rows.sort_at AND gone.uri = old_rows.uri;',
    ]),
    ...updateTrigger(table, list),
  ]
}

/** Makes the values of a list anew. */
export function rebuildList(table: TablePlan, list: ListPlan): string[] {
  return [`  DELETE FROM ${name(list.table)};`, insertOf(list, name(table.name))]
}

function insertOf(list: ListPlan, rows: string): string {
  return [
    `  INSERT INTO ${name(list.table)} (value, sort_at, uri, id)`,
    `  SELECT DISTINCT list.value, ${rows}.sort_at, ${rows}.uri, ${rows}.id FROM ${rows}, ${elements(list, rows)};`,
  ].join('\n')
}

/** One row per value; none where there is no list. */
function elements(list: ListPlan, row: string): string {
  return `json_array_elements_text(${row}.${name(list.column)}::json) AS list (value)`
}

/** By row: only so can a trigger name the columns that it is about. */
function updateTrigger(table: TablePlan, list: ListPlan): Statement[] {
  const trigger = name(identifier(list.table, 'update'))
  const column = name(list.column)
  return [
    {
      sql: `CREATE FUNCTION ${trigger}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM ${name(list.table)} AS gone USING ${elements(list, 'OLD')}
  WHERE gone.value = list.value AND gone.sort_at = OLD.sort_at AND gone.uri = OLD.uri;
  INSERT INTO ${name(list.table)} (value, sort_at, uri, id)
  SELECT DISTINCT list.value, NEW.sort_at, NEW.uri, NEW.id FROM ${elements(list, 'NEW')};
  RETURN NULL;
END $$`,
    },
    {
      sql: `CREATE TRIGGER ${trigger} AFTER UPDATE OF ${column}, sort_at ON ${name(table.name)}
FOR EACH ROW WHEN (OLD.${column} IS DISTINCT FROM NEW.${column} OR OLD.sort_at <> NEW.sort_at) EXECUTE FUNCTION ${trigger}()`,
    },
  ]
}
