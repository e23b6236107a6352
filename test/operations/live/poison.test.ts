import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { app } from '../../../fixtures/apps/calendar/src/lexidex/index.ts'
import { cidOf } from '../../../fixtures/network/cid.ts'
import { EVENT, RSVP } from '../../../fixtures/network/index.ts'
import { createAdmission } from '../../../runtime/admission/admit.ts'
import { createApplier } from '../../../runtime/apply/applier.ts'
import { makeTid } from '../../../runtime/core/tid.ts'
import { createRouter } from '../../../runtime/serving/router.ts'
import { decodeFrame } from '../../../runtime/sources/frame.ts'
import type { Store } from '../../../runtime/storage/store.ts'
import { databases } from '../../storage/databases.ts'
import type { Database, OpenDatabase } from '../../storage/harness.ts'
import { openSqlite } from '../../storage/sqlite-harness.ts'

/** Frames of Jetstream, through decoding, admission and the applier into a database, and out by the router. */

const DID = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'
const CID = 'bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq'
const START_US = Date.UTC(2026, 0, 15) * 1000
const AROUND = 10

let store: Store

/** A database of its own for each test of the suite that calls this. */
function freshStore(open: OpenDatabase): void {
  let database: Database
  beforeEach(async () => {
    database = await open()
    store = await database.connect()
    await store.migrate(app.migrations[database.dialect]!)
    await store.use(app.collections)
  })
  afterEach(() => database.drop())
}

const soup = (changes: object = {}) => ({ $type: EVENT, name: 'Soup', createdAt: '2026-01-15T09:00:00Z', ...changes })

function frame(n: number, commit: object = {}): Record<string, any> {
  const base = { rev: makeTid(START_US + n), operation: 'create', collection: EVENT, rkey: `n${n}`, cid: CID }
  return { did: DID, time_us: START_US + n, kind: 'commit', commit: { ...base, record: soup(), ...commit } }
}

/** Sends poison amid good frames, all of them in one batch, and says what came of it. */
async function send(poison: object | string, options: { verifyCid?: boolean; cid?: string } = {}) {
  const { verifyCid = false, cid = CID } = options
  const admission = createAdmission({ collections: app.collections, schemas: app.schemas, verifyCid })
  const applier = createApplier({ store, admission, batchSize: 1000 })
  const lines: (object | string)[] = Array.from({ length: 2 * AROUND }, (_, n) => frame(n, { cid }))
  lines.splice(AROUND, 0, poison)
  for (const line of lines) {
    const { event, timeUs } = decodeFrame(typeof line === 'string' ? line : JSON.stringify(line))
    const position = timeUs === null ? null : { source: 'jetstream', epoch: 'host', cursor: String(timeUs) }
    applier.push({ event, position })
  }
  await applier.flush()
  const { rejected, quarantined, dropped, applied } = applier.stats()
  await applier.close()
  const cursor = await store.db.selectFrom('lexidex_cursor').select('cursor').executeTakeFirstOrThrow()
  expect(cursor).toEqual({ cursor: String(START_US + 2 * AROUND - 1) })
  const good = await store.db.selectFrom('event').select('rkey').where('rkey', 'like', 'n%').execute()
  expect(good).toHaveLength(2 * AROUND)
  expect(dropped).toBe(0)
  return { rejected, quarantined, taken: applied - 2 * AROUND }
}

const TAKEN = { rejected: 0, quarantined: 0, taken: 1 }
const QUARANTINED = { rejected: 0, quarantined: 1, taken: 0 }
const REJECTED = { rejected: 1, quarantined: 0, taken: 0 }
const IGNORED = { rejected: 0, quarantined: 0, taken: 0 }

const poisoned = (record: unknown) => frame(AROUND, { rkey: 'poison', record })

/** A frame whose record is written as text, for what JavaScript would not write itself. */
function poisonedText(record: string): string {
  return JSON.stringify(poisoned('RECORD')).replace('"RECORD"', () => record)
}

async function reasons(): Promise<string[]> {
  const rows = await store.db.selectFrom('lexidex_quarantine').select('reason').execute()
  return rows.map(({ reason }) => reason)
}

async function listed(query: string): Promise<any[]> {
  const router = createRouter({ app, store })
  const response = await router.fetch(new Request(`http://localhost/xrpc/com.example.event.listRecords?${query}`))
  return ((await response.json()) as any).records
}

