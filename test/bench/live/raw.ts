/** The ceiling: rows that are ready, statements by hand, nothing else. */
import { readFileSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { migrations } from '../../../fixtures/apps/calendar/src/lexidex/migrations/index.ts'
import { EVENT, RSVP } from '../../../fixtures/network/content.ts'
import type { CommitFrame } from '../../../fixtures/network/frames.ts'
import { openDatabase } from '../../../runtime/storage/sqlite/connection.ts'
import { offer } from '../rpc.ts'
import { readTotals, type Totals } from './totals.ts'

const BATCH = 500

type Value = string | number | null

/** Values of one write, in the order in which its statement takes them. */
interface Row {
  readonly to: 'event' | 'rsvp'
  readonly put: boolean
  readonly values: readonly Value[]
}

const PUT_EVENT = `INSERT INTO event (uri, did, rkey, cid, rev, indexed_at, sort_at, mode, starts_at, record)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10
WHERE NOT EXISTS (SELECT 1 FROM lexidex_tombstone WHERE uri = ?1 AND rev >= ?5)
ON CONFLICT (uri) DO UPDATE SET cid = excluded.cid, rev = excluded.rev, sort_at = excluded.sort_at,
  mode = excluded.mode, starts_at = excluded.starts_at, record = excluded.record
WHERE excluded.rev > event.rev`

const PUT_RSVP = `INSERT INTO rsvp (uri, did, rkey, cid, rev, indexed_at, sort_at, status, subject_uri, record)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10
WHERE NOT EXISTS (SELECT 1 FROM lexidex_tombstone WHERE uri = ?1 AND rev >= ?5)
ON CONFLICT (uri) DO UPDATE SET cid = excluded.cid, rev = excluded.rev, sort_at = excluded.sort_at,
  status = excluded.status, subject_uri = excluded.subject_uri, record = excluded.record
WHERE excluded.rev > rsvp.rev`

const TOMBSTONE = `INSERT INTO lexidex_tombstone (uri, rev, deleted_at) VALUES (?, ?, ?)
ON CONFLICT (uri) DO UPDATE SET rev = excluded.rev, deleted_at = excluded.deleted_at
WHERE excluded.rev > lexidex_tombstone.rev`

const CURSOR = `INSERT INTO lexidex_cursor (source, epoch, cursor, updated_at) VALUES ('raw', 'raw', ?, ?)
ON CONFLICT (source) DO UPDATE SET cursor = excluded.cursor, updated_at = excluded.updated_at`

const methods = {
  /** Applies the log to a new database. The clock runs while statements do. */
  apply(file: string, database: string): Applied {
    const rows = readRows(file)
    const db = openDatabase(database)
    for (const { statements } of migrations.sqlite!) for (const statement of statements) db.exec(statement)
    const startedAt = performance.now()
    const cpu = process.cpuUsage()
    write(db, rows)
    const seconds = (performance.now() - startedAt) / 1000
    const { user, system } = process.cpuUsage(cpu)
    const totals = readTotals(db)
    db.close()
    return { seconds, cpuSeconds: (user + system) / 1e6, totals }
  },
}

export interface Applied {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly totals: Totals
}

export type Raw = typeof methods

function write(db: DatabaseSync, rows: readonly Row[]): void {
  const put = { event: db.prepare(PUT_EVENT), rsvp: db.prepare(PUT_RSVP) }
  const remove = {
    event: db.prepare('DELETE FROM event WHERE uri = ? AND rev <= ?'),
    rsvp: db.prepare('DELETE FROM rsvp WHERE uri = ? AND rev <= ?'),
  }
  const tombstone = db.prepare(TOMBSTONE)
  const cursor = db.prepare(CURSOR)
  const begin = db.prepare('BEGIN IMMEDIATE')
  const commit = db.prepare('COMMIT')
  for (let start = 0; start < rows.length; start += BATCH) {
    const end = Math.min(rows.length, start + BATCH)
    begin.run()
    for (let i = start; i < end; i++) {
      const row = rows[i]!
      if (row.put) put[row.to].run(...row.values)
      else {
        remove[row.to].run(row.values[0]!, row.values[1]!)
        tombstone.run(...row.values)
      }
    }
    cursor.run(String(end), end)
    commit.run()
  }
}

function readRows(file: string): Row[] {
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => toRow(JSON.parse(line)))
}

function toRow({ did, commit }: CommitFrame): Row {
  const { collection, rkey, rev, cid } = commit
  const uri = `at://${did}/${collection}/${rkey}`
  const to = collection === EVENT ? 'event' : 'rsvp'
  const nowUs = Date.now() * 1000
  if (commit.operation === 'delete') return { to, put: false, values: [uri, rev, nowUs / 1000] }
  const record = commit.record as Record<string, any>
  const createdUs = collection === RSVP ? null : Date.parse(record.createdAt) * 1000
  const columns: Value[] =
    collection === RSVP
      ? [record.status, record.subject.uri]
      : [record.mode ?? null, record.startsAt === undefined ? null : Date.parse(record.startsAt) * 1000]
  const sortAt = createdUs ?? nowUs
  return {
    to,
    put: true,
    values: [uri, did, rkey, cid!, rev, nowUs, sortAt, ...columns, JSON.stringify(record)],
  }
}

offer(methods)
