/** Refresh and backfill by archive against a real PDS: real trees, real signatures, and no stream at all. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createIndexer } from '../../fixtures/apps/calendar/src/lexidex/index.ts'
import { EVENT, PROFILE, RSVP } from '../../fixtures/network/index.ts'
import { silentLogger } from '../../runtime/core/log.ts'
import { createGuardedFetch } from '../../runtime/identity/guarded-fetch.ts'
import { createResolver } from '../../runtime/identity/resolver.ts'
import { isSignedBy } from '../../runtime/identity/signing-key.ts'
import { fetchRepo } from '../../runtime/sources/repo.ts'
import { createXrpc } from '../../runtime/sources/xrpc.ts'
import { createSqliteStore } from '../../runtime/storage/sqlite/index.ts'
import { type RealAccount, type RealNetwork, startRealNetwork } from './atproto.ts'
import { soup } from './harness.ts'

const COLLECTIONS = [EVENT, RSVP, PROFILE]

let network: RealNetwork
let alice: RealAccount
let bob: RealAccount
let fetch: ReturnType<typeof createGuardedFetch>

beforeAll(async () => {
  network = await startRealNetwork()
  alice = await network.createAccount('alice.test')
  bob = await network.createAccount('bob.test')
  fetch = createGuardedFetch({ allowHosts: ['localhost'] })
  const { data } = await alice.agent.uploadBlob(new Uint8Array([1, 2, 3]), { encoding: 'image/png' })
  await put(alice, PROFILE, 'self', { $type: PROFILE, displayName: 'Alice', avatar: data.blob })
  for (let i = 0; i < 120; i++)
    await put(alice, EVENT, `soup-${i}`, { ...soup(`Soup ${i} ☃`), mode: `${EVENT}#virtual` })
  await put(alice, 'com.example.other', 'x', { $type: 'com.example.other', bytes: new Uint8Array([1, 2, 3]) })
  const subject = {
    uri: `at://${alice.did}/${EVENT}/soup-1`,
    cid: 'bafyreibhczs7h3u5f5gy3bnn66rpftlbncibw7utctvi5dvmzwoehnkoua',
  }
  for (const rkey of ['a', 'b']) await put(bob, RSVP, rkey, { $type: RSVP, subject, status: `${RSVP}#going` })
}, 60_000)

afterAll(async () => {
  fetch?.close()
  await network?.close()
})

const put = (account: RealAccount, collection: string, rkey: string, record: Record<string, unknown>) =>
  account.agent.com.atproto.repo.putRecord({ repo: account.did, collection, rkey, record, validate: false })
const remove = (account: RealAccount, collection: string, rkey: string) =>
  account.agent.com.atproto.repo.deleteRecord({ repo: account.did, collection, rkey })

async function open() {
  const indexer = createIndexer(createSqliteStore(':memory:'), {
    jetstreams: [],
    relays: [],
    plc: network.plcUrl,
    allowHosts: ['localhost', '127.0.0.1'],
    logger: silentLogger,
  })
  await indexer.migrate()
  return indexer
}

type Indexer = Awaited<ReturnType<typeof open>>

async function rows({ db }: Indexer) {
  const tables = ['event', 'rsvp', 'profile'] as const
  const all = await Promise.all(tables.map((table) => db.selectFrom(table).selectAll().orderBy('uri').execute()))
  return all.flat().map(({ id: _id, indexed_at: _at, ...row }) => row)
}

test('an archive holds the records as listRecords gives them, byte for byte, and is signed', async () => {
  const xrpc = createXrpc({ fetch, stream: fetch.stream })
  const { signingKey } = await createResolver({ plc: network.plcUrl, allowHosts: ['localhost'] }).resolve(alice.did)
  const listed: string[] = []
  for (const collection of [...COLLECTIONS, 'com.example.other']) {
    const found: string[] = []
    let cursor: string | undefined
    do {
      const params = { repo: alice.did, collection, limit: 100, ...(cursor ? { cursor } : {}) }
      const page = await xrpc.get(network.pdsUrl, 'com.atproto.repo.listRecords', params)
      for (const { uri, cid, value } of page.records) found.push(`${uri} ${cid} ${JSON.stringify(value)}`)
      cursor = page.cursor
    } while (cursor)
    listed.push(...found.sort())
  }
  const options = {
    collections: [...COLLECTIONS, 'com.example.other'],
    verifySignature: (signed: Uint8Array, signature: Uint8Array) => isSignedBy(signingKey!, signed, signature),
  }
  const archived = await fetchRepo(xrpc, network.pdsUrl, alice.did, options, async (repo) => {
    const latest = await xrpc.get(network.pdsUrl, 'com.atproto.sync.getLatestCommit', { did: alice.did })
    expect({ rev: repo.rev, cid: repo.commit }).toEqual(latest)
    return options.collections.flatMap((collection) =>
      [...repo.records(collection)]
        .map(({ rkey, cid, value }) => `at://${alice.did}/${collection}/${rkey} ${cid} ${JSON.stringify(value)}`)
        .sort(),
    )
  })
  expect(archived).toEqual(listed)

  const others = await createResolver({ plc: network.plcUrl, allowHosts: ['localhost'] }).resolve(bob.did)
  expect(others.signingKey).not.toEqual(signingKey)
  const verifySignature = (signed: Uint8Array, signature: Uint8Array) =>
    isSignedBy(others.signingKey!, signed, signature)
  const forged = fetchRepo(xrpc, network.pdsUrl, alice.did, { ...options, verifySignature }, async () => {})
  await expect(forged).rejects.toMatchObject({ kind: 'incomplete', message: expect.stringContaining('not signed') })
})

test('a backfill by archives and one by listings give the same rows, byte for byte', async () => {
  const dids = [alice.did, bob.did]
  const byArchive = await open()
  await byArchive.backfill({ dids })
  const byListing = await open()
  // A job that was begun is listed.
  await byListing.backfill({ dids, signal: AbortSignal.abort() })
  await byListing.db.updateTable('lexidex_job').set({ attempts: 1 }).execute()
  await byListing.backfill()
  expect(await rows(byListing)).toHaveLength(123)
  expect(await rows(byArchive)).toEqual(await rows(byListing))
  await byArchive.close()
  await byListing.close()
})

test('a refresh makes up for creates, updates and deletes that nobody told of', async () => {
  const indexer = await open()
  await indexer.backfill({ dids: [alice.did, bob.did] })
  const quiet = { ignoreWindowMs: 0, verifySignature: true }
  expect((await indexer.refresh(quiet)).total).toEqual({ missing: 0, staleUpdates: 0, inSync: 123, deleted: 0 })

  await put(alice, EVENT, 'new', soup('New'))
  await put(alice, EVENT, 'soup-3', soup('Changed'))
  await remove(alice, EVENT, 'soup-5')
  await remove(bob, RSVP, 'a')
  const result = await indexer.refresh(quiet)
  expect(result).toMatchObject({ usersScanned: 2, usersFailed: 0, usersPartial: 0, usersSkipped: 0 })
  expect(result.total).toEqual({ missing: 1, staleUpdates: 1, inSync: 119 + 1, deleted: 2 })
  const events = await indexer.db.selectFrom('event').select(['uri', 'rsvps_count']).execute()
  expect(events).toHaveLength(120)
  expect(events.find(({ uri }) => uri.endsWith('/soup-1'))?.rsvps_count).toBe(1)
  expect(await indexer.refresh(quiet)).toMatchObject({ usersSkipped: 2 })

  const fresh = await open()
  await fresh.backfill({ dids: [alice.did, bob.did] })
  const bare = (all: Awaited<ReturnType<typeof rows>>) => all.map(({ rev: _rev, sort_at: _sort, ...row }) => row)
  expect(bare(await rows(indexer))).toEqual(bare(await rows(fresh)))
  await fresh.close()
  await indexer.close()
}, 60_000)
