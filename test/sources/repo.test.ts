import { existsSync, readFileSync } from 'node:fs'
import { encode } from '@atproto/lex-cbor'
import { lexToJson } from '@atproto/lex-json'
import { MemoryBlockstore, Repo as OfficialRepo, readCarWithRoot } from '@atproto/repo'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cidOfBytes } from '../../fixtures/network/cid.ts'
import {
  type Archive,
  type Block,
  carOf,
  EVENT,
  type Network,
  PROFILE,
  RSVP,
  startNetwork,
} from '../../fixtures/network/index.ts'
import { treeOf } from '../../fixtures/network/tree.ts'
import { createGuardedFetch, type GuardedFetch } from '../../runtime/identity/guarded-fetch.ts'
import { fetchRepo, type RepoRecord } from '../../runtime/sources/repo.ts'
import { createXrpc, type XrpcClient } from '../../runtime/sources/xrpc.ts'

const GET_REPO = 'com.atproto.sync.getRepo'

let network: Network
let fetch: GuardedFetch
let xrpc: XrpcClient
let did: string
let pds: string
beforeEach(async () => {
  network = await startNetwork({ accounts: 3, events: 40, rsvps: 60, pdsCount: 1 })
  fetch = createGuardedFetch({ allowHosts: ['127.0.0.1'] })
  xrpc = createXrpc({ fetch, stream: fetch.stream, retryMs: [1, 1] })
  ;({ did, pds } = network.accounts[0]!)
})
afterEach(async () => {
  fetch.close()
  await network.close()
})

/** The account's records of some collections, and what its commit says. */
async function read(collections = [EVENT, RSVP, PROFILE], options: { maxBytes?: number; signal?: AbortSignal } = {}) {
  return fetchRepo(xrpc, pds, did, { collections, ...options }, async (repo) => ({
    rev: repo.rev,
    version: repo.version,
    commit: repo.commit,
    records: collections.flatMap((collection) => [...repo.records(collection)]),
  }))
}

/** What the network holds of the account, in the order of a repo. */
const held = (collection: string) =>
  network
    .records(collection)
    .filter((record) => record.did === did)
    .sort((a, b) => (a.rkey < b.rkey ? -1 : 1))
    .map(({ rkey, cid, value }): RepoRecord => ({ collection, rkey, cid, value }))

const put = (rkey: string, record: Record<string, unknown>, collection = EVENT) =>
  network.put(did, collection, rkey, record)

/** Answers with another archive than the true one. */
function answer(body: Uint8Array): () => number {
  let calls = 0
  network.faults.pds = ({ method }) => (method === GET_REPO && ++calls > 0 ? { body } : undefined)
  return () => calls
}

const without = ({ root, blocks }: Archive, drop: (block: Block, index: number) => boolean): Archive => ({
  root,
  blocks: blocks.filter((block, i) => !drop(block, i)),
})

describe('fetchRepo', () => {
  test('gives the records of the wanted collections as listRecords does, and the commit', async () => {
    const { rev, commit, version, records } = await read()
    expect(records).toEqual([EVENT, RSVP, PROFILE].flatMap(held))
    const latest = await xrpc.get(pds, 'com.atproto.sync.getLatestCommit', { did })
    expect({ rev, cid: commit, version }).toEqual({ ...latest, version: 3 })
    const listed: Record<string, any> = await xrpc.get(pds, 'com.atproto.repo.listRecords', {
      repo: did,
      collection: EVENT,
      limit: 100,
    })
    const byKey = new Map(listed.records.map((one: any) => [one.uri.split('/').at(-1), one.value]))
    for (const { rkey, value } of held(EVENT)) expect(byKey.get(rkey)).toEqual(value)
  })

  test('links, bytes, blobs and odd keys keep their JSON form', async () => {
    const $link = network.records(EVENT)[0]!.cid
    const odd = {
      $type: EVENT,
      name: 'Odd ☃ 𝕊',
      createdAt: '2026-01-16T09:00:00Z',
      link: { $link },
      bytes: { $bytes: 'AQID/w' },
      image: { $type: 'blob', ref: { $link }, mimeType: 'image/png', size: 3 },
      deep: [{ a: [[{ $link }]], b: null, c: -1, d: Number.MAX_SAFE_INTEGER, e: true }, [], {}],
    }
    put('odd', odd)
    const { records } = await read([EVENT])
    expect(records.find(({ rkey }) => rkey === 'odd')?.value).toEqual(odd)
  })

  test('gives nothing of a collection that the repo does not have, nor of one whose name only begins alike', async () => {
    put('a', { $type: `${EVENT}.extra`, name: 'x' }, `${EVENT}.extra`)
    put('b', { $type: `${EVENT}s`, name: 'x' }, `${EVENT}s`)
    const { records } = await read([EVENT, 'com.example.nothing'])
    expect(records).toEqual(held(EVENT))
  })

  test('an empty repo is complete', async () => {
    const { root, nodes } = treeOf([])
    answer(repoOf({ data: root }, nodes))
    expect(await read()).toMatchObject({ records: [] })
  })

  test('fetches twice for records that claim the type of another collection', async () => {
    const foreign = { $type: 'com.example.other', name: 'x', createdAt: '2026-01-16T09:00:00Z' }
    put('mine', foreign)
    put('theirs', foreign, 'com.example.other')
    put('typeless', { name: 'no type' })
    const car = carOf(network.archive(did))
    const calls = answer(car)
    expect((await read([EVENT])).records).toEqual(held(EVENT))
    expect(calls()).toBe(2)
  })

  test('a record that cannot be read is there, with the reason', async () => {
    const bytes = new Uint8Array([0xa1, 0x61, 0x61, 0xff])
    const cid = cidOfBytes(bytes)
    const { root, nodes } = treeOf([{ key: `${EVENT}/broken`, cid }])
    answer(repoOf({ data: root }, [...nodes, { cid, bytes }]))
    const { records } = await read()
    expect(records).toEqual([
      { collection: EVENT, rkey: 'broken', cid: `${cid}`, value: expect.stringContaining('could not be read') },
    ])
  })

  test('takes blocks in any order, and more than once', async () => {
    const { root, blocks } = network.archive(did)
    answer(carOf({ root, blocks: [...blocks.slice(3), ...blocks].reverse() }))
    expect((await read()).records).toEqual([EVENT, RSVP, PROFILE].flatMap(held))
  })
})