const nested = (depth: number) =>
  `{"name":"Soup","createdAt":"2026-01-15T09:00:00Z","x":${'['.repeat(depth)}${']'.repeat(depth)}}`

describe.each(databases)('$name', ({ open }) => {
  freshStore(open)

  describe('a record is taken', () => {
    test('with NUL in searched and indexed text', async () => {
      expect(await send(poisoned(soup({ name: 'Sour\0dough bread', mode: 'in\0person' })))).toEqual(TAKEN)
      expect(await listed('search=bread')).toMatchObject([{ value: { name: 'Sour\0dough bread' } }])
      expect(await listed('mode=inperson')).toHaveLength(1)
    })

    test('with half a surrogate pair', async () => {
      expect(await send(poisoned(soup({ name: 'Broken \ud800 bread', mode: 'a\udc00' })))).toEqual(TAKEN)
      expect(await listed('search=bread')).toHaveLength(1)
      expect(await listed(`mode=${encodeURIComponent('a\ufffd')}`)).toHaveLength(1)
    })

    test.each([3000, 100_000])('with indexed text of %i characters', async (length) => {
      const mode = 'x'.repeat(length)
      expect(await send(poisoned(soup({ mode })))).toEqual(TAKEN)
      expect(await listed(`mode=${mode.slice(0, 1024)}`)).toMatchObject([{ value: { mode } }])
    })

    test.each([
      ['one word', 'x'.repeat(1_500_000)],
      ['many words', Array.from({ length: 200_000 }, (_, i) => `w${i.toString(36)}`).join(' ')],
    ])('with searched text of more than 1 MB: %s', async (_what, text) => {
      expect(text.length).toBeGreaterThan(1_000_000)
      expect(await send(poisoned(soup({ name: 'Bread', description: text })))).toEqual(TAKEN)
      expect(await listed('search=bread')).toHaveLength(1)
    })

    test('without $type', async () => {
      expect(await send(poisoned({ name: 'Soup', createdAt: '2026-01-15T09:00:00Z' }))).toEqual(TAKEN)
    })

    test('with names that mean something to JavaScript', async () => {
      const text = '{"name":"Bread","createdAt":"2026-01-15T09:00:00Z","constructor":1,"toString":null,"length":-1}'
      expect(await send(poisonedText(text))).toEqual(TAKEN)
      expect(await listed('search=bread')).toHaveLength(1)
    })

    test('with numbers that no integer column holds', async () => {
      expect(await send(poisonedText(nested(3).replace('[[[]]]', '[1e400,-0,9007199254740993]')))).toEqual(TAKEN)
    })
  })

  describe('a record is quarantined', () => {
    test.each([129, 1200, 100_000])('nested %i deep', async (depth) => {
      expect(await send(poisonedText(nested(depth)))).toEqual(QUARANTINED)
      expect(await reasons()).toEqual(['Record nests deeper than 128 levels'])
    })

    test('with a name that would change what it is', async () => {
      const text = '{"name":"Bread","createdAt":"2026-01-15T09:00:00Z","__proto__":{"name":1}}'
      expect(await send(poisonedText(text))).toEqual(QUARANTINED)
    })

    test('longer than two million characters', async () => {
      expect(await send(poisoned(soup({ description: 'word '.repeat(400_000) })))).toEqual(QUARANTINED)
      expect(await reasons()).toEqual([expect.stringContaining('2000000')])
    })

    test.each([
      ['of another type', soup({ $type: 'com.example.other' })],
      ['without what its lexicon requires', { $type: EVENT, name: 'Soup' }],
      ['that is a list', []],
      ['that is text', 'Soup'],
      ['that is null', null],
    ])('%s', async (_what, record) => {
      expect(await send(poisoned(record))).toEqual(QUARANTINED)
      expect(await store.db.selectFrom('lexidex_quarantine').select(['cid', 'record']).execute()).toEqual([
        { cid: CID, record: JSON.stringify(record) },
      ])
    })

    test('and hides the version before it', async () => {
      await send(frame(AROUND, { rkey: 'p1', record: soup({ name: 'Hidden later' }) }))
      expect(await listed('search=hidden')).toHaveLength(1)
      const later = frame(2 * AROUND - 1, { rkey: 'p1', operation: 'update', record: soup({ name: 2 }) })
      await send(later)
      expect(await listed('search=hidden')).toEqual([])
    })
  })

  test('a record with pointers and groups that fill an index page is taken or quarantined, and nothing else is', async () => {
    // Of letters that no index page can hold in fewer bytes.
    const noise = (length: number) => randomBytes(length).toString('base64url').slice(0, length)
    const subject = { uri: `at://did:web:${noise(1000)}/${EVENT}/x`, cid: CID }
    const record = { $type: RSVP, subject, status: noise(2000), createdAt: '2026-01-15T09:00:00Z' }
    const line = { ...frame(AROUND, { collection: RSVP, rkey: noise(500), record }), did: `did:web:${noise(1500)}` }
    const { rejected, quarantined, taken } = await send(line)
    expect([rejected, quarantined + taken]).toEqual([0, 1])
    if (store.dialect === 'postgres')
      expect(await reasons()).toEqual([expect.stringContaining('The database refused it')])
  })
})

