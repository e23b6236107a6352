/** What only D1 is: its limits, and Wrangler beside us. */
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { takeLease } from '../../runtime/operations/runs/leases.ts'
import type { D1Store } from '../../runtime/storage/d1/index.ts'
import { batchOf, collections, did, initOf, meetup, profile, put, refuse, rev, settle } from './app.ts'
import { type D1Database, D1Server } from './d1-harness.ts'
import { failureOf, rowsOf } from './harness.ts'

const server = new D1Server()
afterAll(() => server.close())

let database: D1Database
let store: D1Store
const migrations = [initOf('sqlite')]

beforeEach(async () => {
  database = await server.open()
  store = await database.connect()
})

async function prepareStore(): Promise<void> {
  await store.migrate(migrations)
  await store.use(collections)
}

describe('limits', () => {
  beforeEach(prepareStore)

  test('a record of up to 1.9 MB is kept to the byte, alone or among others', async () => {
    const long = { title: '"'.repeat(900_000) }
    const result = await store.apply(
      batchOf(
        put({ collection: meetup, rev: 1, rkey: 'a', record: { title: 'one' } }),
        put({ collection: meetup, rev: 1, rkey: 'b', record: long, values: ['online', 3] }),
        put({ collection: meetup, rev: 1, rkey: 'c', record: { title: 'two' } }),
      ),
    )
    expect(result).toMatchObject({ puts: 3 })
    const rows = await rowsOf(store, 'meetup')
    expect(rows.map((row) => row.rkey)).toEqual(['a', 'b', 'c'])
    expect(rows[1]).toMatchObject({ record: JSON.stringify(long), mode: 'online', seats: 3, rev: rev(1) })
    expect(await store.apply(batchOf(put({ collection: meetup, rev: 1, rkey: 'b', record: long })))).toMatchObject({
      puts: 0,
    })
  })

  test.each([
    ['characters', 'x'.repeat(1_960_000)],
    ['characters of several bytes', '語'.repeat(660_000)],
  ])('a record beyond that is refused with the reason: %s', async (_, title) => {
    await store.apply(batchOf(put({ collection: meetup, rev: 1 })))
    const result = await store.apply(
      batchOf(
        put({ collection: meetup, rev: 2, record: { title } }),
        put({ collection: meetup, rev: 2, rkey: 'other' }),
      ),
    )
    expect(result).toEqual({ puts: 1, deletes: 0, quarantined: 1 })
    expect(await rowsOf(store, 'meetup')).toMatchObject([{ rkey: 'other' }])
    const [refused] = await rowsOf(store, 'lexidex_quarantine')
    expect(refused).toMatchObject({ rev: rev(2), reason: expect.stringContaining('2 MB') })
  })

  test('so is the text of a refused version, which is kept as far as it fits', async () => {
    const long = { ...refuse({ collection: meetup, rev: 1, rkey: 'long' }), record: `"${'\\"'.repeat(900_000)}"` }
    const huge = { ...refuse({ collection: meetup, rev: 1, rkey: 'huge' }), record: `"${'x'.repeat(2_000_000)}"` }
    expect(await store.apply(batchOf(long, huge))).toMatchObject({ quarantined: 2 })
    const rows = await rowsOf(store, 'lexidex_quarantine')
    expect(rows.map((row) => row.record)).toEqual(['"The record could not be kept."', long.record])
  })

  test('a batch of many megabytes is one transaction', async () => {
    const record = { title: 'x'.repeat(20_000) }
    const puts = Array.from({ length: 200 }, (_, i) => put({ collection: meetup, rev: 1, rkey: `r${i}`, record }))
    const broken = put({ collection: meetup, rev: 1, rkey: 'broken', values: ['online', 'not a number'] })
    const failure = await failureOf(() => store.apply(batchOf(...puts, broken)))
    expect(store.isTransient(failure)).toBe(false)
    expect(await rowsOf(store, 'meetup')).toEqual([])
    expect(await store.apply(batchOf(...puts))).toMatchObject({ puts: 200 })
  })

  test('statements take more parameters than D1 binds', async () => {
    const puts = Array.from({ length: 150 }, (_, i) => put({ collection: meetup, rev: 1, did: did(`n${i}`) }))
    await store.apply(batchOf(...puts))
    const dids = puts.map((operation) => operation.did)
    const rows = await store.db.selectFrom('lexidex_account').select('did').where('did', 'in', dids).execute()
    expect(rows).toHaveLength(150)
    const sql = `SELECT count(*) AS n FROM meetup WHERE '?' = '?' AND uri IN (${dids.map(() => '?').join(', ')}) LIMIT ?`
    const prepared = store.prepare(sql)
    expect(await prepared.all([...puts.map((operation) => operation.uri), 5])).toEqual([{ n: 150 }])
    const plan = store.prepare(`EXPLAIN QUERY PLAN ${sql}`)
    expect((await plan.all([...puts.map((operation) => operation.uri), 5]))[0]!.detail).toMatch(/^SEARCH/)
    await store.db
      .insertInto('lexidex_state')
      .values(Array.from({ length: 50 }, (_, i) => ({ name: `n${i}`, value: String(i), updated_at: i })))
      .execute()
    expect(await rowsOf(store, 'lexidex_state', 'updated_at')).toHaveLength(50)
  })

  test('a transaction over several calls is refused', async () => {
    const failure = await failureOf(() => store.db.transaction().execute(async () => {}))
    expect(failure).toMatchObject({ name: 'LexidexError', hint: expect.stringContaining('batch()') })
  })
})

