import { identifier } from '../../model/names.ts'
import type { SchemaPlan } from '../../plan/types.ts'
import type { Statement } from '../dialect.ts'
import { literal, name } from './quote.ts'
import { bulkLoadTrigger } from './triggers.ts'

/** What answers by handle depend on. */
const ACCOUNT = 'lexidex_account'

/**
 * Numbers that change with every write to a table, whoever writes: answers are kept for as long as their sum stays. Each
 * connection counts in a slot of its own, so that none waits for the transaction of another. A bulk load does without
 * these triggers; while its mark is there, nobody goes by the numbers.
 */
export function versions(plan: SchemaPlan): Statement[] {
  const tables = plan.tables.map((table) => table.name)
  return [
    {
      comment: 'Numbers that change with what is in each table, so that answers may be kept until then; one per writer',
      sql: `CREATE TABLE lexidex_version (
  name text COLLATE "C" NOT NULL,
  slot integer NOT NULL DEFAULT 0,
  version bigint NOT NULL,
  PRIMARY KEY (name, slot)
)`,
    },
    {
      sql: `INSERT INTO lexidex_version (name, version) VALUES\n${[ACCOUNT, ...tables].map((table) => `  (${literal(table)}, 1)`).join(',\n')}`,
    },
    {
      sql: `CREATE FUNCTION lexidex_count_write(written text) RETURNS void LANGUAGE sql AS $$
  INSERT INTO lexidex_version (name, slot, version) VALUES (written, 1 + pg_backend_pid() % 1024, 1)
  ON CONFLICT (name, slot) DO UPDATE SET version = lexidex_version.version + 1
$$`,
    },
    ...['new_rows', 'old_rows'].map((rows) => ({
      sql: `CREATE FUNCTION lexidex_version_${rows}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM ${rows}) THEN PERFORM lexidex_count_write(TG_TABLE_NAME::text); END IF;
  RETURN NULL;
END $$`,
    })),
    {
      sql: `CREATE FUNCTION lexidex_version_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM lexidex_count_write(TG_TABLE_NAME::text);
  RETURN NULL;
END $$`,
    },
    { sql: accountTrigger('insert', 'INSERT', 'NEW.handle IS NOT NULL') },
    {
      sql: accountTrigger(
        'update',
        'UPDATE OF handle, hidden',
        'OLD.handle IS DISTINCT FROM NEW.handle OR OLD.hidden <> NEW.hidden',
      ),
    },
    { sql: accountTrigger('delete', 'DELETE', 'OLD.handle IS NOT NULL') },
    ...bulkLoadTrigger('lexidex_version_rebuild', [
      '  UPDATE lexidex_version SET version = version + 1 WHERE slot = 0;',
    ]),
    ...tables.flatMap((table) => [
      { sql: tableTrigger(table, 'INSERT', 'new_rows', 'NEW') },
      { sql: tableTrigger(table, 'UPDATE', 'new_rows', 'NEW') },
      { sql: tableTrigger(table, 'DELETE', 'old_rows', 'OLD') },
    ]),
  ]
}

function accountTrigger(event: string, on: string, when: string): string {
  return `CREATE TRIGGER lexidex_version_${event} AFTER ${on} ON ${ACCOUNT}
FOR EACH ROW WHEN (${when})
  EXECUTE FUNCTION lexidex_version_row()`
}

function tableTrigger(table: string, event: string, rows: string, which: 'NEW' | 'OLD'): string {
  return `CREATE TRIGGER ${name(identifier('lexidex_version', event.toLowerCase()))} AFTER ${event} ON ${name(table)}
REFERENCING ${which} TABLE AS ${rows} FOR EACH STATEMENT EXECUTE FUNCTION lexidex_version_${rows}()`
}
