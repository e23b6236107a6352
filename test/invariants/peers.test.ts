/**
 * Failures that were measured in another indexer on a log of 112 000 calendar events. Each has a test by its name, which
 * passes here.
 */
import { describe, expect, test } from 'vitest'
import { EVENT, PROFILE, type RecordValue, RSVP } from '../../fixtures/network/index.ts'
import { makeTid } from '../../runtime/core/tid.ts'
import { clientOf, eventually } from './support/index.ts'
import { CID, freshPeer, going, soup } from './support/peer.ts'
import { expectRecount, truth, visible } from './support/visible.ts'

const LIST = 'com.atproto.repo.listRecords'

const current = freshPeer()

function nested(depth: number): unknown {
  let value: unknown = 'deep'
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { value }
  return value
}

/** What must not stop anything: each beside a record that is fine. */
const POISON: Readonly<Record<string, RecordValue>> = {
  nul: soup('So\0up', { description: '\0' }),
  'long text in an index': soup('Long', { mode: `${EVENT}#${'x'.repeat(5000)}` }),
  'text over 1 MB': soup('Huge', { description: 'word '.repeat(300_000) }),
  'nested 1 200 deep': soup('Deep', { more: nested(1200) }),
  'half a character': soup('\ud800 half', { description: '\udfff' }),
  'a number that is none': soup('Odd', { startsAt: 12 as never }),
  'no type': { name: 'Untyped', createdAt: new Date().toISOString() },
  'a time long before time': soup('Old', { createdAt: '0000-00-00T00:00:00Z' }),
}

describe('1. One poison record halts ingest for good', () => {
  test('of the stream: it is cleaned or quarantined with its reason, and the rest goes on', async () => {
    const peer = current()
    await peer.open()
    const { did } = peer.network.accounts[0]!
    peer.follow()
    for (const [name, record] of Object.entries(POISON)) {
      const rkey = name.replaceAll(' ', '-')
      peer.emit(did, `before-${rkey}`, soup())
      peer.emit(did, `poison-${rkey}`, record)
      peer.emit(did, `after-${rkey}`, soup())
    }
    for (const commit of [
      { rev: 'not a tid', operation: 'create', collection: EVENT, rkey: 'r', record: soup(), cid: CID },
      { rev: makeTid(1e15), operation: 'create', collection: EVENT, rkey: 'a/b?c', record: soup(), cid: CID },
      { rev: makeTid(1e15), operation: 'create', collection: EVENT, rkey: 'c', record: soup(), cid: 'no cid' },
      { rev: makeTid(1e15), operation: 'rename', collection: EVENT, rkey: 'd', record: soup(), cid: CID },
      { rev: makeTid(1e15), operation: 'create', collection: EVENT, rkey: 'e', record: null, cid: CID },
      { rev: makeTid(1e15), operation: 'create', collection: EVENT, rkey: 'f', record: 'text', cid: CID },
    ]) {
      peer.network.emit({ did, kind: 'commit', commit: commit as never })
    }
    peer.emit(did, 'last', soup('The last one'))
    await peer.caughtUp()
    const rows = await peer.indexer.db.selectFrom('event').select('rkey').execute()
    const stored = new Set(rows.map(({ rkey }) => rkey))
    const refused = await peer.indexer.listQuarantine()
    for (const name of Object.keys(POISON)) {
      const rkey = name.replaceAll(' ', '-')
      expect(stored.has(`before-${rkey}`) && stored.has(`after-${rkey}`), name).toBe(true)
      const quarantined = refused.find(({ uri }) => uri.endsWith(`poison-${rkey}`))
      expect(stored.has(`poison-${rkey}`) || (quarantined?.reason ?? '') !== '', name).toBe(true)
    }
    expect(stored.has('last')).toBe(true)
    const { records } = await clientOf(peer.indexer).event.listRecords({ limit: 200 })
    expect(records.length).toBe(stored.size)
  })

  test('of a listing: the account is complete without it', async () => {
    const peer = current()
    await peer.open({ accounts: 2 })
    const { did } = peer.network.accounts[0]!
    peer.network.put(did, EVENT, 'before', soup())
    peer.network.put(did, EVENT, 'poison', soup('Spoiled'))
    peer.network.put(did, EVENT, 'wrong', soup(7 as never))
    peer.network.put(did, EVENT, 'yonder', soup())
    peer.network.faults.pds = async ({ method }, answer) => {
      if (method.endsWith('getRepo')) return { status: 501, body: { error: 'MethodNotImplemented' } }
      if (method !== LIST) return
      const { body } = await answer()
      const spoiled = JSON.stringify(body).replace('Spoiled', `${'\\u0000'}${'word '.repeat(300_000)}`)
      return { body: spoiled }
    }
    const { backfilled } = await peer.indexer.backfillAll()
    expect(backfilled).toMatchObject({ failed: 0, retrying: 0 })
    expect(await peer.count('event')).toBeGreaterThanOrEqual(2)
    const refused = await peer.indexer.listQuarantine()
    expect(refused.map(({ uri }) => uri.split('/').at(-1))).toContain('wrong')
    expect((await peer.count('event')) + refused.length).toBe(4)
  })
})

