import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { app } from '../../../fixtures/apps/calendar/src/lexidex/index.ts'
import type { Database } from '../../../fixtures/apps/calendar/src/lexidex/tables.ts'
import { EVENT, type Network, RSVP, startNetwork } from '../../../fixtures/network/index.ts'
import type { CollectionDef } from '../../../runtime/core/collection.ts'
import { silentLogger } from '../../../runtime/core/log.ts'
import { createIndexer, type Indexer, type IndexerOptions } from '../../../runtime/indexer.ts'
import { createSqliteStore } from '../../../runtime/storage/sqlite/index.ts'

let network: Network
let directory: string
let indexer: Indexer<Database>
let did: string

beforeEach(async () => {
  const present = { baseDate: new Date().toISOString(), clock: Date.now }
  network = await startNetwork({ ...present, accounts: 2, events: 0, rsvps: 0, statuses: 0, profiles: 0 })
  did = network.accounts[0]!.did
  directory = mkdtempSync(path.join(tmpdir(), 'lexidex-quarantine-'))
})
afterEach(async () => {
  await indexer?.close()
  await network.close()
  rmSync(directory, { recursive: true })
})

/** Opens the index as an app whose collections are changed, as after another `generate`. */
async function open(change: Partial<CollectionDef>, options: IndexerOptions = {}): Promise<void> {
  await indexer?.close()
  const changed = { ...app, collections: app.collections.map((collection) => ({ ...collection, ...change })) }
  indexer = createIndexer<Database>(changed, createSqliteStore(path.join(directory, 'index.sqlite')), {
    jetstreams: [network.jetstream],
    relays: [network.relay],
    plc: network.plc,
    allowHosts: ['127.0.0.1'],
    logger: silentLogger,
    ...options,
  })
  await indexer.migrate()
}

const put = (rkey: string, changes: object = {}) =>
  network.put(did, EVENT, rkey, { $type: EVENT, name: 'Soup', createdAt: '2026-01-16T09:00:00Z', ...changes })

/** Breaks the letter of the lexicon, not its shape: `strict` refuses it, `lenient` does not. */
const loose = (rkey: string) => put(rkey, { createdAt: 'some day' })
/** Breaks the shape as well: only `off` takes it. */
const broken = (rkey: string) => put(rkey, { name: 7 })

async function rkeys(): Promise<string[]> {
  const rows = await indexer.db.selectFrom('event').select('rkey').orderBy('rkey').execute()
  return rows.map(({ rkey }) => rkey)
}

const quarantined = async () => (await indexer.listQuarantine()).map(({ uri }) => uri.split('/').at(-1))

describe('the list', () => {
  beforeEach(async () => {
    put('fine')
    loose('a')
    broken('b')
    network.put(did, RSVP, 'c', { $type: RSVP, status: 'maybe' })
    await open({ validate: 'strict' })
    await indexer.backfillAll()
  })

  test('has the version and its reason', async () => {
    const [first, ...others] = await indexer.listQuarantine({ collection: 'event' })
    expect(first).toMatchObject({
      uri: `at://${did}/${EVENT}/a`,
      did,
      collection: EVENT,
      reason: expect.stringContaining('createdAt'),
    })
    expect(JSON.parse(first!.record)).toEqual({ $type: EVENT, name: 'Soup', createdAt: 'some day' })
    expect(others).toHaveLength(1)
    expect(await rkeys()).toEqual(['fine'])
    expect((await indexer.status()).quarantine).toHaveLength(3)
  })

  test('can be narrowed, and walked page by page', async () => {
    expect(await indexer.listQuarantine({ collection: RSVP })).toHaveLength(1)
    expect(await indexer.listQuarantine({ uri: `at://${did}/${EVENT}/b` })).toHaveLength(1)
    expect(await indexer.listQuarantine({ collection: 'com.example.gone' })).toEqual([])
    const walked: string[] = []
    for (let after: string | undefined; ; ) {
      const page = await indexer.listQuarantine({ limit: 2, after })
      if (page.length === 0) break
      walked.push(...page.map(({ uri }) => uri))
      after = walked.at(-1)
    }
    expect(walked).toEqual([`at://${did}/${EVENT}/a`, `at://${did}/${EVENT}/b`, `at://${did}/${RSVP}/c`])
  })

  test('of a collection that does not exist is a mistake', async () => {
    await expect(indexer.listQuarantine({ collection: 'evnet' })).rejects.toMatchObject({
      hint: expect.stringContaining('event'),
    })
  })
})

