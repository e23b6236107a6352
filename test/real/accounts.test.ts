/** What becomes of accounts, on a real PDS and a real PLC directory: the index follows in reads and counts. */
import { AtpAgent } from '@atproto/api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { EVENT, RSVP } from '../../fixtures/network/index.ts'
import { type CalendarIndexer, eventually, openIndexer } from '../operations/support.ts'
import { type RealAccount, type RealNetwork, startRealNetwork } from './atproto.ts'
import { type Bridge, startBridge } from './bridge.ts'
import { soup } from './harness.ts'

let network: RealNetwork
let bridge: Bridge
let alice: RealAccount
let bob: RealAccount
let indexer: CalendarIndexer
let uri: string
const abort = new AbortController()
let following: Promise<void> | undefined

beforeAll(async () => {
  network = await startRealNetwork()
  bridge = await startBridge(network.pdsUrl)
  alice = await network.createAccount('alice.test')
  bob = await network.createAccount('bob.test')
  const event = await write(alice, EVENT, soup())
  uri = event.uri
  await write(bob, EVENT, soup('Bread'))
  await write(bob, RSVP, { $type: RSVP, subject: { uri, cid: event.cid }, status: `${RSVP}#going` })

  const services = { plc: network.plcUrl, relay: bridge.relay, jetstream: bridge.jetstream, pds: [network.pdsUrl] }
  indexer = await openIndexer(services)
  await indexer.backfillAll()
  following = indexer.runPersistent({ signal: abort.signal, flushIntervalMs: 20 })
  await eventually(async () => expect(await seen()).toEqual({ names: ['Bread', 'Soup'], going: 1 }))
  await eventually(async () => expect((await account(bob.did)).handle).toBe('bob.test'))
}, 60_000)

afterAll(async () => {
  abort.abort()
  await following
  await indexer?.close()
  await bridge?.close()
  await network?.close()
})

async function write(by: RealAccount, collection: string, record: Record<string, unknown>) {
  const { data } = await by.agent.com.atproto.repo.createRecord({ repo: by.did, collection, record, validate: false })
  return data
}

/** What readers see: names of the events, and who is going to the one of Alice's. */
async function seen(actor = '') {
  const response = await indexer.fetch(new Request(`http://localhost/xrpc/com.example.event.listRecords?${actor}`))
  const { records }: any = await response.json()
  const names = records.map((record: any) => record.value.name).sort()
  return { names, going: records.find((record: any) => record.uri === uri)?.rsvpsGoingCount }
}

function account(did: string) {
  return indexer.db.selectFrom('lexidex_account').selectAll().where('did', '=', did).executeTakeFirstOrThrow()
}

const shows = (names: string[], going?: number) =>
  eventually(async () => expect(await seen()).toEqual({ names, going }))

const admin = (method: string, input: object) => {
  const agent = new AtpAgent({ service: network.pdsUrl })
  return agent.call(`com.atproto.admin.${method}`, {}, input, {
    headers: network.adminHeaders,
    encoding: 'application/json',
  })
}

test('deactivated and activated again', async () => {
  await bob.agent.com.atproto.server.deactivateAccount({})
  await shows(['Soup'])
  expect(await account(bob.did)).toMatchObject({ status: 'deactivated', hidden: 1 })
  await bob.agent.com.atproto.server.activateAccount()
  await shows(['Bread', 'Soup'], 1)
  expect(await account(bob.did)).toMatchObject({ status: 'active', hidden: 0, handle: 'bob.test' })
})

test('taken down by an admin, and restored', async () => {
  const subject = { $type: 'com.atproto.admin.defs#repoRef', did: bob.did }
  await admin('updateSubjectStatus', { subject, takedown: { applied: true, ref: 'spam' } })
  await shows(['Soup'])
  expect(await account(bob.did)).toMatchObject({ status: 'takendown' })
  await admin('updateSubjectStatus', { subject, takedown: { applied: false } })
  await shows(['Bread', 'Soup'], 1)
})

test('a handle that changes', async () => {
  await bob.agent.com.atproto.identity.updateHandle({ handle: 'robert.test' })
  await eventually(async () => expect((await account(bob.did)).handle).toBe('robert.test'))
  expect((await seen('actor=robert.test')).names).toEqual(['Bread'])
  await alice.agent.com.atproto.identity.updateHandle({ handle: 'bob.test' })
  await eventually(async () => expect((await account(alice.did)).handle).toBe('bob.test'))
  expect((await seen('actor=bob.test')).names).toEqual(['Soup'])
})

test('deleted', async () => {
  await admin('deleteAccount', { did: bob.did })
  await shows(['Soup'])
  await eventually(async () =>
    expect(await account(bob.did)).toMatchObject({ status: 'deleted', hidden: 2, handle: null }),
  )
  for (const table of ['event', 'rsvp', 'lexidex_job'] as const) {
    expect(await indexer.db.selectFrom(table).select('did').where('did', '=', bob.did).execute()).toEqual([])
  }
})