describe('is incomplete', () => {
  const incomplete = (why: RegExp | string) =>
    expect(read()).rejects.toMatchObject({ kind: 'incomplete', message: expect.stringMatching(why) })

  test('cut off, wherever', async () => {
    const car = carOf(network.archive(did))
    for (const part of [0, 1, 30, 60, car.length / 2, car.length - 1]) {
      answer(car.subarray(0, Math.floor(part)))
      await incomplete('incomplete')
    }
  })

  test('without any one of its blocks', async () => {
    const archive = network.archive(did)
    const { blocks } = archive
    for (let i = 0; i < blocks.length; i++) {
      // Records of collections that nobody asked for may be missing.
      if (blocks[i]!.kind === 'record' && Buffer.from(blocks[i]!.bytes).includes('xyz.statusphere')) continue
      const calls = answer(carOf(without(archive, (_, index) => index === i)))
      await incomplete('missing')
      expect(calls()).toBeLessThan(3)
    }
  })

  test('of another account', async () => {
    answer(carOf(network.archive(network.accounts[1]!.did)))
    await incomplete(network.accounts[1]!.did)
  })

  test('with a block that is not what its CID says', async () => {
    const { root, blocks } = network.archive(did)
    const spoilt = blocks.map((block) =>
      block.kind === 'record' ? { ...block, bytes: new Uint8Array([0xa0]) } : block,
    )
    answer(carOf({ root, blocks: spoilt }))
    await incomplete('CID')
  })

  test('with keys out of order, or a tree that is none', async () => {
    const cid = cidOfBytes(encode({ $type: EVENT }))
    const record = { cid, bytes: encode({ $type: EVENT }) }
    const entry = (k: string, p = 0) => ({ p, k: Buffer.from(k), v: cid, t: null })
    for (const [node, why] of [
      [{ l: null, e: [entry(`${EVENT}/b`), entry(`${EVENT}/a`)] }, 'order'],
      [{ l: null, e: [entry(`${EVENT}/a`), entry(`${EVENT}/a`)] }, 'order'],
      [{ l: null, e: [entry(`${EVENT}/a`, 1)] }, 'entry'],
      [{ l: null, e: [{ ...entry(`${EVENT}/a`), v: 'x' }] }, 'entry'],
      [{ l: 1, e: [] }, 'link'],
      [{ l: null }, 'none'],
      ['text', 'none'],
    ] as const) {
      const bytes = encode(node as never)
      const data = cidOfBytes(bytes)
      answer(repoOf({ data }, [{ cid: data, bytes }, record]))
      await incomplete(why)
    }
  })

  test('with a commit that is none', async () => {
    const { root, nodes } = treeOf([])
    for (const commit of [{ data: 'x' }, { rev: 'no-tid' }, { version: '3' }]) {
      answer(repoOf({ data: root, ...commit }, nodes))
      await incomplete('no commit')
    }
  })

  test('with something else than an archive', async () => {
    for (const body of ['<html>', '{"error":"x"}', '\u007f'.repeat(200), '\u00ff'.repeat(20)]) {
      answer(Buffer.from(body, 'latin1'))
      await incomplete('incomplete')
    }
  })

  test('with a tree without end of levels', async () => {
    const nodes: { cid: ReturnType<typeof cidOfBytes>; bytes: Uint8Array }[] = []
    for (let i = 0; i < 200; i++) {
      const bytes = encode({ l: nodes.at(-1)?.cid ?? null, e: [] } as never)
      nodes.push({ cid: cidOfBytes(bytes), bytes })
    }
    answer(repoOf({ data: nodes.at(-1)!.cid }, nodes))
    await incomplete('levels')
  })
})

