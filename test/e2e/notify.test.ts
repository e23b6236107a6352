/** Notifications and fetching on demand, of accounts of a real PDS that no stream tells of. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createClient } from '../../fixtures/apps/calendar/src/lexidex/client.ts'
import { createIndexer } from '../../fixtures/apps/calendar/src/lexidex/index.ts'
import { createXrpcClient } from '../../runtime/client/index.ts'
import { createSqliteStore } from '../../runtime/storage/sqlite/index.ts'
import { type RealAccount, type RealNetwork, startRealNetwork } from '../real/atproto.ts'

const EVENT = 'community.lexicon.calendar.event'
const SERVICE = 'did:web:index.example.com'
const METHOD = 'com.example.notifyOfUpdate'

let network: RealNetwork
let alice: RealAccount
let bob: RealAccount
let indexer: ReturnType<typeof createIndexer>
let api: ReturnType<typeof createClient>

beforeAll(async () => {
  network = await startRealNetwork()
  alice = await network.createAccount('alice.test')
  bob = await network.createAccount('bob.test')
})

afterAll(async () => {
  await indexer?.close()
  await network?.close()
})

beforeEach(async () => {
  await indexer?.close()
  indexer = createIndexer(createSqliteStore(':memory:'), {
    jetstreams: [],
    relays: [],
    plc: network.plcUrl,
    allowHosts: ['localhost'],
    notify: { serviceDid: SERVICE },
    logger: { log: () => {}, warn: console.warn, error: console.error },
  })
  await indexer.migrate()
  api = createClient('https://index.test', { fetch: (url, init) => indexer.fetch(new Request(url, init)) })
})

const write = async (account: RealAccount, name: string) => {
  const record = { $type: EVENT, name, createdAt: '2026-01-01T10:00:00.000Z' }
  const { data } = await account.agent.com.atproto.repo.createRecord({
    repo: account.did,
    collection: EVENT,
    record,
    validate: false,
  })
  return data
}

const remove = (account: RealAccount, uri: string) =>
  account.agent.com.atproto.repo.deleteRecord({ repo: account.did, collection: EVENT, rkey: uri.split('/').at(-1)! })

test('what was written is read back at once, and what was deleted is gone', async () => {
  const [picnic, concert] = [await write(alice, 'Picnic'), await write(bob, 'Concert')]
  expect(await indexer.notify([picnic.uri, concert.uri])).toEqual({ indexed: 2, deleted: 0 })
  expect((await api.event.getRecord({ uri: picnic.uri })).cid).toBe(picnic.cid)

  await remove(bob, concert.uri)
  expect(await indexer.notify(concert.uri)).toEqual({ indexed: 0, deleted: 1 })
  expect((await api.event.listRecords()).records.map(({ uri }) => uri)).toEqual([picnic.uri])

  await bob.agent.com.atproto.server.deactivateAccount({})
  expect(await indexer.notify(concert.uri)).toEqual({
    indexed: 0,
    deleted: 0,
    errors: [{ uri: concert.uri, message: expect.stringContaining('RepoDeactivated') }],
  })
  await bob.agent.com.atproto.server.activateAccount()
})

test('a token of the account’s PDS lets it notify of its own records', async () => {
  const [own, other] = [await write(alice, 'Picnic'), await write(bob, 'Concert')]
  const notify = async (uris: string[], claims: { aud: string; lxm: string }) => {
    const { data } = await alice.agent.com.atproto.server.getServiceAuth(claims)
    const xrpc = createXrpcClient('https://index.test', {
      fetch: (url, init) => indexer.fetch(new Request(url, init)),
      headers: { authorization: `Bearer ${data.token}` },
    })
    return xrpc.procedure(METHOD, { uris }).catch((error) => error.status)
  }
  const claims = { aud: SERVICE, lxm: METHOD }
  expect(await notify([own.uri], claims)).toEqual({ indexed: 1, deleted: 0 })
  expect(await notify([own.uri, other.uri], claims)).toBe(403)
  expect(await notify([own.uri], { ...claims, lxm: 'com.example.other' })).toBe(401)
  expect(await notify([own.uri], { ...claims, aud: 'did:web:other.example.com' })).toBe(401)
})

test("the client gets tokens of the account's PDS by itself", async () => {
  const [own, other] = [await write(alice, 'Picnic'), await write(bob, 'Concert')]
  const xrpc = createXrpcClient('https://index.example.com', {
    fetch: (url, init) => indexer.fetch(new Request(url, init)),
    serviceAuth: async (request) => (await alice.agent.com.atproto.server.getServiceAuth(request)).data.token,
  })
  expect(await xrpc.procedure(METHOD, { uris: [own.uri] })).toEqual({ indexed: 1, deleted: 0 })
  await expect(xrpc.procedure(METHOD, { uris: [other.uri] })).rejects.toMatchObject({ status: 403 })
})

test('a list of an account that nobody has told of has its records', async () => {
  const picnic = await write(alice, 'Picnic on demand')
  const { records } = await api.event.listRecords({ did: alice.did })
  expect(records[0]?.uri).toBe(picnic.uri)
  expect(await api.event.listRecords({ did: bob.did, search: 'nothing' })).toEqual({ records: [] })
  const carol = await network.createAccount('carol.test')
  expect(await api.event.listRecords({ did: carol.did })).toEqual({ records: [] })
  const accounts = await indexer.db.selectFrom('lexidex_account').select('did').orderBy('did').execute()
  expect(accounts.map(({ did }) => did)).toEqual([alice.did, bob.did].sort())
})
