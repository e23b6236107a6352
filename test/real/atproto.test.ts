import { isValidTid } from '@atproto/syntax'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EVENT, PROFILE, RSVP } from '../../fixtures/network/index.ts'
import { type RealAccount, type RealNetwork, startRealNetwork } from './atproto.ts'
import { type Bridge, startBridge } from './bridge.ts'
import { type Follower, follow } from './follow.ts'
import { soup } from './harness.ts'

let network: RealNetwork
let bridge: Bridge
let alice: RealAccount
let stream: Follower

beforeAll(async () => {
  network = await startRealNetwork()
  bridge = await startBridge(network.pdsUrl)
  alice = await network.createAccount('alice.test')
  stream = await follow(bridge.jetstream, 'cursor=0')
}, 60_000)

afterAll(async () => {
  stream?.close()
  await bridge?.close()
  await network?.close()
})

/** Waits for the frame of the write to `rkey` by `rev`. */
const frameOf = (rev: string | undefined) =>
  stream.until((frame) => frame.kind === 'commit' && frame.commit.rev === rev)

describe('a real PDS', () => {
  test('its accounts are in the real PLC directory', async () => {
    const response = await fetch(`${network.plcUrl}/${alice.did}`)
    expect(await response.json()).toMatchObject({
      id: alice.did,
      alsoKnownAs: ['at://alice.test'],
      service: [{ id: '#atproto_pds', serviceEndpoint: network.pdsUrl }],
    })
  })

  test('a record of a lexicon that it does not know can be written and listed', async () => {
    const repo = alice.agent.com.atproto.repo
    const { data } = await repo.createRecord({ repo: alice.did, collection: EVENT, record: soup(), validate: false })
    const listed = await repo.listRecords({ repo: alice.did, collection: EVENT })
    expect(listed.data.records).toEqual([{ uri: data.uri, cid: data.cid, value: soup() }])
  })
})

describe('the bridge', () => {
  test('emits create, update and delete as Jetstream does', async () => {
    const repo = alice.agent.com.atproto.repo
    const key = { repo: alice.did, collection: EVENT, rkey: 'supper' }
    const created = await repo.createRecord({ ...key, record: soup(), validate: false })
    const updated = await repo.putRecord({ ...key, record: soup('Stew'), validate: false })
    const deleted = await repo.deleteRecord(key)
    const commit = { collection: EVENT, rkey: 'supper' }
    const envelope = { did: alice.did, kind: 'commit', time_us: expect.any(Number) }
    for (const [operation, { data }, record] of [
      ['create', created, soup()],
      ['update', updated, soup('Stew')],
    ] as const) {
      const rev = data.commit!.rev
      expect(isValidTid(rev)).toBe(true)
      expect(await frameOf(rev)).toEqual({ ...envelope, commit: { ...commit, rev, operation, record, cid: data.cid } })
    }
    const { rev } = deleted.data.commit!
    expect(await frameOf(rev)).toEqual({ ...envelope, commit: { ...commit, rev, operation: 'delete' } })
  })

  test('emits one frame for each write of a batch, in order and with one rev', async () => {
    const writes = ['one', 'two'].map((rkey) => ({
      $type: 'com.atproto.repo.applyWrites#create' as const,
      collection: EVENT,
      rkey,
      value: soup(rkey),
    }))
    const { data } = await alice.agent.com.atproto.repo.applyWrites({ repo: alice.did, writes, validate: false })
    await frameOf(data.commit?.rev)
    await stream.until((frame) => frame.kind === 'commit' && frame.commit.rkey === 'two')
    const batch = stream.frames.filter((frame) => frame.kind === 'commit' && frame.commit.rev === data.commit?.rev)
    expect(batch).toMatchObject([{ commit: { rkey: 'one' } }, { commit: { rkey: 'two' } }])
  })

  test('keeps links and blobs in their JSON form', async () => {
    const { data: upload } = await alice.agent.uploadBlob(new Uint8Array([1, 2, 3]), { encoding: 'image/png' })
    const { data } = await alice.agent.com.atproto.repo.putRecord({
      repo: alice.did,
      collection: PROFILE,
      rkey: 'self',
      record: { $type: PROFILE, displayName: 'Alice', avatar: upload.blob },
    })
    const frame = await frameOf(data.commit?.rev)
    expect(frame).toMatchObject({
      commit: {
        record: {
          displayName: 'Alice',
          avatar: { $type: 'blob', ref: { $link: upload.blob.ref.toString() }, mimeType: 'image/png', size: 3 },
        },
      },
    })
  })

  test('emits #identity for a changed handle', async () => {
    const bob = await network.createAccount('bob.test')
    await bob.agent.com.atproto.identity.updateHandle({ handle: 'robert.test' })
    const frame = await stream.until((one) => one.kind === 'identity' && one.identity.handle === 'robert.test')
    expect(frame).toEqual({
      did: bob.did,
      time_us: expect.any(Number),
      kind: 'identity',
      identity: { did: bob.did, handle: 'robert.test', seq: expect.any(Number), time: expect.any(String) },
    })
  })

  test('emits #account for deactivation, reactivation, takedown and deletion', async () => {
    const { agent, did } = await network.createAccount('carol.test')
    const { server, admin } = agent.com.atproto
    const encoding = { headers: network.adminHeaders, encoding: 'application/json' as const }
    const subject = { $type: 'com.atproto.admin.defs#repoRef' as const, did }
    const statuses = () =>
      stream.frames.flatMap((frame) =>
        frame.kind === 'account' && frame.did === did ? [frame.account.status ?? frame.account.active] : [],
      )
    // One at a time: a deletion takes what was not sent yet off the firehose.
    const expected: unknown[] = [true]
    for (const [change, status] of [
      [() => server.deactivateAccount({}), 'deactivated'],
      [() => server.activateAccount(), true],
      [() => admin.updateSubjectStatus({ subject, takedown: { applied: true, ref: 'test' } }, encoding), 'takendown'],
      [() => admin.updateSubjectStatus({ subject, takedown: { applied: false } }, encoding), true],
      [() => admin.deleteAccount({ did }, encoding), 'deleted'],
    ] as const) {
      await change()
      expected.push(status)
      await expect.poll(statuses, { timeout: 10_000 }).toEqual(expected)
    }
  })

  test('replays from a cursor and filters by collection', async () => {
    const { data } = await alice.agent.com.atproto.repo.createRecord({
      repo: alice.did,
      collection: RSVP,
      record: { $type: RSVP, status: `${RSVP}#going`, subject: { uri: 'at://x', cid: 'y' } },
      validate: false,
    })
    await frameOf(data.commit?.rev)
    const replay = await follow(bridge.jetstream, `cursor=${bridge.log[0]!.time_us}&wantedCollections=${RSVP}`)
    const frame = await replay.until((one) => one.kind === 'commit')
    expect(frame).toMatchObject({ did: alice.did, commit: { collection: RSVP, cid: data.cid } })
    replay.close()
  })

  test('lists repos by collection', async () => {
    const list = async (collection: string) => {
      const response = await fetch(
        `${bridge.relay}/xrpc/com.atproto.sync.listReposByCollection?collection=${collection}`,
      )
      return ((await response.json()) as { repos: unknown }).repos
    }
    expect(await list(EVENT)).toEqual([{ did: alice.did }])
    expect(await list('com.example.nothing')).toEqual([])
  })
})
