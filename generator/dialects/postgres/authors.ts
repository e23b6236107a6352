import { identifier } from '../../model/names.ts'
import type { SchemaPlan } from '../../plan/types.ts'
import type { Statement } from '../dialect.ts'
import { literal, name } from './quote.ts'
import { bulkLoadTrigger, type Event, statementTrigger } from './triggers.ts'

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
      ...step(table, 'INSERT', [UP]),
      ...step(table, 'DELETE', [DOWN]),
      ...step(table, 'UPDATE', [UP, DOWN]),
    ]),
    ...bulkLoadTrigger('lexidex_author_rebuild', [
      '  DELETE FROM lexidex_author;',
      ...tables.flatMap((table) => [
        '  INSERT INTO lexidex_author (name, did, records)',
        `  SELECT ${literal(table)}, did, count(*) FROM ${name(table)} WHERE hidden = 0 GROUP BY did;`,
      ]),
    ]),
  ]
}

const UP = 'SELECT did, 1 AS n FROM new_rows WHERE hidden = 0'
const DOWN = 'SELECT did, -1 AS n FROM old_rows WHERE hidden = 0'

/** @param rows selects of DIDs with what each counts, `n`; the same number of ups and downs is no change */
function step(table: string, event: Event, rows: readonly string[]): Statement[] {
  const changes = `    ${rows.join('\n    UNION ALL\n    ')}\n  ) AS written GROUP BY did HAVING sum(n) <> 0`
  return statementTrigger(identifier('lexidex_author', table, event.toLowerCase()), event, table, [
    // Whoever has the account's lock has its numbers: no other writer changes them meanwhile.
    '  PERFORM lexidex_lock(ARRAY(SELECT did FROM (',
    `${changes}));`,
    '  INSERT INTO lexidex_author (name, did, records)',
    `  SELECT ${literal(table)}, did, sum(n) FROM (`,
    changes,
    '  ON CONFLICT (name, did) DO UPDATE SET records = lexidex_author.records + excluded.records;',
    ...(event === 'INSERT'
      ? []
      : [
          '  DELETE FROM lexidex_author',
          `  WHERE name = ${literal(table)} AND records = 0 AND did IN (SELECT did FROM old_rows);`,
        ]),
  ])
}
