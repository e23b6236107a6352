/**
 * The same list as in `peers.test.ts`: failures of another indexer under load, and where processes are killed or begin
 * together.
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { createClient } from '../../fixtures/apps/calendar/src/lexidex/client.ts'
import { app } from '../../fixtures/apps/calendar/src/lexidex/index.ts'
import { EVENT, RSVP } from '../../fixtures/network/index.ts'
import { serve } from '../../runtime/node/serve.ts'
import { createSqliteStore } from '../../runtime/storage/sqlite/index.ts'
import { bundle, kill, ordersFor, start } from './support/children.ts'
import { eventually, openCalendar, pause } from './support/index.ts'
import { freshPeer, going, soup } from './support/peer.ts'

const current = freshPeer()

describe('4. The cost of a change grows with the number of records, and with the children of its parent', () => {
  const PARENT = `at://did:plc:aaaaaaaaaaaaaaaaaaaaaaaa/${EVENT}/hot`

  function fill(database: DatabaseSync, children: number): void {
    const columns = 'uri, did, rkey, cid, rev, indexed_at, sort_at'
    const values = `'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa', 'hot', 'cid', '3aaaaaaaaaaaa', 1, 1`
    database.exec(`INSERT INTO event (${columns}, record) VALUES ('${PARENT}', ${values}, '{"name":"Soup"}')`)
    database.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${children})
      INSERT INTO rsvp (${columns}, status, subject_uri, record)
      SELECT 'at://guest/' || i, 'did:plc:guest' || i, 'r', 'cid', '3aaaaaaaaaaaa', i, i, '${RSVP}#going', '${PARENT}', '{}'
      FROM n`)
  }

  /** Each changes one child of the hot parent, or the parent itself. */
  const CHANGES = {
    'a new child': `INSERT INTO rsvp (uri, did, rkey, cid, rev, indexed_at, sort_at, status, subject_uri, record)
      VALUES ('at://new', 'did:plc:new', 'r', 'cid', '3aaaaaaaaaaab', 1, 1, '${RSVP}#going', '${PARENT}', '{}')`,
    'a child that changes its answer': `UPDATE rsvp SET status = '${RSVP}#interested' WHERE uri = 'at://guest/1'`,
    'a child that goes elsewhere': `UPDATE rsvp SET subject_uri = 'at://elsewhere' WHERE uri = 'at://guest/2'`,
    'a child that is hidden': `UPDATE rsvp SET hidden = 1 WHERE uri = 'at://guest/3'`,
    'a child that goes': `DELETE FROM rsvp WHERE uri = 'at://guest/4'`,
    'an edited parent': `UPDATE event SET record = '{"name":"Stew"}', rev = '3aaaaaaaaaaac' WHERE uri = '${PARENT}'`,
  }

  test.each(Object.entries(CHANGES))('%s costs the same whatever there is', async (_what, change) => {
    const peer = current()
    await peer.open()
    const changed: number[] = []
    for (const children of [10, 5000]) {
      const store = createSqliteStore(':memory:')
      store.migrate(app.migrations.sqlite!)
      const { database } = store
      fill(database, children)
      // Whatever goes from row to row has one of these in its program, or in a trigger's; a look-up by key has none. Not
      // looked at: what counts changes of a table, in one row for each table.
      let trigger = ''
      const program = database.prepare(`EXPLAIN ${change}`).all()
      const loops = program.filter(({ opcode, p4 }) => {
        if (opcode === 'Init') trigger = String(p4)
        return !/ lexidex_version_/.test(trigger) && /^(?:Next|Prev|VNext|SorterNext)$/.test(String(opcode))
      })
      expect(loops).toEqual([])
      const total = () => Number(database.prepare('SELECT total_changes() AS n').get()!.n)
      const before = total()
      database.exec(change)
      changed.push(total() - before)
      await store.close()
    }
    expect(changed[0]).toBe(changed[1])
  })
})

