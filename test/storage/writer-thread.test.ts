import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { buildSync } from 'esbuild'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LexidexError } from '../../runtime/core/errors.ts'
import type { ApplyBatch } from '../../runtime/core/operation.ts'
import type { SqliteStore } from '../../runtime/storage/sqlite/index.ts'
import { tableOf } from '../../runtime/storage/sqlite/tables.ts'
import { WriterUnavailable } from '../../runtime/storage/sqlite/unavailable.ts'
import { InlineWriter } from '../../runtime/storage/sqlite/writer.ts'
import { ThreadWriter } from '../../runtime/storage/sqlite/writer-thread.ts'
import { batchOf, collections, did, meetup, NOW, put, rev } from './app.ts'
import { failureOf, rowsOf } from './harness.ts'
import { openSqlite, type SqliteDatabase } from './sqlite-harness.ts'

let database: SqliteDatabase
let store: SqliteStore

beforeEach(async () => {
  database = await openSqlite('thread')
  store = await database.connect()
  store.migrate(database.migrations)
  store.use(collections)
})
afterEach(() => database.drop())

const rkeys = async () => (await rowsOf(store, 'meetup', 'rkey')).map((row) => row.rkey)
const meetups = (...names: string[]) =>
  batchOf(...names.map((rkey, i) => put({ collection: meetup, rev: i + 1, rkey })))
/** SQLite refuses it: a text where a number belongs. */
const broken = () => batchOf(put({ collection: meetup, rev: 9, rkey: 'broken', values: [null, 'no number'] }))

describe('batches', () => {
  test('that are given without waiting are applied in that order', async () => {
    const results = Array.from({ length: 20 }, (_, i) =>
      store.apply(batchOf(put({ collection: meetup, rev: i + 1, record: { title: `no ${i}` } }))),
    )
    expect((await Promise.all(results)).map(({ puts }) => puts)).toEqual(Array(20).fill(1))
    expect(await rowsOf(store, 'meetup')).toMatchObject([{ rev: rev(20), indexed_at: NOW * 1000 + 1 }])
  })

  test('that follow one that fails fail as well, and can be given again', async () => {
    const [first, second, third] = [broken(), meetups('a'), meetups('b')]
    const results = [
      store.apply(first),
      store.apply(second, first),
      store.apply(third, second),
      store.apply(meetups('c')),
    ]
    const [poison, ...others] = await Promise.all(results.map((result) => failureOf(() => result)))
    expect(store.isTransient(poison)).toBe(false)
    expect(others.map((error) => error !== null && store.isTransient(error))).toEqual([true, true, false])
    expect(await rkeys()).toEqual(['c'])
    await store.apply(second)
    await store.apply(third, second)
    expect(await rkeys()).toEqual(['a', 'b', 'c'])
  })

  test('are durable when close resolves, waited for or not; later ones are refused', async () => {
    void store.apply(meetups('a'))
    await store.close()
    const refused = await failureOf(() => store.apply(meetups('b')))
    expect(refused).toBeInstanceOf(LexidexError)
    store = await database.connect()
    expect(await rkeys()).toEqual(['a'])
  })

  test('are finished by a process that does not wait for them and does not close', async () => {
    const script = fileURLToPath(new URL('./thread-process.ts', import.meta.url))
    await promisify(execFile)(process.execPath, ['-C', 'lexidex-source', script, database.path])
    expect(await rkeys()).toEqual(['one'])
  })
})

