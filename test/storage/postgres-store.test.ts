/** What only Postgres does, or stumbles over. */
import { Kysely } from 'kysely'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../../runtime/core/log.ts'
import type { Operation } from '../../runtime/core/operation.ts'
import { createPostgresStore, type PostgresStore } from '../../runtime/storage/postgres/index.ts'
import { eventually } from '../invariants/support/index.ts'
import { batchOf, collections, del, did, initOf, meetup, put, rsvp, uriOf } from './app.ts'
import { failureOf, rowsOf } from './harness.ts'
import { openPostgres, type PostgresDatabase } from './postgres-harness.ts'

const migrations = [initOf('postgres')]

let database: PostgresDatabase
let store: PostgresStore
beforeEach(async () => {
  database = await openPostgres()
  store = await open()
})
afterEach(() => database.drop())

async function open(): Promise<PostgresStore> {
  const opened = await database.connect()
  await opened.migrate(migrations)
  await opened.use(collections)
  return opened
}

const apply = (...operations: Operation[]) => store.apply(batchOf(...operations))

async function found(search: string): Promise<unknown[]> {
  const sql = `SELECT rkey FROM meetup WHERE ${store.reads.searchCondition(meetup)} ORDER BY rkey`
  return (await store.prepare(sql).all([store.reads.compileSearch(search)])).map((row) => row.rkey)
}

test.runIf(process.env.POSTGRES_VERSION)('the server is of the version that was asked for', async () => {
  const { rows } = await store.pool.query('SHOW server_version')
  expect(rows[0].server_version.split('.')[0]).toBe(process.env.POSTGRES_VERSION)
})

describe('text that Postgres does not take as it is', () => {
  test('NUL is left out of columns, parts words, and stays in the record', async () => {
    const record = { mode: 'a\0b', title: 'che\0ss \\u0000 half \ud800 pair' }
    await apply(put({ collection: meetup, rev: 1, record }))
    const [row] = await rowsOf(store, 'meetup')
    expect(row!.mode).toBe('ab')
    expect(JSON.parse(row!.record)).toEqual(record)
    expect(await found('che ss')).toEqual(['one'])
    expect(await found('chess')).toEqual([])
    expect(await found('u0000 half')).toEqual(['one'])
    expect(await found('a\0b')).toEqual([])
  })

  test('columns that no index page would hold are cut, at a whole character', async () => {
    const mode = '漢'.repeat(5000)
    await apply(put({ collection: meetup, rev: 1, record: { mode } }))
    expect((await rowsOf(store, 'meetup'))[0]!.mode).toBe('漢'.repeat(341))
  })

  test('more text than a tsvector holds is searched by its beginning', async () => {
    const words = Array.from({ length: 300_000 }, (_, i) => `w${i.toString(36)}`).join(' ')
    await apply(
      put({ collection: meetup, rev: 1, record: { title: `chess ${words}` } }),
      put({
        collection: meetup,
        rev: 1,
        rkey: 'two',
        record: { title: `${'x'.repeat(100_000)} tea ${'ü'.repeat(900_000)}` },
      }),
    )
    expect(await found('chess w1')).toEqual(['one'])
    expect(await found('tea')).toEqual(['two'])
    // Of such a word the beginning counts.
    expect(await found('x'.repeat(100_000))).toEqual(['two'])
    expect(await found(`chess OR ${'x'.repeat(50_000)}`)).toEqual(['one', 'two'])
    expect(await found('x'.repeat(2000))).toEqual([])
  })

  test('an index entry that is too long all the same is about that record alone', async () => {
    const values = [null, 'ß'.repeat(512), 'x'.repeat(1000)]
    // Random, so that it is not compressed.
    const noise = () =>
      Array.from({ length: 256 }, () => String.fromCodePoint(0x10000 + Math.floor(Math.random() * 0xf000))).join('')
    const failure = await failureOf(() =>
      apply(put({ collection: rsvp, rev: 1, rkey: noise(), values: [null, noise(), noise()] })),
    )
    expect(failure).toBeInstanceOf(Error)
    expect(store.isTransient(failure)).toBe(false)
    expect(await apply(put({ collection: rsvp, rev: 1, values }))).toMatchObject({ puts: 1 })
  })
})