describe('limits', () => {
  test('an archive that is too large is not read to its end', async () => {
    await expect(read([EVENT], { maxBytes: 2000 })).rejects.toMatchObject({ kind: 'too-large' })
  })

  test('says what the host said', async () => {
    network.account(did, { active: false, status: 'deactivated' })
    await expect(read()).rejects.toMatchObject({ kind: 'inactive', error: 'RepoDeactivated' })
    network.faults.pds = () => ({ status: 501, body: { error: 'MethodNotImplemented', message: 'no' } })
    await expect(read()).rejects.toMatchObject({ kind: 'permanent' })
  })

  test('a connection that breaks is tried again, from the start', async () => {
    let calls = 0
    network.faults.pds = () => (++calls < 3 ? 'hangup' : undefined)
    expect((await read()).records).toEqual([EVENT, RSVP, PROFILE].flatMap(held))
    expect(calls).toBe(3)
  })

  test('stops where the signal says so', async () => {
    const abort = new AbortController()
    network.faults.pds = async () => {
      abort.abort(new Error('enough'))
      return undefined
    }
    await expect(read([EVENT], { signal: abort.signal })).rejects.toThrow('enough')
  })
})

describe('archives of the network', () => {
  test('are repos to the reference implementation, tree and all', async () => {
    const { root, blocks } = await readCarWithRoot(carOf(network.archive(did)))
    const repo = await OfficialRepo.load(new MemoryBlockstore(blocks), root)
    const found: string[] = []
    for await (const { collection, rkey, cid } of repo.walkRecords()) found.push(`${collection}/${rkey} ${cid}`)
    const wanted = [EVENT, RSVP, PROFILE, 'xyz.statusphere.status'].flatMap(held)
    expect(found.sort()).toEqual(wanted.map(({ collection, rkey, cid }) => `${collection}/${rkey} ${cid}`).sort())
    let tree = repo.data
    for (const { key } of await repo.data.leaves()) tree = await tree.delete(key)
    for (const { collection, rkey, cid } of wanted) {
      const link = (await repo.data.get(`${collection}/${rkey}`))!
      expect(`${link}`).toBe(cid)
      tree = await tree.add(`${collection}/${rkey}`, link)
    }
    expect((await tree.getPointer()).equals(repo.data.pointer)).toBe(true)
  })
})

const CARS = new URL('../../../shared/corpus/streams/cars/', import.meta.url)

describe.skipIf(!existsSync(CARS))('recorded archives (skipped where the corpus is absent)', () => {
  test.each(['empty.car', 'tiny.car', 'valid_repo.car'])('%s: the records that the reference reads', async (file) => {
    const car = new Uint8Array(readFileSync(new URL(file, CARS)))
    const { root, blocks } = await readCarWithRoot(car)
    const repo = await OfficialRepo.load(new MemoryBlockstore(blocks), root)
    const found: unknown[] = []
    const collections = new Set<string>()
    for await (const { collection, rkey, cid, record } of repo.walkRecords()) {
      collections.add(collection)
      found.push({ collection, rkey, cid: cid.toString(), value: lexToJson(record as never) })
    }
    answer(car)
    const records = await fetchRepo(
      xrpc,
      pds,
      repo.did,
      { collections: [...collections] },
      async ({ rev, records }) => {
        expect(rev).toBe(repo.commit.rev)
        return [...collections].flatMap((collection) => [...records(collection)])
      },
    )
    expect(records).toEqual(found)
  })

  test('repo_slice.car: a part of a repo is incomplete', async () => {
    answer(new Uint8Array(readFileSync(new URL('repo_slice.car', CARS))))
    await expect(read()).rejects.toMatchObject({ kind: 'incomplete' })
  })
})

/** A CAR of one commit and some blocks. */
function repoOf(commit: object, blocks: readonly { cid: Block['cid']; bytes: Uint8Array }[]): Uint8Array {
  const bytes = encode({
    did,
    version: 3,
    rev: '3lzy2ji4nms2z',
    prev: null,
    sig: new Uint8Array(64),
    ...commit,
  } as never)
  const cid = cidOfBytes(bytes)
  return carOf({
    root: cid,
    blocks: [{ kind: 'commit', cid, bytes }, ...blocks.map((one) => ({ kind: 'node', ...one }) as const)],
  })
}