test('5. Writing starves the event loop: requests time out meanwhile', async () => {
  const peer = current()
  await peer.open({ accounts: 8 })
  const { store } = peer.indexer
  const apply = store.apply.bind(store)
  let begun = 0
  let ended = 0
  store.apply = async (batch, follows) => {
    begun++
    const result = await apply(batch, follows)
    ended++
    return result
  }
  const size = 8000
  for (let i = 0; i < size; i++) peer.emit(peer.network.accounts[i % 8]!.did, `e${i}`, soup(`Soup ${i}`))
  for (const { did } of peer.network.accounts) peer.network.put(did, RSVP, 'r', going('at://did:plc:nobody/x/y'))
  const { url, close } = await serve(peer.indexer, { port: 0 })
  const { event } = createClient(url, { retries: 0 })
  // Huge transactions, each longer than many requests.
  peer.following = peer.indexer.runPersistent({ signal: peer.abort.signal, batchSize: size / 2 })
  await peer.indexer.discover()
  const fetching = peer.indexer.backfill()
  let meanwhile = 0
  for (let last = 0; last < peer.network.log.at(-1)!.time_us; last = await peer.cursor()) {
    const endedBefore = ended
    const isWriting = begun > ended
    await event.listRecords({ limit: 5, search: 'soup' })
    if (isWriting && ended === endedBefore) meanwhile++
  }
  expect(await fetching).toMatchObject({ failed: 0, retrying: 0 })
  await close()
  expect(await peer.count('event')).toBe(size)
  // Requests that came and were answered while one and the same transaction went on.
  expect(meanwhile).toBeGreaterThan(5)
})

describe('8. A bounded cycle bounds only its reading, and the position does not move', () => {
  test('every cycle gets further, and is over', async () => {
    const peer = current()
    await peer.open()
    const size = 2000
    for (let i = 0; i < size; i++) peer.emit(peer.network.accounts[0]!.did, `e${i}`, soup())
    const positions: number[] = []
    const events: number[] = []
    for (let caught = false; !caught; ) {
      const result = await peer.indexer.ingest({ timeoutMs: 30, batchSize: 50, quietMs: 200 })
      positions.push(await peer.cursor())
      events.push(result.events)
      expect(Number(result.position.cursor)).toBe(positions.at(-1))
      caught = result.caughtUp
      expect(positions.length).toBeLessThan(size)
    }
    expect(positions.every((position, i) => i === 0 || position > positions[i - 1]!)).toBe(true)
    expect(await peer.count('event')).toBe(size)
  })

  test('whoever is killed amid a cycle has kept what it did', async () => {
    const peer = current()
    await peer.open()
    for (let i = 0; i < 20_000; i++) peer.emit(peer.network.accounts[0]!.did, `e${i}`, soup())
    const child = await start(await bundle(peer.folder), ordersFor(peer.network, peer.path, 'ingest'))
    await eventually(async () => expect(await peer.cursor()).toBeGreaterThan(1))
    await kill(child)
    const position = await peer.cursor()
    const passed = peer.network.log.filter(({ time_us }) => time_us <= position).length
    expect(passed).toBeGreaterThan(0)
    expect(await peer.count('event')).toBeGreaterThanOrEqual(passed)
  })
})

test('10. Nothing holds the stream back: all of a backlog is read into memory', async () => {
  const peer = current()
  await peer.open({}, { store: { busyTimeoutMs: 100 } })
  let sent = 0
  peer.network.faults.frames = () => {
    sent++
    return undefined
  }
  peer.follow()
  await eventually(() => expect(peer.network.subscribers).toBe(1))
  // Somebody else writes, for as long as they like.
  const other = new DatabaseSync(peer.path)
  other.exec('BEGIN IMMEDIATE')
  const size = 8000
  const description = 'word '.repeat(1600)
  for (let i = 0; i < size; i++) peer.emit(peer.network.accounts[0]!.did, `e${i}`, soup('Soup', { description }))
  await eventually(async () => {
    const before = sent
    await pause(300)
    expect(before).toBeGreaterThan(0)
    expect(sent).toBe(before)
  })
  const held = sent
  other.exec('ROLLBACK')
  other.close()
  // What waits for the database and what lies in sockets.
  expect(held * description.length).toBeLessThan(48_000_000)
  expect(held).toBeLessThan(size)
  await peer.caughtUp()
  expect(sent).toBe(size)
  expect(await peer.count('event')).toBe(size)
})

test('11. Three initialisations of an empty database at a time fail', async () => {
  const peer = current()
  await peer.open()
  const script = await bundle(peer.folder)
  for (let round = 0; round < 3; round++) {
    const empty = join(peer.folder, `empty${round}.sqlite`)
    const at = Date.now() + 700
    const children = await Promise.all([0, 1, 2].map(() => start(script, ordersFor(peer.network, empty, 'follow', at))))
    for (const child of children) await kill(child)
    const opened = await openCalendar(peer.network, { path: empty })
    expect(await opened.db.selectFrom('lexidex_migration').select('name').execute()).toEqual([{ name: '0001_init' }])
    await opened.close()
  }
})