describe('connections', () => {
  test('that the server ends are a passing error, and the next batch gets another', async () => {
    const other = new pg.Client(database.url)
    await other.connect()
    await other.query('BEGIN')
    await other.query('LOCK TABLE meetup')
    const waiting = failureOf(() => apply(put({ collection: meetup, rev: 1 })))
    // It waits for the lock by then.
    for (;;) {
      const { rows } = await other.query(
        "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
      )
      if (rows.length > 0) {
        await other.query('SELECT pg_terminate_backend($1)', [rows[0].pid])
        break
      }
    }
    const failure = await waiting
    expect(store.isTransient(failure)).toBe(true)
    await other.end()
    expect(await apply(put({ collection: meetup, rev: 1 }))).toMatchObject({ puts: 1 })
  })

  test('of a server that cannot be reached are a passing error', async () => {
    const nowhere = createPostgresStore('postgres://nobody@127.0.0.1:1/none')
    const failure = await failureOf(() => nowhere.migrate(migrations))
    expect(nowhere.isTransient(failure)).toBe(true)
    await nowhere.close()
  })

  test('a pool may be the caller’s own: integers are numbers all the same, and it stays open', async () => {
    const pool = new pg.Pool({ connectionString: database.url, max: 2 })
    const mine = createPostgresStore(pool, { logger: silentLogger })
    await mine.use(collections)
    await mine.apply(batchOf(put({ collection: meetup, rev: 1 })))
    expect(typeof (await rowsOf(mine, 'meetup'))[0]!.sort_at).toBe('number')
    await mine.close()
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    await pool.end()
    expect(mine.db).toBeInstanceOf(Kysely)
  })
})

test('a bulk load whose process has died is ended by another that goes on, and by nobody before', async () => {
  const other = await open()
  expect(await store.bulk!.begin()).toBe(true)
  await apply(
    put({ collection: meetup, rev: 1, record: { title: 'chess' } }),
    put({ collection: rsvp, rev: 2, record: { status: 'going', subject: { uri: uriOf(meetup) } } }),
  )
  await other.bulk!.recover!()
  expect(await other.bulk!.active()).toBe(true)
  // As whoever dies does: its session ends, and nothing else is said.
  await store.close()
  const { rows } = await other.pool.query('SELECT rsvps_count FROM meetup')
  expect(rows).toEqual([{ rsvps_count: 0 }])
  await eventually(async () => {
    await other.bulk!.recover!()
    expect(await other.bulk!.active()).toBe(false)
  })
  store = other
  expect(await rowsOf(other, 'meetup')).toMatchObject([{ rsvps_count: 1, rsvps_going_count: 1 }])
  expect(await found('chess')).toEqual(['one'])
})

test('a hot parent that comes and goes while three writers add, move and remove its children keeps its counts', async () => {
  const writers = [store, await open(), await open()]
  const parents = ['a', 'b', 'c'].map((rkey) => ({ rkey, uri: uriOf(meetup, did('host'), rkey) }))
  let n = 0
  const random = () => {
    // A fixed sequence: what differs from run to run is how the writers meet.
    n = (n * 1103515245 + 12345) % 2147483648
    return n / 2147483648
  }
  const pick = <T>(items: readonly T[]) => items[Math.floor(random() * items.length)]!
  let rev = 0
  const child = (writer: number): Operation => {
    const key = { collection: rsvp, did: did(`w${writer}-${Math.floor(random() * 6)}`), rkey: 'x', rev: ++rev }
    const record = {
      status: pick(['going', 'maybe', 'no']),
      guest: pick(['ann', 'ben']),
      subject: { uri: pick(parents).uri },
    }
    return random() < 0.25 ? del(key) : put({ ...key, record })
  }
  const parent = (): Operation => {
    const key = { collection: meetup, did: did('host'), rkey: pick(parents).rkey, rev: ++rev }
    return random() < 0.5 ? del(key) : put(key)
  }
  await Promise.all(
    writers.map(async (writer, i) => {
      for (let round = 0; round < 60; round++) {
        const operations = Array.from({ length: 5 }, () => (i === 0 && random() < 0.4 ? parent() : child(i)))
        await writer.apply(batchOf(...operations))
      }
    }),
  )
  await apply(...parents.map(({ rkey }) => put({ collection: meetup, did: did('host'), rkey, rev: ++rev })))
  const children = await rowsOf(store, 'rsvp')
  for (const { uri } of parents) {
    const mine = children.filter((row) => row.subject_uri === uri)
    const row = (await rowsOf(store, 'meetup')).find((one) => one.uri === uri)!
    expect([row.rsvps_count, row.rsvps_going_count, row.guests_count]).toEqual([
      mine.length,
      mine.filter(({ status }) => status === 'going').length,
      new Set(mine.map(({ guest }) => guest)).size,
    ])
  }
})

test('whoever waits while another migrates finds it done, however small the migration is', async () => {
  const empty = await openPostgres()
  const faster = new pg.Client(empty.url)
  try {
    await faster.connect()
    const table = 'CREATE TABLE lexidex_migration (name text PRIMARY KEY, applied_at bigint NOT NULL)'
    await faster.query('BEGIN')
    await faster.query('SELECT pg_advisory_xact_lock(1819829368, 28009)')
    await faster.query(table)
    const slower = await empty.connect({ connections: 1 })
    const migrating = slower.migrate([{ name: '0001_init', statements: [table] }])
    const waits = `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
    while ((await faster.query(waits)).rowCount === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    await faster.query(`INSERT INTO lexidex_migration VALUES ('0001_init', 1)`)
    await faster.query('COMMIT')
    expect(await migrating).toEqual([])
  } finally {
    await faster.end()
    await empty.drop()
  }
})
