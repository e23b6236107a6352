/**
 * The whole of it against a real PLC directory and a real PDS: accounts write with the official client, the index
 * backfills and follows, the emitted client reads back.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createClient } from '../../fixtures/apps/calendar/src/lexidex/client.ts'
import { createIndexer } from '../../fixtures/apps/calendar/src/lexidex/index.ts'
import { serve } from '../../runtime/node/index.ts'
import { createSqliteStore } from '../../runtime/storage/sqlite/index.ts'
import { type RealAccount, type RealNetwork, startRealNetwork } from '../real/atproto.ts'
import { type Bridge, startBridge } from '../real/bridge.ts'

const EVENT = 'community.lexicon.calendar.event'
const RSVP = 'community.lexicon.calendar.rsvp'

let network: RealNetwork
let bridge: Bridge
let alice: RealAccount
let bob: RealAccount
const cleanups: (() => unknown)[] = []

beforeAll(async () => {
  network = await startRealNetwork()
  bridge = await startBridge(network.pdsUrl)
  alice = await network.createAccount('alice.test')
  bob = await network.createAccount('bob.test')
})

afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup()
  await bridge?.close()
  await network?.close()
})

function write(account: RealAccount, collection: string, record: Record<string, unknown>) {
  return account.agent.com.atproto.repo
    .createRecord({ repo: account.did, collection, record: { $type: collection, ...record }, validate: false })
    .then(({ data }) => data)
}

function rewrite(account: RealAccount, uri: string, record: Record<string, unknown>) {
  const [collection, rkey] = uri.split('/').slice(-2) as [string, string]
  return account.agent.com.atproto.repo.putRecord({
    repo: account.did,
    collection,
    rkey,
    record: { $type: collection, ...record },
    validate: false,
  })
}

function remove(account: RealAccount, uri: string) {
  const [collection, rkey] = uri.split('/').slice(-2) as [string, string]
  return account.agent.com.atproto.repo.deleteRecord({ repo: account.did, collection, rkey })
}

const rsvpTo = (subject: { uri: string; cid: string }, status: string) => ({
  subject: { uri: subject.uri, cid: subject.cid },
  status: `${RSVP}#${status}`,
})

test('backfill and stream of a real PDS, read by the emitted client', async () => {
  const picnic = { name: 'Picnic by the lake', description: 'Bring bread', createdAt: '2026-01-01T10:00:00.000Z' }
  const before = await write(alice, EVENT, { ...picnic, mode: `${EVENT}#inperson`, startsAt: '2026-06-01T10:00:00Z' })
  const answer = await write(bob, RSVP, rsvpTo(before, 'going'))
  await write(alice, 'app.bsky.actor.profile', { displayName: 'Alice' }).catch(() => {})

  const indexer = createIndexer(createSqliteStore(':memory:'), {
    jetstreams: [bridge.jetstream],
    relays: [bridge.relay],
    plc: network.plcUrl,
    allowHosts: ['localhost', '127.0.0.1'],
    logger: { log: () => {}, warn: console.warn, error: console.error },
  })
  await indexer.migrate()
  const { backfilled } = await indexer.backfillAll()
  expect(backfilled.failed).toBe(0)

  const server = await serve(indexer, { port: 0 })
  const stop = new AbortController()
  const following = indexer.runPersistent({ signal: stop.signal, flushIntervalMs: 20 })
  cleanups.push(async () => {
    stop.abort()
    await following
    await server.close()
    await indexer.close()
  })
  const api = createClient(server.url)

  const first = await api.event.listRecords({ hydrateRsvps: 5, rsvpsGoingCountMin: 1 })
  expect(first.records.map((record) => record.uri)).toEqual([before.uri])
  const [event] = first.records
  expect(event).toMatchObject({ did: alice.did, cid: before.cid, rsvpsCount: 1, rsvpsGoingCount: 1 })
  expect(event!.value).toEqual({
    $type: EVENT,
    ...picnic,
    mode: `${EVENT}#inperson`,
    startsAt: '2026-06-01T10:00:00Z',
  })
  expect(event!.rsvps.going?.map((rsvp) => rsvp.uri)).toEqual([answer.uri])

  // Live: a second event, an answer that changes, and one that is taken back.
  const after = await write(alice, EVENT, { name: 'Concert', createdAt: '2026-02-01T10:00:00.000Z' })
  const maybe = await write(bob, RSVP, rsvpTo(after, 'interested'))
  await expect
    .poll(() => api.event.getRecord({ uri: after.uri }).catch(() => null), { timeout: 20_000 })
    .toMatchObject({
      rsvpsInterestedCount: 1,
    })
  await rewrite(bob, maybe.uri, rsvpTo(after, 'going'))
  await expect
    .poll(async () => (await api.event.getRecord({ uri: after.uri })).rsvpsGoingCount, { timeout: 20_000 })
    .toBe(1)
  expect(await api.event.getRecord({ uri: after.uri })).not.toHaveProperty('rsvpsInterestedCount')

  await rewrite(alice, before.uri, { ...picnic, name: 'Picnic in the hall' })
  await remove(bob, answer.uri)
  await expect
    .poll(async () => (await api.event.getRecord({ uri: before.uri })).value.name, { timeout: 20_000 })
    .toBe('Picnic in the hall')
  await expect
    .poll(async () => 'rsvpsCount' in (await api.event.getRecord({ uri: before.uri })), { timeout: 20_000 })
    .toBe(false)

  const found = await api.event.listRecords({ search: 'hall bread' })
  expect(found.records.map((record) => record.uri)).toEqual([before.uri])
  const answers = await api.rsvp.listRecords({ hydrateEvent: true, did: bob.did })
  expect(answers.records.map((record) => [record.uri, record.event?.uri])).toEqual([[maybe.uri, after.uri]])

  await remove(alice, after.uri)
  await expect
    .poll(
      () =>
        api.event.getRecord({ uri: after.uri }).then(
          () => 'there',
          (error) => error.error,
        ),
      { timeout: 20_000 },
    )
    .toBe('RecordNotFound')
  const uris = []
  for await (const record of api.event.iterate({ limit: 1 })) uris.push(record.uri)
  expect(uris).toEqual([before.uri])
})
