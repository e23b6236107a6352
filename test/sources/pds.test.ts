import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EVENT, type Network, RSVP, startNetwork } from '../../fixtures/network/index.ts'
import { createGuardedFetch, type GuardedFetch } from '../../runtime/identity/guarded-fetch.ts'
import { createPdsClient, type PdsClient, type RecordPage } from '../../runtime/sources/pds.ts'
import { listReposByCollection, type RepoPage } from '../../runtime/sources/relay.ts'
import { createXrpc, ServiceError, type XrpcClient } from '../../runtime/sources/xrpc.ts'

const DID = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'
const PDS = 'https://pds.example.com'

async function collect<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const page of pages) all.push(page)
  return all
}

/** A client whose pages come from `answer`. */
function pagesOf(answer: (params: Record<string, string | number>) => object): PdsClient {
  return createPdsClient({ get: async (_service, _method, params) => answer(params) as Record<string, unknown> })
}

const entry = (rkey: string) => ({ uri: `at://${DID}/${EVENT}/${rkey}`, cid: 'bafyrei', value: { $type: EVENT } })
const listing = { did: DID, collection: EVENT }

describe('listRecords', () => {
  test('goes to the end, over empty pages', async () => {
    const pages: Record<string, object> = {
      '': { records: [entry('c')], cursor: 'c' },
      c: { records: [], cursor: 'b' },
      b: { records: [entry('a')], cursor: 'a' },
      a: { records: [] },
    }
    const found = await collect(pagesOf(({ cursor = '' }) => pages[cursor]!).listRecords(PDS, listing))
    expect(found.map((page) => [page.records.map(({ rkey }) => rkey), page.cursor])).toEqual([
      [['c'], 'c'],
      [[], 'b'],
      [['a'], 'a'],
      [[], null],
    ])
  })

  test('goes on from a cursor', async () => {
    const client = pagesOf(({ cursor }) => (cursor === 'c' ? { records: [entry('b')] } : { records: [entry('z')] }))
    const found = await collect(client.listRecords(PDS, { ...listing, cursor: 'c' }))
    expect(found.flatMap((page) => page.records.map(({ rkey }) => rkey))).toEqual(['b'])
  })

  test.each([
    ['the same cursor', () => 'b'],
    ['a circle', (cursor: string) => (cursor === 'b' ? 'c' : 'b')],
  ])('ends at %s, once it has given what came', async (_what, next) => {
    const client = pagesOf(({ cursor = '' }) => ({ records: [entry('b')], cursor: next(String(cursor)) }))
    const found: RecordPage[] = []
    const walk = async () => {
      for await (const page of client.listRecords(PDS, listing)) found.push(page)
    }
    await expect(walk()).rejects.toThrow('again')
    expect(found.length).toBeGreaterThan(0)
  })

  test('ends where empty pages have no end', async () => {
    let count = 0
    const client = pagesOf(() => ({ records: [], cursor: String(++count) }))
    await expect(collect(client.listRecords(PDS, listing))).rejects.toMatchObject({ kind: 'permanent' })
    expect(count).toBeLessThan(2000)
  })

  test('asks for less where a page is too large', async () => {
    const limits: unknown[] = []
    const client = pagesOf(({ limit }) => {
      limits.push(limit)
      if (Number(limit) > 5) throw new ServiceError('too-large', 'too large')
      return { records: [entry('a')] }
    })
    expect(await collect(client.listRecords(PDS, listing))).toHaveLength(1)
    expect(limits).toEqual([100, 25, 5])
  })

  test('takes only records of the account and collection that it asked for', async () => {
    const strays = [
      { ...entry('a'), uri: `at://did:plc:victim/${EVENT}/a` },
      { ...entry('a'), uri: `at://${DID}/${RSVP}/a` },
      { ...entry('a'), uri: 'https://example.com' },
      { ...entry('a'), cid: 7 },
      { uri: entry('a').uri, cid: 'bafyrei' },
      null,
    ]
    const [page] = await collect(pagesOf(() => ({ records: [...strays, entry('b')] })).listRecords(PDS, listing))
    expect(page!.records.map(({ rkey }) => rkey)).toEqual(['b'])
    expect(page!.strays).toHaveLength(strays.length)
  })

  test.each([{}, { records: null }, { records: {} }])('a page without records is no end: %j', async (body) => {
    await expect(collect(pagesOf(() => body).listRecords(PDS, listing))).rejects.toThrow('without records')
  })
})

