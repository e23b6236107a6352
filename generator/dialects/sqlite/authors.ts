import { identifier } from '../../model/names.ts'
import type { SchemaPlan } from '../../plan/types.ts'
import type { Statement } from '../dialect.ts'
import { literal, name } from './quote.ts'
import { bulkLoadTrigger } from './triggers.ts'

/** How many visible records each account has in each table, kept by triggers: so that accounts can be ranked. */
export function authors(plan: SchemaPlan): Statement[] {
  if (!plan.authors) return []
  const tables = plan.tables.map((table) => table.name)
  return [
    {
      comment: 'How many records each account has in each table, hidden ones left out',
      sql: `CREATE TABLE lexidex_author (
  name TEXT NOT NULL,
  did TEXT NOT NULL,
  records INTEGER NOT NULL,
  PRIMARY KEY (name, did)
) STRICT, WITHOUT ROWID`,
    },
    { sql: 'CREATE INDEX lexidex_author_rank ON lexidex_author (name, records, did)' },
    ...tables.flatMap((table) => [
      { sql: trigger(table, 'insert', 'INSERT', 'NEW.hidden = 0', [add(table)]) },
      { sql: trigger(table, 'delete', 'DELETE', 'OLD.hidden = 0', remove(table)) },
      { sql: trigger(table, 'hide', 'UPDATE OF hidden', 'OLD.hidden = 0 AND NEW.hidden = 1', remove(table)) },
      { sql: trigger(table, 'show', 'UPDATE OF hidden', 'OLD.hidden = 1 AND NEW.hidden = 0', [add(table)]) },
    ]),
    {
      sql: bulkLoadTrigger('lexidex_author_rebuild', [
        '  DELETE FROM lexidex_author;',
        ...tables.flatMap((table) => [
          '  INSERT INTO lexidex_author (name, did, records)',
          `  SELECT ${literal(table)}, did, count(*) FROM ${name(table)} WHERE hidden = 0 GROUP BY did;`,
        ]),
      ]),
    },
  ]
}

function trigger(table: string, event: string, on: string, when: string, body: readonly string[]): string {
  return [
    `CREATE TRIGGER ${name(identifier('lexidex_author', table, event))} AFTER ${on} ON ${name(table)}`,
    `WHEN ${when}`,
    'BEGIN',
    ...body.map((statement) => `  ${statement};`),
    'END',
  ].join('\n')
}

function add(table: string): string {
  return `INSERT INTO lexidex_author (name, did, records) VALUES (${literal(table)}, NEW.did, 1)
  ON CONFLICT (name, did) DO UPDATE SET records = records + 1`
}

function remove(table: string): string[] {
  const row = `name = ${literal(table)} AND did = OLD.did`
  return [
    `UPDATE lexidex_author SET records = records - 1 WHERE ${row}`,
    `DELETE FROM lexidex_author WHERE ${row} AND records = 0`,
  ]
}
