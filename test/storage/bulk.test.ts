import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LexidexError } from '../../runtime/core/errors.ts'
import type { Operation } from '../../runtime/core/operation.ts'
import type { SqliteStore } from '../../runtime/storage/sqlite/index.ts'
import { batchOf, collections, meetup, NOW, put, rsvp } from './app.ts'
import { expectLists, failureOf, rowsOf } from './harness.ts'
import { loadOperation } from './load.ts'
import { openSqlite, type SqliteDatabase } from './sqlite-harness.ts'

const script = fileURLToPath(new URL('./bulk-process.ts', import.meta.url))
const silent = { log: () => {}, warn: () => {}, error: () => {} }

let database: SqliteDatabase
let store: SqliteStore

beforeEach(async () => {
  database = await openSqlite()
  store = await open()
})
afterEach(() => database.drop())

async function open(warnings: string[] = []): Promise<SqliteStore> {
  const logger = { ...silent, warn: (line: string) => void warnings.push(line) }
  const opened = await database.connect({ logger })
  opened.migrate(database.migrations)
  opened.use(collections)
  return opened
}

const operations = (from: number, to: number): Operation[] =>
  Array.from({ length: to - from }, (_, i) => loadOperation(from + i))

function schema(of: SqliteStore): unknown[] {
  return of.database.prepare('SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name').all()
}

/** Rows, counts, words and schema are those of the first `length` operations without a load. */
async function expectLoaded(of: SqliteStore, length: number): Promise<void> {
  const reference = await openSqlite()
  try {
    const other = await reference.connect()
    other.migrate(reference.migrations)
    other.use(collections)
    for (let n = 0; n < length; n += 50) other.apply(batchOf(...operations(n, Math.min(length, n + 50))))
    for (const table of ['meetup', 'rsvp', 'lexidex_account']) {
      const rows = async (from: SqliteStore) =>
        (await rowsOf(from, table, 'did')).map(({ id: _, ...row }) => row).sort((a, b) => (a.uri < b.uri ? -1 : 1))
      expect(await rows(of)).toEqual(await rows(other))
    }
    await expectLists(of, collections)
    const words = (from: SqliteStore) => (word: string) =>
      from.database
        .prepare(`SELECT uri FROM meetup WHERE ${from.reads.searchCondition(meetup)} ORDER BY uri`)
        .all(from.reads.compileSearch(word))
    for (const word of ['chess', 'number40', 'nothing']) expect(words(of)(word)).toEqual(words(other)(word))
    expect(schema(of)).toEqual(schema(other))
  } finally {
    await reference.drop()
  }
}

