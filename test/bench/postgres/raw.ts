/** The ceilings: rows that are ready, statements by hand, nothing else. */
import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { app } from '../../../fixtures/apps/calendar/src/lexidex/index.ts'
import { migrations } from '../../../fixtures/apps/calendar/src/lexidex/migrations/index.ts'
import { EVENT, RSVP } from '../../../fixtures/network/content.ts'
import type { CommitFrame } from '../../../fixtures/network/frames.ts'
import { beginLoad, buildIndexes, endLoad, loadingTables } from '../../../runtime/storage/postgres/bulk.ts'
import { tablesOf } from '../../../runtime/storage/postgres/tables.ts'
import { offer } from '../rpc.ts'
import { readTotals, type Totals } from './totals.ts'

const BATCH = 500

type Value = string | number | null

const COLUMNS = {
  event: ['mode text', 'starts_at bigint'],
  rsvp: ['status text', 'subject_uri text'],
} as const
const SHARED = ['uri text', 'did text', 'rkey text', 'cid text', 'rev text', 'indexed_at bigint', 'sort_at bigint']

type Table = keyof typeof COLUMNS

/** The same triggers run, so it inserts first and updates what was there. */
function statements(table: Table) {
  const columns = [...SHARED, ...COLUMNS[table], 'record text'].map((column) => column.split(' '))
  const names = columns.map(([name]) => name)
  const input = `unnest(${columns.map(([, type], i) => `$${i + 1}::${type}[]`).join(', ')}) AS put (${names.join(', ')})`
  const fresh = 'NOT EXISTS (SELECT FROM lexidex_tombstone AS t WHERE t.uri = put.uri AND t.rev >= put.rev)'
  const sets = names.filter((name) => !['uri', 'did', 'rkey', 'indexed_at'].includes(name!))
  return {
    insert: `INSERT INTO ${table} (${names.join(', ')}) SELECT * FROM ${input} WHERE ${fresh} ON CONFLICT (uri) DO NOTHING`,
    update: `UPDATE ${table} AS old SET ${sets.map((name) => `${name} = put.${name}`).join(', ')}
FROM ${input} WHERE old.uri = put.uri AND put.rev > old.rev AND ${fresh}`,
    remove: `DELETE FROM ${table} AS old USING unnest($1::text[], $2::text[]) AS gone (uri, rev)
WHERE old.uri = gone.uri AND old.rev <= gone.rev`,
  }
}

const TOMBSTONE = `INSERT INTO lexidex_tombstone (uri, rev, deleted_at)
SELECT uri, rev, 0 FROM unnest($1::text[], $2::text[]) AS gone (uri, rev)
ON CONFLICT (uri) DO UPDATE SET rev = excluded.rev WHERE excluded.rev > lexidex_tombstone.rev`

const CURSOR = `INSERT INTO lexidex_cursor (source, epoch, cursor, updated_at) VALUES ('raw', 'raw', $1, 0)
ON CONFLICT (source) DO UPDATE SET cursor = excluded.cursor`

const methods = {
  /** Applies the log to a new database, in batches of 500. The clock runs while statements do. */
  async apply(file: string, url: string): Promise<Applied> {
    const rows = readRows(file)
    const db = new pg.Client(url)
    await db.connect()
    for (const { statements } of migrations.postgres!) for (const statement of statements) await db.query(statement)
    const startedAt = performance.now()
    for (let i = 0; i < rows.length; i += BATCH) await write(db, rows.slice(i, i + BATCH), String(i))
    const seconds = (performance.now() - startedAt) / 1000
    const totals = await readTotals(db)
    await db.end()
    return { seconds, totals }
  },
  /** The records of one database into another, by COPY, and the end of a bulk load. They are read before the clock runs. */
  async load(from: string, to: string): Promise<{ readonly seconds: number }> {
    const tables = tablesOf(app.collections, new Map())
    const source = new pg.Client(from)
    await source.connect()
    const work = []
    for (const { table, columns } of tables) {
      const names = [
        'uri',
        'did',
        'rkey',
        'cid',
        'rev',
        'indexed_at',
        'sort_at',
        ...columns.map(({ name }) => name),
        'record',
      ]
      const { rows } = await source.query({ text: `SELECT ${names.join(', ')} FROM ${table}`, rowMode: 'array' })
      work.push({ table, names, lines: rows.map((row: Value[]) => `${row.map(copied).join('\t')}\n`) })
    }
    await source.end()
    const pool = new pg.Pool({ connectionString: to, max: 2 })
    for (const { statements } of migrations.postgres!) for (const statement of statements) await pool.query(statement)
    const startedAt = performance.now()
    await beginLoad(pool, tables, 0)
    const client = await pool.connect()
    for (const { table, names, lines } of work) {
      await pipeline(Readable.from(lines), client.query(copyFrom(`COPY ${table} (${names.join(', ')}) FROM STDIN`)))
    }
    client.release()
    const loading = await loadingTables(pool)
    await buildIndexes(pool)
    await endLoad(pool, loading)
    const seconds = (performance.now() - startedAt) / 1000
    await pool.end()
    return { seconds }
  },
}

export interface Applied {
  readonly seconds: number
  readonly totals: Totals
}

export type Raw = typeof methods

interface Row {
  readonly table: Table
  readonly put: boolean
  readonly values: readonly Value[]
}

/** Rows of one batch, the latest of each record; the log has hardly any twice. */
async function write(db: pg.Client, batch: readonly Row[], cursor: string): Promise<void> {
  await db.query('BEGIN')
  for (const table of ['event', 'rsvp'] as const) {
    const sql = statements(table)
    const rows = batch.filter((row) => row.table === table)
    const puts = [...new Map(rows.filter(({ put }) => put).map((row) => [row.values[0], row])).values()]
    if (puts.length > 0) {
      const arrays = puts[0]!.values.map((_, i) => puts.map(({ values }) => values[i]))
      const { rowCount } = await db.query({ name: `insert ${table}`, text: sql.insert, values: arrays })
      if (rowCount !== puts.length) await db.query({ name: `update ${table}`, text: sql.update, values: arrays })
    }
    const gone = rows.filter(({ put }) => !put)
    if (gone.length === 0) continue
    const arrays = [0, 1].map((i) => gone.map(({ values }) => values[i]))
    await db.query({ name: `remove ${table}`, text: sql.remove, values: arrays })
    await db.query({ name: 'tombstone', text: TOMBSTONE, values: arrays })
  }
  await db.query({ name: 'cursor', text: CURSOR, values: [cursor] })
  await db.query('COMMIT')
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
  const table = collection === EVENT ? 'event' : 'rsvp'
  if (commit.operation === 'delete') return { table, put: false, values: [uri, rev] }
  const nowUs = Date.now() * 1000
  const record = commit.record as Record<string, any>
  const columns: Value[] =
    collection === RSVP
      ? [record.status, record.subject.uri]
      : [record.mode ?? null, record.startsAt === undefined ? null : Date.parse(record.startsAt) * 1000]
  const sortAt = collection === RSVP ? nowUs : Date.parse(record.createdAt) * 1000
  return { table, put: true, values: [uri, did, rkey, cid!, rev, nowUs, sortAt, ...columns, JSON.stringify(record)] }
}

function copied(value: Value): string {
  return value === null ? '\\N' : String(value).replace(/[\\\t\n\r]/g, (c) => COPY_ESCAPES[c]!)
}

const COPY_ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }

offer(methods)