describe('errors', () => {
  test('keep what they are told apart by', async () => {
    const refused = await failureOf(() => store.apply(broken()))
    expect(refused).toMatchObject({ code: 'ERR_SQLITE_ERROR', errcode: expect.any(Number) })
    expect((refused as Error).message).toContain('cannot store TEXT value in INTEGER column meetup.seats')
    const unknown = batchOf(put({ collection: { ...meetup, table: 'other' }, rev: 1 }))
    const failure = await failureOf(() => store.apply(unknown))
    expect(failure).toBeInstanceOf(LexidexError)
    expect((failure as LexidexError).hint).toContain('store.use()')
  })

  test('of a database that is busy are passing ones', async () => {
    const hurried = await database.connect({ busyTimeoutMs: 1 })
    hurried.use(collections)
    store.database.exec('BEGIN IMMEDIATE')
    const failure = await failureOf(() => hurried.apply(meetups('a')))
    expect(hurried.isTransient(failure)).toBe(true)
    store.database.exec('ROLLBACK')
    expect(await hurried.apply(meetups('a'))).toMatchObject({ puts: 1 })
  })

  test('missing tables are told at once', async () => {
    store.database.exec('ALTER TABLE meetup RENAME TO lost')
    expect(await failureOf(() => store.use(collections))).toBeInstanceOf(LexidexError)
  })
})

describe('a thread', () => {
  const warnings: unknown[] = []
  let writer: ThreadWriter
  beforeEach(() => {
    warnings.length = 0
  })
  afterEach(() => writer.close())

  function open(file: URL): void {
    const fallBack = (cause: unknown) => {
      warnings.push(cause)
      return new InlineWriter(store.database)
    }
    writer = new ThreadWriter(file, { path: database.path, fallBack })
    writer.perform({ kind: 'use', tables: collections.map(tableOf) }, null)
  }

  test('that dies fails what it had in hand; another one goes on', async () => {
    open(new URL('./dying-worker.ts', import.meta.url))
    await writer.apply(meetups('a'))
    const [deadly, next] = [meetups('deadly'), meetups('b')]
    const results = [writer.apply(deadly), writer.apply(next, deadly)]
    const failures = await Promise.all(results.map((result) => failureOf(() => result)))
    for (const failure of failures) expect(failure).toBeInstanceOf(WriterUnavailable)
    // It cannot be told any more whether the one before it was applied.
    expect(await failureOf(() => writer.apply(next, deadly))).toBeInstanceOf(WriterUnavailable)
    expect(await rkeys()).toEqual(['a'])
    await writer.apply(deadly)
    await writer.apply(next, deadly)
    expect(await rkeys()).toEqual(['a', 'b', 'deadly'])
    expect(warnings).toEqual([])
  })

  test('that dies takes an open transaction with it: nothing of it stays, and nothing is added to it', async () => {
    open(new URL('./dying-worker.ts', import.meta.url))
    const insert = (name: string) =>
      ({
        kind: 'statement',
        sql: 'INSERT INTO lexidex_account (did, first_seen_at) VALUES (?, 1)',
        values: [did(name)],
        returns: false,
      }) as const
    await writer.perform({ kind: 'begin', sql: 'BEGIN IMMEDIATE' }, 7)
    await writer.perform(insert('alice'), 7)
    await failureOf(() => writer.apply(meetups('deadly')))
    expect(await failureOf(() => writer.perform(insert('bob'), 7))).toBeInstanceOf(WriterUnavailable)
    expect(await failureOf(() => writer.perform({ kind: 'end', sql: 'COMMIT' }, 7))).toBeInstanceOf(WriterUnavailable)
    await writer.perform({ kind: 'end', sql: 'ROLLBACK' }, 7)
    expect(await rowsOf(store, 'lexidex_account', 'did')).toEqual([])
    await writer.perform(insert('carol'), null)
    expect(await rowsOf(store, 'lexidex_account', 'did')).toMatchObject([{ did: did('carol') }])
  })

  test('that cannot be started is replaced by this one, with one warning, and in the same order', async () => {
    const file = join(database.path, '../broken-worker.mjs')
    writeFileSync(file, "throw new Error('no threads here')")
    open(pathToFileURL(file))
    const bad: ApplyBatch = broken()
    const results = [writer.apply(meetups('a')), writer.apply(bad), writer.apply(meetups('b'), bad)]
    const failures = await Promise.all(results.map((result) => failureOf(() => result)))
    expect(failures).toEqual([null, expect.any(Error), expect.any(WriterUnavailable)])
    await writer.apply(meetups('c'))
    expect(await rkeys()).toEqual(['a', 'c'])
    expect(warnings).toEqual([expect.objectContaining({ message: 'no threads here' })])
    expect(writer.background).toBe(false)
  })
})