describe('errors', () => {
  test.each([
    'D1_ERROR: Network connection lost.',
    'D1_ERROR: D1 DB is overloaded. Requests queued for too long.',
    'D1_ERROR: D1 DB reset because its code was updated.',
    'D1_ERROR: database or disk is full: SQLITE_FULL',
    'D1_ERROR: internal error; reference = abc',
  ])('passing: %s', (message) => expect(store.isTransient(new Error(message))).toBe(true))

  test.each([
    'D1_ERROR: cannot store TEXT value in INTEGER column a.b: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_DATATYPE)',
    'D1_ERROR: string or blob too big: SQLITE_TOOBIG',
    'D1_ERROR: no such table: nope: SQLITE_ERROR',
    "D1_TYPE_ERROR: Type 'undefined' not supported for value 'undefined'",
    'x is not a function',
  ])('lasting: %s', (message) => expect(store.isTransient(new Error(message))).toBe(false))
})

describe('plans', () => {
  beforeEach(prepareStore)

  test('what is written of an account looks at that account alone', async () => {
    const statements: string[] = []
    const watched = {
      prepare: (sql: string) => {
        statements.push(sql)
        return database.binding.prepare(sql)
      },
      batch: database.binding.batch.bind(database.binding),
    }
    const { BatchWriter } = await import('../../runtime/storage/d1/apply.ts')
    const { tableOf } = await import('../../runtime/storage/sqlite/tables.ts')
    const writer = new BatchWriter(watched, collections.map(tableOf))
    const check = { op: 'check', did: did('alice'), resync: true } as const
    await writer.apply(batchOf(check, put({ collection: profile, rev: 1 }), refuse({ collection: meetup, rev: 1 })))
    await writer.apply(batchOf(settle(did('alice'), 'deleted', { handle: 'alice.test' })))
    await writer.apply(batchOf(settle(did('alice'), 'active')))
    expect(statements.length).toBeGreaterThan(20)
    for (const sql of statements) {
      const { results } = await database.binding
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .bind(...bindsOf(sql))
        .all()
      const scans = results.map((row) => String(row.detail)).filter((detail) => detail.startsWith('SCAN'))
      // The versions of all tables are renewed, once by a process: they are as many as there are tables.
      const allowed = /^SCAN (item|json_each|dependent|put|refused|lexidex_version|\d+ CONSTANT)/
      expect(
        scans.filter((detail) => !allowed.test(detail)),
        sql,
      ).toEqual([])
    }
  })
})

function bindsOf(sql: string): unknown[] {
  const numbered = new Set(sql.match(/\?\d/g))
  return Array.from({ length: numbered.size || (sql.match(/\?/g)?.length ?? 0) }, () => '[]')
}

describe('Wrangler', () => {
  const wranglers = `CREATE TABLE d1_migrations(
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
  )`

  test('finds applied what was applied here', async () => {
    await store.migrate(migrations)
    const { results } = await database.binding.prepare('SELECT name FROM d1_migrations').all()
    expect(results).toEqual([{ name: '0001_init.sql' }])
  })

  test('what it has applied is not applied again; what is not ours is left alone', async () => {
    const { binding } = database
    await binding.batch([
      ...migrations[0]!.statements.map((sql) => binding.prepare(sql)),
      binding.prepare(wranglers),
      binding.prepare("INSERT INTO d1_migrations (name) VALUES ('0001_init.sql'), ('0009_of_the_app.sql')"),
    ])
    expect(await store.migrate(migrations)).toEqual([])
    expect(await rowsOf(store, 'lexidex_migration', 'name')).toMatchObject([{ name: '0001_init' }])
    const second = { name: '0002_more', statements: ['CREATE TABLE more (id INTEGER)'] }
    expect(await store.migrate([...migrations, second])).toEqual(['0002_more'])
  })

  test('Workers that start together all find the database migrated', async () => {
    const others = await Promise.all(Array.from({ length: 5 }, () => database.connect()))
    const applied = await Promise.all(others.map((other) => other.migrate(migrations)))
    expect(applied.flat()).toEqual(['0001_init'])
  })
})

test('a lease is held by one', async () => {
  await prepareStore()
  const clock = { now: () => Date.now(), nowUs: () => Date.now() * 1000 }
  const context = { store, clock, logger: console } as never
  const first = await takeLease(context, 'backfill')
  expect(first).not.toBeNull()
  expect(await takeLease(context, 'backfill')).toBeNull()
  await first!.release()
  const next = await takeLease(context, 'backfill')
  expect(next).not.toBeNull()
  await next!.release()
})
