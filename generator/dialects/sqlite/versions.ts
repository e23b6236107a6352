import { identifier } from '../../model/names.ts'
import type { SchemaPlan } from '../../plan/types.ts'
import type { Statement } from '../dialect.ts'
import { literal, name } from './quote.ts'
import { bulkLoadTrigger } from './triggers.ts'

/** What answers by handle depend on. */
const ACCOUNT = 'lexidex_account'

/**
 * A number per table that changes with every write to it, whoever writes: answers are kept for as long as it stays. A
 * bulk load does without these triggers; while its mark is there, nobody goes by the numbers.
 */
export function versions(plan: SchemaPlan): Statement[] {
  const names = [ACCOUNT, ...plan.tables.map((table) => table.name)]
  return [
    {
      comment: 'Numbers that change with what is in each table, so that answers may be kept until then',
      sql: `CREATE TABLE lexidex_version (
  name TEXT NOT NULL,
  slot INTEGER NOT NULL DEFAULT 0,
  version INTEGER NOT NULL,
  PRIMARY KEY (name, slot)
) STRICT, WITHOUT ROWID`,
    },
    {
      sql: `INSERT INTO lexidex_version (name, version) VALUES\n${names.map((table) => `  (${literal(table)}, 1)`).join(',\n')}`,
    },
    { sql: trigger(ACCOUNT, 'insert', `INSERT ON ${ACCOUNT}\nWHEN NEW.handle IS NOT NULL`) },
    {
      sql: trigger(
        ACCOUNT,
        'update',
        `UPDATE OF handle, hidden ON ${ACCOUNT}\nWHEN OLD.handle IS NOT NEW.handle OR OLD.hidden <> NEW.hidden`,
      ),
    },
    { sql: trigger(ACCOUNT, 'delete', `DELETE ON ${ACCOUNT}\nWHEN OLD.handle IS NOT NULL`) },
    {
      sql: bulkLoadTrigger('lexidex_version_rebuild', ['  UPDATE lexidex_version SET version = version + 1;']),
    },
    ...plan.tables.flatMap(({ name: table }) =>
      ['insert', 'update', 'delete'].map((event) => ({
        sql: trigger(table, event, `${event.toUpperCase()} ON ${name(table)}`),
      })),
    ),
  ]
}

function trigger(table: string, event: string, on: string): string {
  return [
    `CREATE TRIGGER ${name(identifier('lexidex_version', table, event))} AFTER ${on}`,
    'BEGIN',
    `  UPDATE lexidex_version SET version = version + 1 WHERE name = ${literal(table)};`,
    'END',
  ].join('\n')
}
