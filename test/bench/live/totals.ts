import type { DatabaseSync } from 'node:sqlite'
import { COMMON_WORD } from '../calendar.ts'

/** What two indexes of the same log must agree on. */
export type Totals = Readonly<Record<string, number>>

export function readTotals(db: DatabaseSync): Totals {
  const row = db
    .prepare(
      `SELECT
        (SELECT count(*) FROM event) AS events,
        (SELECT count(*) FROM rsvp) AS rsvps,
        (SELECT count(*) FROM lexidex_tombstone) AS tombstones,
        (SELECT sum(rsvps_count) FROM event) AS counted,
        (SELECT sum(rsvps_going_count) FROM event) AS counted_going,
        (SELECT sum(rsvps_interested_count) FROM event) AS counted_interested,
        (SELECT count(*) FROM rsvp WHERE subject_uri IN (SELECT uri FROM event)) AS recounted,
        (SELECT count(*) FROM event_search WHERE event_search MATCH ?) AS found`,
    )
    .get(COMMON_WORD)
  return { ...row } as Totals
}
