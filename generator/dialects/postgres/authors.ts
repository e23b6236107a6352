import { identifier } from '../../model/names.ts'
import type { SchemaPlan } from '../../plan/types.ts'
import type { Statement } from '../dialect.ts'
import { literal, name } from './quote.ts'
import { type Event, statementTrigger } from './triggers.ts'

/** How many visible records each account has in each table, kept by triggers: so that accounts can be ranked. */
export function authors(plan: SchemaPlan): Statement[] {
  if (!plan.authors) return []
  const tables = plan.tables.map((table) => table.name)
  return [
    {
      comment: 'How many records each account has in each table, hidden ones left out',
      sql: `CREATE TABLE lexidex_author (
  name text COLLATE "C" NOT NULL,
  did text COLLATE "C" NOT NULL,
  records integer NOT NULL,
  PRIMARY KEY (name, did)
)`,
    },
    { sql: 'CREATE INDEX lexidex_author_rank ON lexidex_author (name, records, did)' },
    ...tables.flatMap((table) => [
      ...step(table, 'INSERT', 'SELECT did, 1 AS n FROM new_rows WHERE hidden = 0'),
      ...step(table, 'DELETE', 'SELECT did, -1 AS n FROM old_rows WHERE hidden = 0'),
      ...step(
        table,
        'UPDATE',
        'SELECT did, 1 AS n FROM new_rows WHERE hidden = 0 UNION ALL SELECT did, -1 AS n FROM old_rows WHERE hidden = 0',
      ),
    ]),
    {
      sql: [
        'CREATE FUNCTION lexidex_author_rebuild() RETURNS trigger LANGUAGE plpgsql AS $$',
        'BEGIN',
        '  DELETE FROM lexidex_author;',
        ...tables.map(
          (table) =>
            `  INSERT INTO lexidex_author (name, did, records) SELECT ${literal(table)}, did, count(*) FROM ${name(table)} WHERE hidden = 0 GROUP BY did;`,
        ),
        '  RETURN NULL;',
        'END $$',
      ].join('\n'),
    },
    {
      sql: `CREATE TRIGGER lexidex_author_rebuild AFTER DELETE ON lexidex_state
FOR EACH ROW WHEN (OLD.name = 'bulk_load') EXECUTE FUNCTION lexidex_author_rebuild()`,
    },
  ]
}

/** @param rows SQL of DIDs with what each counts, `n`; the same number of ups and downs is no change */
function step(table: string, event: Event, rows: string): Statement[] {
  return statementTrigger(identifier('lexidex_author', table, event.toLowerCase()), event, table, [
    // Whoever has the account's lock has its numbers: no other writer changes them meanwhile.
    `  PERFORM lexidex_lock(ARRAY(SELECT did FROM (${rows}) AS written GROUP BY did HAVING sum(n) <> 0));`,
    '  INSERT INTO lexidex_author (name, did, records)',
    `  SELECT ${literal(table)}, did, sum(n) FROM (${rows}) AS written GROUP BY did HAVING sum(n) <> 0`,
    '  ON CONFLICT (name, did) DO UPDATE SET records = lexidex_author.records + excluded.records;',
    ...(event === 'INSERT'
      ? []
      : [
          '  DELETE FROM lexidex_author',
          `  WHERE name = ${literal(table)} AND records = 0 AND did IN (SELECT did FROM old_rows);`,
        ]),
  ])
}