test('2. Updates and deletes between the read of a PDS and the arrival of its answer are lost', async () => {
  const peer = current()
  await peer.open()
  const { did } = peer.network.accounts[0]!
  peer.network.put(did, EVENT, 'changes', soup('Before'))
  peer.network.put(did, EVENT, 'goes', soup('Before'))
  peer.follow()
  await peer.caughtUp()
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const asked = new Promise<void>((resolve) => {
    peer.network.faults.pds = async ({ method }, answer) => {
      if (method.endsWith('getRepo')) return { status: 501, body: { error: 'MethodNotImplemented' } }
      if (method !== LIST) return
      const reply = await answer()
      resolve()
      await released
      return reply
    }
  })
  const fetching = peer.indexer.backfill({ dids: [did] })
  await asked
  peer.network.put(did, EVENT, 'changes', soup('After'))
  peer.network.delete(did, EVENT, 'goes')
  await peer.caughtUp()
  release()
  await fetching
  const { records } = await clientOf(peer.indexer).event.listRecords()
  expect(records.map(({ rkey, value }) => [rkey, value.name])).toEqual([['changes', 'After']])
})

test('3. Account deletions are ignored, and counts stay wrong', async () => {
  const peer = current()
  await peer.open({ accounts: 12 })
  const [host, ...guests] = peer.network.accounts
  for (const [i, event] of ['a', 'b', 'c'].entries()) {
    const { uri } = peer.network.put(host!.did, EVENT, event, soup(event))
    for (const { did } of guests.slice(i * 2)) peer.network.put(did, RSVP, event, going(uri))
  }
  peer.follow()
  await peer.caughtUp()
  await expectCounts([11, 9, 7])
  for (const { did } of guests.slice(5)) peer.network.account(did, { active: false, status: 'deleted' })
  await eventually(() => expectCounts([5, 3, 1]))
  await expectRecount(peer.indexer)
  expect(await peer.count('rsvp')).toBe(9)
  const { found: _, ...seen } = await visible(peer.indexer)
  expect(seen).toEqual(truth(peer.network))
})

async function expectCounts(expected: readonly number[]): Promise<void> {
  const { records } = await clientOf(current().indexer).event.listRecords({ sort: 'rsvpsCount' })
  expect(records.map(({ rsvpsCount }) => rsvpsCount)).toEqual(expected)
}

test('6. Identities are looked up one by one inside the flush', async () => {
  const peer = current()
  await peer.open({ accounts: 60 })
  for (const { did } of peer.network.accounts) peer.network.put(did, EVENT, 'e', soup())
  let answers = 0
  peer.network.faults.plc = () => new Promise(() => {})
  peer.network.faults.pds = () => {
    answers++
    return new Promise(() => {})
  }
  for (const { did, handle } of peer.network.accounts) peer.network.identity(did, handle)
  peer.follow()
  await peer.caughtUp()
  // All of it is there and durable, although nobody has said who anybody is.
  expect(await peer.count('event')).toBe(60)
  expect(answers).toBe(0)
})

test('7. Profiles of actors that are not known yet are dropped', async () => {
  const peer = current()
  await peer.open({ accounts: 80 })
  const [host, ...guests] = peer.network.accounts
  const { uri } = peer.network.put(host!.did, EVENT, 'e', soup())
  for (const { did, handle } of peer.network.accounts) {
    peer.network.put(did, PROFILE, 'self', { $type: PROFILE, displayName: handle })
  }
  for (const { did } of guests) peer.network.put(did, RSVP, 'r', going(uri))
  peer.follow()
  await peer.caughtUp()
  await peer.indexer.backfill()
  expect(await peer.count('profile')).toBe(80)
})

test('9. Children of a busy parent starve those of quiet ones, and lack their CIDs', async () => {
  const peer = current()
  await peer.open({ accounts: 30 })
  const [host, ...guests] = peer.network.accounts
  const busy = peer.network.put(host!.did, EVENT, 'busy', soup('Busy')).uri
  const quiet = peer.network.put(host!.did, EVENT, 'quiet', soup('Quiet')).uri
  const { uri: first } = peer.network.put(guests[0]!.did, RSVP, 'first', going(quiet))
  for (let i = 0; i < 20; i++) for (const { did } of guests) peer.network.put(did, RSVP, `r${i}`, going(busy))
  peer.follow()
  await peer.caughtUp()
  const { records } = await clientOf(peer.indexer).event.listRecords({ hydrateRsvps: 3 })
  const children = new Map(records.map(({ uri, rsvps }) => [uri, rsvps.going ?? []]))
  expect(children.get(quiet)?.map(({ uri }) => uri)).toEqual([first])
  expect(children.get(busy)).toHaveLength(3)
  const cids = new Map(peer.network.records(RSVP).map(({ uri, cid }) => [uri, cid]))
  for (const { uri, cid } of [...children.values()].flat()) expect(cid).toBe(cids.get(uri))
})