describe('whatever the database', () => {
  freshStore(() => openSqlite('inline'))

  describe('a frame is rejected', () => {
    test.each<[string, object]>([
      ['with a rev that is no TID', frame(AROUND, { rev: '12' })],
      ['with a rev of the future that is none', frame(AROUND, { rev: 'zzzzzzzzzzzzz' })],
      ['with a key that leads elsewhere', frame(AROUND, { rkey: '../../admin' })],
      ['with a key of a megabyte', frame(AROUND, { rkey: 'k'.repeat(1_000_000) })],
      ['with a collection that is none', frame(AROUND, { collection: 'not a collection' })],
      ['with a CID that is none', frame(AROUND, { cid: "'; DROP TABLE event; --" })],
      ['with a DID that is none', { ...frame(AROUND), did: 'did:plc:\0' }],
      ['about an account with no DID', { did: 'a\0b', time_us: START_US, kind: 'account', account: { active: false } }],
      ['about an identity with no DID', { did: 'x'.repeat(10_000), time_us: START_US, kind: 'identity', identity: {} }],
    ])('%s', async (_what, line) => {
      expect(await send(line)).toEqual(REJECTED)
    })
  })

  describe('a frame is passed over', () => {
    test.each<[string, object | string]>([
      ['of an unknown kind', { ...frame(AROUND), kind: 'from-the-future' }],
      ['without a kind', { did: DID, time_us: START_US }],
      ['of an unknown operation', frame(AROUND, { operation: 'merge' })],
      ['without a commit', { did: DID, time_us: START_US, kind: 'commit' }],
      ['of another collection', frame(AROUND, { collection: 'com.example.other' })],
      [
        'about an account that nobody knows',
        { did: 'did:plc:nobody', time_us: START_US, kind: 'account', account: { active: false } },
      ],
      ['that is no JSON', '{"did":'],
      ['that is no object', '[]'],
      ['that is empty', ''],
      ['that is nested 100 000 deep', '['.repeat(100_000)],
    ])('%s', async (_what, line) => {
      expect(await send(line)).toEqual(IGNORED)
    })
  })

  describe('with verifyCid', () => {
    const cid = cidOf(soup())

    test('a record with the content of its CID is taken, links, bytes and blobs among it', async () => {
      const record = soup({
        link: { $link: CID },
        bytes: { $bytes: 'AQID' },
        image: { $type: 'blob', ref: { $link: CID.replace('bafy', 'bafk') }, mimeType: 'image/png', size: 10 },
      })
      const line = frame(AROUND, { rkey: 'linked', record, cid: cidOf(record) })
      expect(await send(line, { verifyCid: true, cid })).toEqual(TAKEN)
    })

    test('a record with other content is quarantined', async () => {
      const forged = frame(AROUND, { rkey: 'forged', record: soup({ name: 'Not what was signed' }), cid })
      expect(await send(forged, { verifyCid: true, cid })).toEqual(QUARANTINED)
      expect(await reasons()).toEqual([`Record has the CID ${cidOf(forged.commit.record)}, not ${cid}`])
    })

    test('so is one that no repo can hold', async () => {
      const forged = frame(AROUND, { rkey: 'forged', record: soup({ price: 1.5 }), cid })
      expect(await send(forged, { verifyCid: true, cid })).toEqual(QUARANTINED)
      expect(await reasons()).toEqual([expect.stringContaining('Record has no CID')])
    })

    test('without it the source is trusted', async () => {
      expect(await send(frame(AROUND, { rkey: 'forged', record: soup({ name: 'Not what was signed' }), cid }))).toEqual(
        TAKEN,
      )
    })
  })
})
