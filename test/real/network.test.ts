import { readFileSync } from 'node:fs'
import { jsonToLex, Lexicons } from '@atproto/lexicon'
import { isValidDid, isValidHandle, isValidTid } from '@atproto/syntax'
import { describe, expect, test } from 'vitest'
import { cidOf } from '../../fixtures/network/cid.ts'
import { EVENT, PROFILE, RSVP, STATUS } from '../../fixtures/network/index.ts'
import { follow } from './follow.ts'
import { network, soup, subscribe, xrpc } from './harness.ts'

const SHARED = [
  'com.atproto.repo.strongRef',
  'com.atproto.label.defs',
  'community.lexicon.location.address',
  'community.lexicon.location.fsq',
  'community.lexicon.location.geo',
  'community.lexicon.location.hthree',
]

describe('seeded content', () => {
  test('same seed, same DIDs, handles, records, CIDs and revs; another seed, others', async () => {
    const written = async (seed: number) => {
      const seeded = await network({ seed, accounts: 5, events: 10, rsvps: 20 })
      seeded.drift(50)
      return { people: seeded.accounts.map(({ did, handle }) => [did, handle]), log: [...seeded.log] }
    }
    const first = await written(3)
    expect(await written(3)).toEqual(first)
    const other = await written(4)
    expect(other.people).not.toEqual(first.people)
    expect(other.log).not.toEqual(first.log)
  })

  test('every identifier is well-formed, and revs rise within a repo', async () => {
    const { accounts, log } = await network()
    for (const { did, handle } of accounts) expect([isValidDid(did), isValidHandle(handle)]).toEqual([true, true])
    const revs = new Map<string, string>()
    for (const frame of log) {
      if (frame.kind !== 'commit') continue
      const { rev, rkey, record, cid } = frame.commit
      expect(isValidTid(rev)).toBe(true)
      expect(rkey === 'self' || isValidTid(rkey)).toBe(true)
      expect(rev > (revs.get(frame.did) ?? '')).toBe(true)
      expect(cid).toBe(cidOf(record))
      revs.set(frame.did, rev)
    }
  })

  test('records keep to their lexicons, and RSVPs to a few popular events', async () => {
    const seeded = await network({ accounts: 40, events: 60, rsvps: 400 })
    const lexicons = new Lexicons(
      [EVENT, RSVP, STATUS, PROFILE, ...SHARED].map((nsid) => {
        const file = new URL(`../../lexicons/${nsid.replaceAll('.', '/')}.json`, import.meta.url)
        return JSON.parse(readFileSync(file, 'utf8'))
      }),
    )
    for (const nsid of [EVENT, RSVP, STATUS, PROFILE]) {
      const records = seeded.records(nsid)
      expect(records.length).toBe({ [EVENT]: 60, [RSVP]: 400, [STATUS]: 40, [PROFILE]: 30 }[nsid])
      for (const { value } of records) lexicons.assertValidRecord(nsid, jsonToLex(value as never))
    }
    const events = new Map(seeded.records(EVENT).map(({ uri, cid }) => [uri, { cid, rsvps: 0 }]))
    for (const { value } of seeded.records(RSVP)) {
      const { uri, cid } = value.subject as { uri: string; cid: string }
      expect(events.get(uri)?.cid).toBe(cid)
      events.get(uri)!.rsvps++
    }
    const counts = [...events.values()].map(({ rsvps }) => rsvps).sort((a, b) => b - a)
    expect(counts.slice(0, 12).reduce((sum, count) => sum + count)).toBeGreaterThan(400 * 0.35)
    const climbing = seeded.records(EVENT).filter(({ value }) => JSON.stringify(value).includes('climbing'))
    expect(climbing.length).toBeGreaterThan(1)
  })

  test('fifty thousand records are no burden', async () => {
    const big = await network({ accounts: 200, events: 2000, rsvps: 48_000 })
    expect(big.records(RSVP)).toHaveLength(48_000)
  })
})

describe('faults', () => {
  test('an HTTP hook answers, spoils, hangs up, or only looks', async () => {
    const started = await network()
    const { did, pds } = started.accounts[0]!
    const asked: string[] = []
    const list = () => xrpc(pds, 'com.atproto.repo.listRecords', { repo: did, collection: PROFILE })
    started.faults.pds = ({ method, host }) => {
      asked.push(`${host} ${method}`)
      return undefined
    }
    const honest = await list()
    expect(asked).toEqual([`${pds} com.atproto.repo.listRecords`])
    started.faults.pds = () => ({ status: 429, headers: { 'retry-after': '1' }, body: { error: 'RateLimitExceeded' } })
    expect((await list()).status).toBe(429)
    started.faults.pds = async (_request, answer) => ({
      body: { ...((await answer()).body as object), cursor: 'again' },
    })
    expect((await list()).body).toEqual({ ...honest.body, cursor: 'again' })
    started.faults.pds = () => 'hangup'
    await expect(list()).rejects.toThrow()
    delete started.faults.pds
    expect(await list()).toEqual(honest)
  })

  test('a frame hook loses, doubles and garbles what subscribers get, not the log', async () => {
    const started = await network({ accounts: 1, events: 0, rsvps: 0 })
    const { did } = started.accounts[0]!
    const follower = await subscribe(started)
    let turn = 0
    started.faults.frames = (frame) => [[], [frame, frame], [{ ...frame, did: 'garbled' }], undefined][turn++]
    const before = started.log.length
    for (const rkey of ['lost', 'twice', 'garbled', 'fine']) started.put(did, EVENT, rkey, soup())
    const seen = (await follower.count(4)).map((frame: any) => [frame.did === did, frame.commit.rkey])
    expect(seen).toEqual([
      [true, 'twice'],
      [true, 'twice'],
      [false, 'garbled'],
      [true, 'fine'],
    ])
    expect(started.log.length - before).toBe(4)
  })

  test('sockets can be cut and refused', async () => {
    const started = await network()
    const follower = await subscribe(started)
    expect(started.subscribers).toBe(1)
    started.dropConnections()
    expect((await follower.closed).code).toBe(1006)
    started.faults.subscribe = () => ({ status: 503, body: 'busy' })
    await expect(follow(started.jetstream)).rejects.toThrow('503 busy')
    delete started.faults.subscribe
    await subscribe(started)
  })

  test('emit puts a commit on the stream and leaves the repo alone', async () => {
    const started = await network()
    const { did, pds } = started.accounts[0]!
    const follower = await subscribe(started)
    const commit = { rev: 'no-tid', operation: 'create', collection: EVENT, rkey: 'ghost', record: soup() } as const
    started.emit({ did, kind: 'commit', commit })
    expect(await follower.count(1)).toMatchObject([{ did, commit }])
    const { body } = await xrpc(pds, 'com.atproto.repo.getRecord', { repo: did, collection: EVENT, rkey: 'ghost' })
    expect(body.error).toBe('RecordNotFound')
  })
})