describe('getLatestCommit and getRecord', () => {
  test.each([{}, { cid: 'bafyrei' }, { cid: 'bafyrei', rev: 'latest' }])('a commit of no use: %j', async (body) => {
    await expect(pagesOf(() => body).getLatestCommit(PDS, DID)).rejects.toMatchObject({ kind: 'transient' })
  })

  test('a record of no use', async () => {
    const asked = pagesOf(() => ({ uri: 'at://x' })).getRecord(PDS, { did: DID, collection: EVENT, rkey: 'a' })
    await expect(asked).rejects.toMatchObject({ kind: 'transient' })
  })
})

describe('listReposByCollection', () => {
  const pages = (answer: (cursor: string) => object) =>
    collect(
      listReposByCollection({ get: async (_s, _m, { cursor = '' }) => answer(String(cursor)) }, 'https://relay', EVENT),
    )

  test('goes to the end and skips what is no DID', async () => {
    const answers: Record<string, object> = {
      '': { repos: [{ did: 'did:plc:a' }, { did: 'nonsense' }, null], cursor: '1' },
      1: { repos: [{ did: 'did:plc:b' }] },
    }
    expect(await pages((cursor) => answers[cursor]!)).toEqual([
      { dids: ['did:plc:a'], cursor: '1' },
      { dids: ['did:plc:b'], cursor: null },
    ])
  })

  test('ends at a repeated cursor', async () => {
    await expect(pages(() => ({ repos: [], cursor: '1' }))).rejects.toThrow('again')
  })
})

describe('on a network', () => {
  let network: Network
  let fetch: GuardedFetch
  let xrpc: XrpcClient
  let client: PdsClient
  beforeEach(async () => {
    network = await startNetwork({ accounts: 6, events: 260, rsvps: 0, statuses: 0, profiles: 0 })
    fetch = createGuardedFetch({ allowHosts: ['127.0.0.1'] })
    xrpc = createXrpc({ fetch })
    client = createPdsClient(xrpc)
  })
  afterEach(async () => {
    fetch.close()
    await network.close()
  })

  test('lists what the accounts hold', async () => {
    const found: string[] = []
    for (const { did, pds } of network.accounts) {
      for await (const { records } of client.listRecords(pds, { did, collection: EVENT })) {
        found.push(...records.map(({ rkey, cid }) => `at://${did}/${EVENT}/${rkey} ${cid}`))
      }
    }
    expect(found.sort()).toEqual(
      network
        .records(EVENT)
        .map(({ uri, cid }) => `${uri} ${cid}`)
        .sort(),
    )
  })

  test('gives the latest rev, and one record', async () => {
    const { uri, did, rkey, cid, value } = network.records(EVENT)[0]!
    const { pds } = network.accounts.find((account) => account.did === did)!
    expect(await client.getRecord(pds, { did, collection: EVENT, rkey })).toEqual({ rkey, cid, value })
    const { rev } = network.put(did, EVENT, rkey, { ...value, name: 'Another name' })
    expect((await client.getLatestCommit(pds, did)).rev).toBe(rev)
    network.delete(did, EVENT, rkey)
    const gone = client.getRecord(pds, { did, collection: EVENT, rkey })
    await expect(gone, uri).rejects.toMatchObject({ kind: 'record-not-found' })
  })

  test('tells an account that is inactive from one that is not there', async () => {
    const { did, pds } = network.accounts[0]!
    for (const status of ['deactivated', 'suspended', 'takendown']) {
      network.account(did, { active: false, status })
      await expect(client.getLatestCommit(pds, did)).rejects.toMatchObject({ kind: 'inactive' })
    }
    await expect(client.getLatestCommit(pds, DID)).rejects.toMatchObject({ kind: 'repo-not-found' })
  })

  test('finds the accounts of a collection', async () => {
    const authors = new Set(network.records(EVENT).map(({ did }) => did))
    const found: RepoPage[] = await collect(listReposByCollection(xrpc, network.relay, EVENT))
    expect(found.flatMap(({ dids }) => dids).sort()).toEqual([...authors].sort())
  })
})
