import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Account, EVENT, type Network, startNetwork } from '../../../fixtures/network/index.ts'
import { type CalendarIndexer, eventually, openIndexer } from '../support.ts'

/** Accounts as the stream tells of them, to what readers see. */

let network: Network
let indexer: CalendarIndexer
let bob: Account
let abort: AbortController
let following: Promise<void>

beforeEach(async () => {
  const baseDate = new Date().toISOString()
  network = await startNetwork({ accounts: 8, events: 8, rsvps: 40, retained: 0, baseDate, clock: Date.now })
  indexer = await openIndexer(network)
  await indexer.backfillAll()
  bob = network.accounts.find(({ did }) => network.records(EVENT).some((event) => event.did === did))!
  abort = new AbortController()
  following = indexer.runPersistent({ signal: abort.signal, flushIntervalMs: 20 })
  await eventually(() => expect(network.subscribers).toBe(1))
  await eventually(async () => expect((await indexer.status()).checks.unresolved).toBe(0))
})
afterEach(async () => {
  abort.abort()
  await following
  await indexer.close()
  await network.close()
})

async function account(did: string) {
  return indexer.db.selectFrom('lexidex_account').selectAll().where('did', '=', did).executeTakeFirstOrThrow()
}

async function listed(actor: string): Promise<string[]> {
  const path = `http://localhost/xrpc/com.example.event.listRecords?limit=100&actor=${actor}`
  const body: any = await (await indexer.fetch(new Request(path))).json()
  return (body.records ?? []).map((record: any) => record.uri).sort()
}

const held = (did: string) =>
  network
    .records(EVENT)
    .filter((event) => event.did === did)
    .map(({ uri }) => uri)
    .sort()

/** Every count is what a recount of the rows that are shown gives. */
async function expectRecount() {
  const events = await indexer.db.selectFrom('event').select(['uri', 'rsvps_count', 'rsvps_going_count']).execute()
  const rsvps = await indexer.db.selectFrom('rsvp').select(['subject_uri', 'status']).where('hidden', '=', 0).execute()
  for (const event of events) {
    const own = rsvps.filter(({ subject_uri }) => subject_uri === event.uri)
    const going = own.filter(({ status }) => status?.endsWith('#going'))
    expect([event.rsvps_count, event.rsvps_going_count]).toEqual([own.length, going.length])
  }
}

test('status, handle and removal follow the stream', async () => {
  const before = held(bob.did)
  expect(await listed(bob.handle)).toEqual(before)

  network.account(bob.did, { active: false, status: 'deactivated' })
  await eventually(async () => expect(await listed(bob.did)).toEqual([]))
  await expectRecount()

  network.account(bob.did, { active: true })
  await eventually(async () => expect(await listed(bob.did)).toEqual(before))
  await expectRecount()

  network.identity(bob.did, 'robert.test')
  await eventually(async () => expect(await listed('robert.test')).toEqual(before))

  network.account(bob.did, { active: false, status: 'deleted' })
  await eventually(async () => expect(await account(bob.did)).toMatchObject({ hidden: 2, handle: null }))
  expect(await listed(bob.did)).toEqual([])
  await expectRecount()
})

test('what the old host says after a move changes nothing', async () => {
  const to = network.pds.find((url) => url !== bob.pds)!
  network.move(bob.did, to)
  await eventually(async () => expect(await account(bob.did)).toMatchObject({ pds: to, check_due_at: null }))
  expect(await account(bob.did)).toMatchObject({ status: 'active', handle: bob.handle })
  expect(await listed(bob.did)).toEqual(held(bob.did))
})

test('a directory that does not answer holds up nothing', async () => {
  let asked = 0
  network.faults.plc = () => {
    asked++
    return new Promise(() => {})
  }
  for (const { did, handle } of network.accounts) network.identity(did, handle)
  const name = 'While everybody waits'
  const { uri } = network.put(bob.did, EVENT, undefined, { $type: EVENT, name, createdAt: new Date().toISOString() })
  await eventually(async () => expect(await listed(bob.did)).toContain(uri))
  await eventually(() => expect(asked).toBeGreaterThan(0))
})

test('hints are durable: they are followed after a restart', async () => {
  abort.abort()
  await following
  network.faults.plc = () => new Promise(() => {})
  network.account(bob.did, { active: false, status: 'suspended' })
  abort = new AbortController()
  following = indexer.runPersistent({ signal: abort.signal, flushIntervalMs: 20 })
  await eventually(async () => expect((await account(bob.did)).check_due_at).not.toBeNull())
  abort.abort()
  await following
  expect(await account(bob.did)).toMatchObject({ status: 'active' })

  delete network.faults.plc
  abort = new AbortController()
  following = indexer.runPersistent({ signal: abort.signal, flushIntervalMs: 20 })
  await eventually(async () =>
    expect(await account(bob.did)).toMatchObject({ status: 'suspended', check_due_at: null }),
  )
})
