import { execFile } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LexidexError } from '../../runtime/core/errors.ts'
import { createSqliteStore, type SqliteStore } from '../../runtime/storage/sqlite/index.ts'
import { batchOf, collections, did, initOf, meetup, NOW, put, rsvp, uriOf } from './app.ts'
import { failureOf, rowsOf } from './harness.ts'
import { openSqlite, type SqliteDatabase } from './sqlite-harness.ts'

const run = promisify(execFile)
const processScript = fileURLToPath(new URL('./sqlite-process.ts', import.meta.url))

let database: SqliteDatabase
let store: SqliteStore

beforeEach(async () => {
  database = await openSqlite()
})
afterEach(() => database.drop())

async function ready(): Promise<void> {
  store = await database.connect()
  store.migrate(database.migrations)
  store.use(collections)
}

describe('opening', () => {
  test('several processes that start at once on an empty database all succeed, and each migration runs once', async () => {
    const names = ['a', 'b', 'c', 'd']
    const startAt = String(Date.now() + 1500)
    const outputs = await Promise.all(
      names.map((name) => run(process.execPath, ['-C', 'lexidex-source', processScript, database.path, name, startAt])),
    )
    const applied = outputs.flatMap(({ stdout }) => JSON.parse(stdout) as string[])
    expect(applied.sort()).toEqual(['0001_init', '0002_more'])
    store = await database.connect()
    expect(await rowsOf(store, 'more', 'id')).toEqual([{ id: 1 }])
    expect((await rowsOf(store, 'meetup')).map((row) => row.did)).toEqual(names.map(did))
  })

  test('uses a write-ahead log, without foreign keys', async () => {
    await ready()
    const pragma = (name: string) => Object.values(store.database.prepare(`PRAGMA ${name}`).get()!)[0]
    expect(pragma('journal_mode')).toBe('wal')
    expect(pragma('synchronous')).toBe(1)
    expect(pragma('foreign_keys')).toBe(0)
    expect(pragma('wal_autocheckpoint')).toBeGreaterThan(1000)
  })

  test('a file is written by a thread, unless it is said otherwise or for reading only', async () => {
    await ready()
    const other = createSqliteStore(database.path)
    expect([other.background, store.background]).toEqual([true, false])
    await other.close()
    expect((await database.connect({ readonly: true, writer: 'thread' })).background).toBe(false)
  })

  test.each([':memory:', ''])('a database in memory (%j) is private', (path) => {
    const memory = createSqliteStore(path)
    expect(memory.background).toBe(false)
    expect(memory.migrate([initOf('sqlite')])).toEqual(['0001_init'])
    memory.use(collections)
    expect(memory.apply(batchOf(put({ collection: meetup, rev: 1 })))).toMatchObject({ puts: 1 })
    memory.close()
    expect(existsSync(':memory:')).toBe(false)
  })

  test('a file that is no database, and a directory that is missing, are explained', async () => {
    writeFileSync(database.path, 'not a database, and long enough to be taken for one'.repeat(50))
    for (const path of [database.path, `${database.path}/missing/index.sqlite`]) {
      const failure = await failureOf(() => createSqliteStore(path))
      expect(failure).toBeInstanceOf(LexidexError)
      expect((failure as LexidexError).message).toContain(path)
      expect((failure as LexidexError).hint).toBeTruthy()
    }
  })

  test('a read-only store reads, and neither migrates nor writes', async () => {
    await ready()
    store.apply(batchOf(put({ collection: meetup, rev: 1 })))
    const reader = await database.connect({ readonly: true })
    expect(await rowsOf(reader, 'meetup')).toHaveLength(1)
    expect(reader.migrate(database.migrations)).toEqual([])
    const more = [...database.migrations, { name: '0002_more', statements: [] }]
    expect(await failureOf(() => reader.migrate(more))).toBeInstanceOf(LexidexError)
    reader.use(collections)
    expect(await failureOf(() => reader.apply(batchOf(put({ collection: meetup, rev: 2 }))))).toBeInstanceOf(Error)
  })
})

