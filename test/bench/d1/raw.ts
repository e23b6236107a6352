/** The ceiling: statements by hand, rows that are ready, nothing else. */
import { EVENT, RSVP } from '../../../fixtures/network/content.ts'
import type { CommitFrame } from '../../../fixtures/network/frames.ts'
import type { D1Binding, D1Statement } from '../../../runtime/storage/d1/index.ts'
import * as bare from '../reads/bare-sql.ts'

const at = (n: number) => `item.value ->> ${n}`
const COLUMNS = 'uri, did, rkey, cid, rev, indexed_at, sort_at'

function putSql(table: string, own: readonly [string, string]): string {
  return `INSERT INTO ${table} (${COLUMNS}, ${own.join(', ')}, record)
SELECT ${Array.from({ length: 10 }, (_, n) => at(n)).join(', ')} FROM json_each(?) AS item
WHERE NOT EXISTS (SELECT 1 FROM lexidex_tombstone WHERE uri = ${at(0)} AND rev >= ${at(4)})
ON CONFLICT (uri) DO UPDATE SET cid = excluded.cid, rev = excluded.rev, sort_at = excluded.sort_at,
  ${own.map((column) => `${column} = excluded.${column}`).join(', ')}, record = excluded.record
WHERE excluded.rev > ${table}.rev`
}

const removeSql = (table: string) => `DELETE FROM ${table} WHERE id IN (
  SELECT stored.id FROM json_each(?) AS item CROSS JOIN ${table} AS stored ON stored.uri = ${at(0)} WHERE stored.rev <= ${at(1)}
)`

const TOMBSTONES = `INSERT INTO lexidex_tombstone (uri, rev, deleted_at)
SELECT ${at(0)}, ${at(1)}, 0 FROM json_each(?) AS item WHERE true
ON CONFLICT (uri) DO UPDATE SET rev = excluded.rev WHERE excluded.rev > lexidex_tombstone.rev`

const CURSOR = `INSERT INTO lexidex_cursor (source, epoch, cursor, updated_at) VALUES ('raw', 'raw', ?, 0)
ON CONFLICT (source) DO UPDATE SET cursor = excluded.cursor`

/** Rows of a batch, as JSON arrays: made before the clock runs. */
export interface RawBatch {
  readonly events: string
  readonly rsvps: string
  readonly deletes: string
}

export function rowsOf(frames: readonly CommitFrame[]): RawBatch {
  const events: unknown[] = []
  const rsvps: unknown[] = []
  const deletes: unknown[] = []
  for (const { did, commit, time_us } of frames) {
    const { collection, rkey, rev, cid, record } = commit
    const uri = `at://${did}/${collection}/${rkey}`
    if (commit.operation === 'delete') {
      deletes.push([uri, rev])
      continue
    }
    const value = record as Record<string, any>
    const start = [uri, did, rkey, cid, rev, time_us, time_us]
    const startsAt = value.startsAt === undefined ? null : Date.parse(value.startsAt) * 1000
    if (collection === EVENT) events.push([...start, value.mode ?? null, startsAt, JSON.stringify(value)])
    if (collection === RSVP) rsvps.push([...start, value.status, value.subject.uri, JSON.stringify(value)])
  }
  return { events: JSON.stringify(events), rsvps: JSON.stringify(rsvps), deletes: JSON.stringify(deletes) }
}

export async function applyRaw(db: D1Binding, { events, rsvps, deletes }: RawBatch): Promise<void> {
  const statements: D1Statement[] = [
    db.prepare(TOMBSTONES).bind(deletes),
    db.prepare(putSql('event', ['mode', 'starts_at'])).bind(events),
    db.prepare(putSql('rsvp', ['status', 'subject_uri'])).bind(rsvps),
    db.prepare(removeSql('event')).bind(deletes),
    db.prepare(removeSql('rsvp')).bind(deletes),
    db.prepare(CURSOR).bind('1'),
  ]
  await db.batch(statements)
}

/** What the bare handler answers, by the name of the question. */
export const BARE: Readonly<Record<string, { readonly sql: string; readonly binds: readonly unknown[] }>> = {
  list: { sql: bare.LIST, binds: [50] },
  hydrated: { sql: bare.LIST_HYDRATED, binds: [5, 50] },
  searchRare: { sql: bare.SEARCH_RARE, binds: ['"zymurgy"', 50] },
  searchCommon: { sql: bare.SEARCH_COMMON, binds: ['"the"', 50] },
}

/** One statement, and the records spliced as they are. */
export async function answerBare(db: D1Binding, name: string): Promise<string> {
  const { sql, binds } = BARE[name]!
  const { results } = await db
    .prepare(sql)
    .bind(...binds)
    .all()
  const records = results.map((row) => {
    const children =
      row.going === undefined ? '' : `,"rsvps":{"going":[${row.going ?? ''}],"interested":[${row.interested ?? ''}]}`
    return `{"uri":"${row.uri}","cid":"${row.cid}","value":${row.record},"did":"${row.did}","rsvpsCount":${row.rsvps_count}${children}}`
  })
  return `{"records":[${records.join()}]}`
}