describe('a bulk load', () => {
  test('leaves out counts and words, and has them when it ends', async () => {
    expect(await store.bulk!.begin()).toBe(true)
    expect(store.bulk!.active()).toBe(true)
    await store.apply(batchOf(...operations(0, 400)))
    const [row] = await rowsOf(store, 'meetup')
    expect(row).toMatchObject({ rsvps_count: 0 })
    await store.bulk!.end()
    expect(store.bulk!.active()).toBe(false)
    await expectLoaded(store, 400)
    expect(existsSync(`${database.path}-load`)).toBe(false)
  })

  test('keeps right what others write meanwhile', async () => {
    const other = await database.connect({ writer: 'thread' })
    other.use(collections)
    await store.bulk!.begin()
    await store.apply(batchOf(...operations(0, 200)))
    const meanwhile = Array.from({ length: 10 }, (_, i) =>
      other.apply(batchOf(...operations(200 + 10 * i, 210 + 10 * i))),
    )
    const ending = store.bulk!.end()
    await Promise.all([ending, ...meanwhile])
    await expectLoaded(store, 300)
  })

  test('begins once, and in an index that is nearly empty', async () => {
    const other = await open()
    expect(await store.bulk!.begin()).toBe(true)
    expect(await store.bulk!.begin()).toBe(false)
    expect(await other.bulk!.begin()).toBe(false)
    // It is not the other's to end.
    await other.bulk!.end()
    expect(store.bulk!.active()).toBe(true)
    await store.apply(batchOf(...operations(0, 10_001)))
    await store.bulk!.end()
    expect(await store.bulk!.begin()).toBe(false)
    expect(await other.bulk!.begin()).toBe(false)
  })

  test('needs the collections', async () => {
    const untold = await database.connect()
    expect(await failureOf(() => untold.bulk!.begin())).toBeInstanceOf(LexidexError)
    expect(untold.bulk!.active()).toBe(false)
  })

  test('lets unique indexes of the user stand', async () => {
    store.database.exec('CREATE UNIQUE INDEX mine ON rsvp (subject_uri, did)')
    await store.bulk!.begin()
    const one = put({ collection: rsvp, rev: 1, record: { subject: { uri: 'at://x' } } })
    await store.apply(batchOf(one))
    const two = { ...one, uri: `${one.uri}2`, rkey: 'one2' }
    expect(await failureOf(() => store.apply(batchOf(two)))).toBeInstanceOf(Error)
    await store.bulk!.end()
    expect(await rowsOf(store, 'rsvp')).toHaveLength(1)
  })

  test('that goes on is left to whoever began it: others neither end it nor migrate', async () => {
    await store.bulk!.begin()
    await store.apply(batchOf(...operations(0, 40)))
    const warnings: string[] = []
    const other = await open(warnings)
    expect(warnings).toEqual([])
    expect(other.bulk!.active()).toBe(true)
    const more = [...database.migrations, { name: '0002_more', statements: ['DROP TRIGGER meetup_rsvps_insert'] }]
    const refused = await failureOf(() => other.migrate(more))
    expect(refused).toBeInstanceOf(LexidexError)
    expect((refused as LexidexError).message).toContain('bulk')
    await store.bulk!.end()
    expect(other.migrate(more)).toEqual(['0002_more'])
  })

  test('that was cut short is ended by the next start, before migrations too', async () => {
    await store.bulk!.begin()
    await store.apply(batchOf(...operations(0, 400)))
    await store.close()
    const reader = await database.connect({ readonly: true, logger: silent })
    reader.use(collections)
    expect(reader.bulk!.active()).toBe(true)
    const warnings: string[] = []
    const again = await open(warnings)
    expect(warnings).toHaveLength(1)
    expect(again.bulk!.active()).toBe(false)
    await expectLoaded(again, 400)
    expect(reader.bulk!.active()).toBe(false)
  })
})

describe('kill -9', () => {
  /** Runs a load of `size` until it has said `killAt` lines, or something that tells how far it is. */
  async function loadUntil(size: number, killAt: number): Promise<void> {
    const child = spawn(process.execPath, ['-C', 'lexidex-source', script, database.path, String(size)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let lines = 0
    child.stdout.on('data', (chunk) => {
      lines += String(chunk).split('\n').length - 1
      if (lines >= killAt) child.kill('SIGKILL')
    })
    await once(child, 'close')
  }

  // The load has 30 batches: the later kills meet it while it ends, or when it has ended.
  test.each([1, 12, 31, 32])('after %i steps leaves rows, counts and words that belong together', async (killAt) => {
    await store.close()
    await loadUntil(3000, killAt)
    const again = await open()
    const { length } = await rowsOf(again, 'meetup')
    const rsvps = (await rowsOf(again, 'rsvp')).length
    expect((length + rsvps) % 100).toBe(0)
    await expectLoaded(again, length + rsvps)
    await again.apply({ operations: operations(3000, 3040), positions: [], now: NOW })
    const added = (await rowsOf(again, 'meetup')).filter((row) => row.rkey >= 'r3000' && row.rkey.length === 5)
    expect(added.map((row) => row.rsvps_count)).toEqual(Array(10).fill(3))
  })
})
