import type { Statement } from '../dialect.ts'
import { name } from './quote.ts'

export type Event = 'INSERT' | 'DELETE' | 'UPDATE'

const ROWS: Readonly<Record<Event, string>> = {
  INSERT: 'NEW TABLE AS new_rows',
  DELETE: 'OLD TABLE AS old_rows',
  UPDATE: 'OLD TABLE AS old_rows NEW TABLE AS new_rows',
}

/**
 * A trigger that runs once per statement, over all rows that it wrote: `old_rows` and `new_rows`.
 *
 * A statement must not both insert and update (ON CONFLICT DO UPDATE, MERGE): two triggers would run then, and each
 * would find the other's rows in the table already. Batches never do.
 */
export function statementTrigger(
  title: string,
  event: Event,
  table: string,
  body: readonly string[],
  comment?: string,
): Statement[] {
  return trigger(title, `${event} ON ${name(table)}`, `REFERENCING ${ROWS[event]}\nFOR EACH STATEMENT`, body, comment)
}

/** A trigger that runs for each row that `when` holds for: only so can one name the columns that it is about. */
export function rowTrigger(
  title: string,
  event: string,
  when: string,
  body: readonly string[],
  comment?: string,
): Statement[] {
  return trigger(title, event, `FOR EACH ROW WHEN (${when})\n `, body, comment)
}

/** A trigger that runs at the end of a bulk load, when its mark is removed. */
export function bulkLoadTrigger(title: string, body: readonly string[], comment?: string): Statement[] {
  return rowTrigger(title, 'DELETE ON lexidex_state', "OLD.name = 'bulk_load'", body, comment)
}

function trigger(
  title: string,
  event: string,
  how: string,
  body: readonly string[],
  comment: string | undefined,
): Statement[] {
  const sql = `CREATE FUNCTION ${name(title)}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
${body.join('\n')}
  RETURN NULL;
END $$`
  return [
    comment === undefined ? { sql } : { comment, sql },
    { sql: `CREATE TRIGGER ${name(title)} AFTER ${event}\n${how} EXECUTE FUNCTION ${name(title)}()` },
  ]
}