describe('errors', () => {
  test('a database that another process holds is a passing condition, and the batch can be applied later', async () => {
    await ready()
    const other = await database.connect()
    const hurried = await database.connect({ busyTimeoutMs: 1 })
    hurried.use(collections)
    other.database.exec('BEGIN IMMEDIATE')
    const failure = await failureOf(() => hurried.apply(batchOf(put({ collection: meetup, rev: 1 }))))
    expect(hurried.isTransient(failure)).toBe(true)
    other.database.exec('ROLLBACK')
    expect(hurried.apply(batchOf(put({ collection: meetup, rev: 1 })))).toMatchObject({ puts: 1 })
  })

  test('what cannot be stored is no passing condition', async () => {
    await ready()
    const broken = put({ collection: meetup, rev: 1, values: [null, 1.5] })
    expect(store.isTransient(await failureOf(() => store.apply(batchOf(broken))))).toBe(false)
    expect(store.isTransient(new TypeError('a bug'))).toBe(false)
  })
})

describe('kysely', () => {
  beforeEach(ready)

  test('reports what a write changed, and returns what it is asked for', async () => {
    const account = { did: did('alice'), first_seen_at: NOW }
    const inserted = await store.db.insertInto('lexidex_account').values(account).executeTakeFirst()
    expect(inserted.numInsertedOrUpdatedRows).toBe(1n)
    const updated = await store.db
      .updateTable('lexidex_account')
      .set({ handle: 'alice.test' })
      .returning(['did', 'handle'])
      .execute()
    expect(updated).toEqual([{ did: did('alice'), handle: 'alice.test' }])
    const gone = await store.db.deleteFrom('lexidex_account').where('did', '=', did('bob')).executeTakeFirst()
    expect(gone.numDeletedRows).toBe(0n)
    const raw = await sql<{ n: number }>`SELECT count(*) AS n FROM lexidex_account`.execute(store.db)
    expect(raw.rows).toEqual([{ n: 1 }])
  })

  test('transactions commit, roll back and nest by savepoints', async () => {
    const add = (name: string) => ({ did: did(name), first_seen_at: NOW })
    const trx = await store.db.startTransaction().execute()
    await trx.insertInto('lexidex_account').values(add('alice')).execute()
    const saved = await trx.savepoint('before bob').execute()
    await saved.insertInto('lexidex_account').values(add('bob')).execute()
    await saved.rollbackToSavepoint('before bob').execute()
    await trx.commit().execute()
    const failed = store.db.transaction().execute(async (second) => {
      await second.insertInto('lexidex_account').values(add('carol')).execute()
      await sql`SELECT * FROM nowhere`.execute(second)
    })
    expect(await failureOf(() => failed)).toBeInstanceOf(Error)
    expect(await rowsOf(store, 'lexidex_account', 'did')).toMatchObject([{ did: did('alice') }])
  })

  test('introspects the tables', async () => {
    const tables = await store.db.introspection.getTables()
    expect(tables.map(({ name }) => name)).toEqual(expect.arrayContaining(['lexidex_account', 'meetup', 'rsvp']))
  })
})

test('counts what the batch itself changed, not what triggers and search do beside it', async () => {
  await ready()
  const about = (rkey: string, rev: number) =>
    put({ collection: rsvp, rkey, rev, record: { status: 'going', guest: rkey, subject: { uri: uriOf(meetup) } } })
  const result = store.apply(
    batchOf(
      about('before', 1),
      put({ collection: meetup, rev: 2, record: { title: 'chess' } }),
      about('after', 3),
      about('after', 3),
      put({ collection: meetup, rev: 1, record: { title: 'tea' } }),
    ),
  )
  expect(result).toEqual({ puts: 3, deletes: 0, quarantined: 0 })
})