describe('a retry', () => {
  test('takes what passes now, and leaves the rest', async () => {
    for (let i = 0; i < 120; i++) loose(`loose-${i}`)
    for (let i = 0; i < 60; i++) broken(`broken-${i}`)
    await open({ validate: 'strict' })
    await indexer.backfillAll()
    expect(await indexer.retryQuarantine({ all: true })).toEqual({ retried: 180, applied: 0, stillRefused: 180 })
    expect(await rkeys()).toEqual([])

    await open({ validate: 'lenient' })
    expect(await indexer.retryQuarantine({ collection: 'event' })).toEqual({
      retried: 180,
      applied: 120,
      stillRefused: 60,
    })
    expect(await rkeys()).toHaveLength(120)
    await open({ validate: 'off' })
    expect(await indexer.retryQuarantine({ all: true })).toEqual({ retried: 60, applied: 60, stillRefused: 0 })
    expect(await indexer.listQuarantine()).toEqual([])
    expect(await rkeys()).toHaveLength(180)
    expect(await indexer.retryQuarantine({ all: true })).toEqual({ retried: 0, applied: 0, stillRefused: 0 })
  })

  test('can be of one record, or of one collection', async () => {
    loose('a')
    loose('b')
    await open({ validate: 'strict' })
    await indexer.backfillAll()
    await open({ validate: 'lenient' })
    expect(await indexer.retryQuarantine({ uri: `at://${did}/${EVENT}/a` })).toMatchObject({ retried: 1, applied: 1 })
    expect(await indexer.retryQuarantine({ collection: 'rsvp' })).toMatchObject({ retried: 0 })
    expect([await rkeys(), await quarantined()]).toEqual([['a'], ['b']])
  })

  test('is the version that was current: a later one settles it', async () => {
    loose('later')
    loose('gone')
    await open({ validate: 'strict' })
    await indexer.backfillAll()
    put('later', { name: 'Better' })
    network.delete(did, EVENT, 'gone')
    const abort = new AbortController()
    const following = indexer.runPersistent({ signal: abort.signal, flushIntervalMs: 10 })
    await expect.poll(() => indexer.listQuarantine(), { timeout: 10_000 }).toEqual([])
    abort.abort()
    await following
    await open({ validate: 'lenient' })
    expect(await indexer.retryQuarantine({ all: true })).toEqual({ retried: 0, applied: 0, stillRefused: 0 })
    expect(await rkeys()).toEqual(['later'])
  })

  test('forgets what a filter does not want', async () => {
    loose('a')
    await open({ validate: 'strict' })
    await indexer.backfillAll()
    await open({ validate: 'lenient', recordFilter: () => false })
    expect(await indexer.retryQuarantine({ all: true })).toEqual({ retried: 1, applied: 0, stillRefused: 0 })
    expect([await rkeys(), await quarantined()]).toEqual([[], []])
  })

  test('holds to verifyCid', async () => {
    const { cid } = loose('a')
    await open({ validate: 'strict' })
    await indexer.backfillAll()
    await indexer.db
      .updateTable('lexidex_quarantine')
      .set({ cid: cid.replace(/.$/, 'x') })
      .execute()
    await open({ validate: 'lenient' }, { verifyCid: true })
    expect(await indexer.retryQuarantine({ all: true })).toMatchObject({ applied: 0, stillRefused: 1 })
    await indexer.db.updateTable('lexidex_quarantine').set({ cid }).execute()
    expect(await indexer.retryQuarantine({ all: true })).toMatchObject({ applied: 1, stillRefused: 0 })
  })

  test('of what the database refuses leaves it where it is', async () => {
    loose('a')
    loose('b')
    await open({ validate: 'strict' })
    await indexer.backfillAll()
    await open({ validate: 'lenient' })
    const { database } = indexer.store as ReturnType<typeof createSqliteStore>
    database.exec(`CREATE TRIGGER refuse BEFORE INSERT ON event WHEN NEW.rkey = 'a'
      BEGIN SELECT RAISE(ABORT, 'poisoned'); END`)
    expect(await indexer.retryQuarantine({ all: true })).toEqual({ retried: 2, applied: 1, stillRefused: 1 })
    expect([await rkeys(), await quarantined()]).toEqual([['b'], ['a']])
  })
})