test('a bundle of one file writes on its own thread, and says so', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'lexidex-'))
  try {
    const outfile = join(directory, 'server.mjs')
    const entry = fileURLToPath(new URL('../../runtime/storage/sqlite/index.ts', import.meta.url))
    buildSync({ entryPoints: [entry], bundle: true, format: 'esm', platform: 'node', outfile, logLevel: 'error' })
    const bundled = (await import(outfile)) as typeof import('../../runtime/storage/sqlite/index.ts')
    const warnings: string[] = []
    const logger = { log: () => {}, warn: (line: string) => warnings.push(line), error: () => {} }
    const other = bundled.createSqliteStore(database.path, { logger })
    other.use(collections)
    expect(other.background).toBe(false)
    expect(other.apply(meetups('a'))).toMatchObject({ puts: 1 })
    await other.close()
    expect(warnings).toEqual([expect.stringContaining('writer-worker.js')])
  } finally {
    rmSync(directory, { recursive: true })
  }
})

describe('kysely', () => {
  const add = (name: string) => ({ did: did(name), first_seen_at: NOW })
  const accounts = async () => (await rowsOf(store, 'lexidex_account', 'did')).map((row) => row.did)

  test('a transaction is seen by nobody until it ends, and batches wait for that', async () => {
    const trx = await store.db.startTransaction().execute()
    await trx.insertInto('lexidex_account').values(add('bob')).execute()
    const batch = store.apply(meetups('a'))
    expect(await trx.selectFrom('lexidex_account').select('did').execute()).toHaveLength(1)
    expect(await accounts()).toEqual([])
    expect(await rkeys()).toEqual([])
    await trx.commit().execute()
    expect(await batch).toMatchObject({ puts: 1 })
    expect(await accounts()).toEqual([did('alice'), did('bob')])
  })

  test('transactions that meet take turns', async () => {
    const count = (trx: typeof store.db) =>
      trx
        .selectFrom('lexidex_account')
        .select(({ fn }) => fn.countAll<number>().as('n'))
        .executeTakeFirstOrThrow()
    const step = (i: number) =>
      store.db.transaction().execute(async (trx) => {
        const { n } = await count(trx)
        await trx
          .insertInto('lexidex_account')
          .values({ ...add(`a${i}`), check_attempts: n })
          .execute()
        if (i === 2) throw new Error('taken back')
      })
    const failures = await Promise.all([0, 1, 2, 3].map((i) => failureOf(() => step(i))))
    expect(failures.map((failure) => failure !== null)).toEqual([false, false, true, false])
    const rows = await rowsOf(store, 'lexidex_account', 'did')
    expect(rows.map((row) => [row.did, row.check_attempts])).toEqual([
      [did('a0'), 0],
      [did('a1'), 1],
      [did('a3'), 2],
    ])
  })

  test('writes beside batches are neither refused nor forgotten', async () => {
    const batches = Array.from({ length: 30 }, (_, i) =>
      store.apply(meetups(...['a', 'b', 'c'].map((x) => `${x}${i}`))),
    )
    const writes = Array.from({ length: 30 }, (_, i) =>
      store.db
        .insertInto('lexidex_account')
        .values(add(`x${String(i).padStart(2, '0')}`))
        .execute(),
    )
    await Promise.all([...batches, ...writes])
    expect(await accounts()).toHaveLength(31)
    expect(await rkeys()).toHaveLength(90)
  })

  test('what it writes is there to be read when it resolves', async () => {
    await store.db.insertInto('lexidex_account').values(add('alice')).execute()
    expect(await accounts()).toEqual([did('alice')])
    const prepared = store.prepare('SELECT count(*) AS n FROM lexidex_account')
    await store.db.deleteFrom('lexidex_account').execute()
    expect(await prepared.all([])).toMatchObject([{ n: 0 }])
  })
})
