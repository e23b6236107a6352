import type pg from 'pg'
import { COMMON_WORD } from '../calendar.ts'

/** What two indexes of the same log must agree on. */
export type Totals = Readonly<Record<string, number>>

export async function readTotals(db: pg.Client): Promise<Totals> {
  const { rows } = await db.query(
    `SELECT
      (SELECT count(*) FROM event)::integer AS events,
      (SELECT count(*) FROM rsvp)::integer AS rsvps,
      (SELECT count(*) FROM lexidex_tombstone)::integer AS tombstones,
      (SELECT sum(rsvps_count) FROM event)::integer AS counted,
      (SELECT sum(rsvps_going_count) FROM event)::integer AS counted_going,
      (SELECT count(*) FROM rsvp WHERE subject_uri IN (SELECT uri FROM event))::integer AS recounted,
      (SELECT count(*) FROM event_search WHERE words @@ $1::tsquery)::integer AS found`,
    [`'${COMMON_WORD}'`],
  )
  return rows[0]
}
