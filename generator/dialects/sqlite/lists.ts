import { identifier } from '../../model/names.ts'
import type { ListPlan, TablePlan } from '../../plan/types.ts'
import type { Statement } from '../dialect.ts'
import { name } from './quote.ts'

/** The values of the lists of a table, and the triggers that keep them: what an index is for a column of one value. */
export function listTables(table: TablePlan): Statement[] {
  return table.lists.flatMap((list) => listTable(table, list))
}

function listTable(table: TablePlan, list: ListPlan): Statement[] {
  const values = name(list.table)
  const column = name(list.column)
  const on = name(table.name)
  const insert = `  INSERT INTO ${values} (value, sort_at, uri, id)
  SELECT DISTINCT value, NEW.sort_at, NEW.uri, NEW.id FROM json_each(NEW.${column});`
  const remove = `  DELETE FROM ${values}
  WHERE value IN (SELECT value FROM json_each(OLD.${column})) AND sort_at = OLD.sort_at AND uri = OLD.uri;`
  const trigger = (event: string, when: string, ...body: string[]) => ({
    sql: [
      `CREATE TRIGGER ${name(identifier(list.table, event.split(' ')[0]!.toLowerCase()))} AFTER ${event} ON ${on}`,
      `WHEN ${when}`,
      'BEGIN',
      ...body,
      'END',
    ].join('\n'),
  })
  return [
    {
      comment: `Each value of ${table.name}.${list.column}, for ${list.serves.join(', ')}`,
      sql: `CREATE TABLE ${values} (
  value TEXT NOT NULL,
  sort_at INTEGER NOT NULL,
  uri TEXT NOT NULL,
  id INTEGER NOT NULL,
  PRIMARY KEY (value, sort_at, uri)
) STRICT, WITHOUT ROWID`,
    },
    trigger('INSERT', `NEW.${column} IS NOT NULL`, insert),
    trigger(
      `UPDATE OF ${column}, sort_at`,
      `OLD.${column} IS NOT NEW.${column} OR OLD.sort_at <> NEW.sort_at`,
      remove,
      insert,
    ),
    trigger('DELETE', `OLD.${column} IS NOT NULL`, remove),
  ]
}

/** Makes the values of a list anew, in the order in which they are kept. */
export function rebuildList(table: TablePlan, list: ListPlan): string[] {
  const values = name(list.table)
  return [
    `  DELETE FROM ${values};`,
    `  INSERT INTO ${values} (value, sort_at, uri, id)`,
    `  SELECT DISTINCT list.value, ${name(table.name)}.sort_at, ${name(table.name)}.uri, ${name(table.name)}.id`,
    `  FROM ${name(table.name)}, json_each(${name(table.name)}.${name(list.column)}) AS list`,
    '  ORDER BY 1, 2, 3;',
  ]
}
