import { describe, expect, test } from 'vitest'
import { EVENT, PROFILE, RSVP, STATUS } from '../../fixtures/network/index.ts'
import { follow } from './follow.ts'
import { network, soup, subscribe } from './harness.ts'

describe('Jetstream', () => {
  test('follows from now on without a cursor', async () => {
    const started = await network()
    const follower = await subscribe(started)
    const { did } = started.accounts[0]!
    const { uri, cid, rev } = started.put(did, EVENT, 'k', soup())
    const update = started.put(did, EVENT, 'k', soup('Stew'))
    const { rev: gone } = started.delete(did, EVENT, 'k')
    const [created, updated, deleted] = await follower.count(3)
    expect(uri).toBe(`at://${did}/${EVENT}/k`)
    const commit = { collection: EVENT, rkey: 'k' }
    const envelope = { did, kind: 'commit', time_us: expect.any(Number) }
    expect(created).toEqual({ ...envelope, commit: { ...commit, rev, cid, operation: 'create', record: soup() } })
    expect(updated).toMatchObject({ commit: { ...commit, rev: update.rev, cid: update.cid, operation: 'update' } })
    expect(deleted).toEqual({ ...envelope, commit: { ...commit, rev: gone, operation: 'delete' } })
  })

  test('replays from a cursor, inclusive, and then goes on without a seam', async () => {
    const started = await network()
    const from = started.log[10]!
    const follower = await subscribe(started, `cursor=${from.time_us}`)
    started.drift(5)
    const expected = started.log.slice(10)
    expect(await follower.count(expected.length)).toEqual(expected)
  })

  test('replays everything from 0, and nothing from the future', async () => {
    const started = await network()
    const before = started.log.length
    expect(await (await subscribe(started, 'cursor=0')).count(before)).toEqual(started.log)
    const late = await subscribe(started, `cursor=${started.log.at(-1)!.time_us + 1e9}`)
    started.drift()
    expect(await late.count(1)).toEqual(started.log.slice(before))
  })

  test('forgets what is not retained', async () => {
    const started = await network({ accounts: 6, events: 12, rsvps: 30, retained: 5 })
    expect(started.log).toHaveLength(5)
    expect(await (await subscribe(started, 'cursor=0')).count(5)).toEqual(started.log)
  })

  test('wantedCollections narrows commits, by name and by prefix, but not identities and accounts', async () => {
    const started = await network({ accounts: 2, events: 0, rsvps: 0 })
    const follower = await subscribe(started, `wantedCollections=${RSVP}&wantedCollections=xyz.statusphere.*`)
    const { did } = started.accounts[0]!
    started.put(did, EVENT, undefined, soup())
    started.put(did, 'xyz.statusphere.status', undefined, { $type: STATUS })
    started.put(did, 'xyz.statuspheres.status', undefined, {})
    started.put(did, RSVP, undefined, { $type: RSVP })
    started.identity(did)
    started.account(did, { active: false, status: 'deactivated' })
    const seen = (await follower.count(4)).map((frame) =>
      frame.kind === 'commit' ? frame.commit.collection : frame.kind,
    )
    expect(seen).toEqual([STATUS, RSVP, 'identity', 'account'])
  })

  test('wantedDids and maxMessageSizeBytes narrow everything', async () => {
    const started = await network({ accounts: 2, events: 0, rsvps: 0 })
    const [one, two] = started.accounts.map(({ did }) => did) as [string, string]
    const follower = await subscribe(started, `wantedDids=${two}&maxMessageSizeBytes=500`)
    started.put(one, EVENT, undefined, soup())
    started.identity(one)
    started.put(two, EVENT, undefined, soup('x'.repeat(500)))
    started.put(two, EVENT, 'small', soup())
    started.identity(two)
    const seen = await follower.count(2)
    expect(seen).toMatchObject([{ commit: { rkey: 'small' } }, { kind: 'identity', did: two }])
  })

  test('options_update changes the filter of an open socket', async () => {
    const started = await network({ accounts: 1, events: 0, rsvps: 0 })
    const { did } = started.accounts[0]!
    const follower = await subscribe(started, `wantedCollections=${RSVP}`)
    follower.socket.send(JSON.stringify({ type: 'options_update', payload: { wantedCollections: [EVENT] } }))
    // Answered in order after the update, so that the update is known to have arrived.
    await new Promise((resolve) => follower.socket.once('pong', resolve).ping())
    started.put(did, RSVP, undefined, { $type: RSVP })
    started.put(did, EVENT, 'e', soup())
    expect(await follower.count(1)).toMatchObject([{ commit: { collection: EVENT, rkey: 'e' } }])
  })

  test('requireHello holds the replay back until the first options_update', async () => {
    const started = await network()
    const follower = await subscribe(started, 'cursor=0&requireHello=true')
    await new Promise((resolve) => follower.socket.once('pong', resolve).ping())
    expect(follower.frames).toHaveLength(0)
    follower.socket.send(JSON.stringify({ type: 'options_update', payload: { wantedCollections: [PROFILE] } }))
    const profiles = started.log.filter((frame) => frame.kind === 'commit' && frame.commit.collection === PROFILE)
    expect(await follower.count(profiles.length)).toEqual(profiles)
  })

  test('refuses bad options before the upgrade, and closes on bad ones after it', async () => {
    const started = await network()
    const many = Array.from({ length: 101 }, (_, i) => `wantedCollections=com.example.c${i}`).join('&')
    for (const [query, message] of [
      ['cursor=yesterday', '400 invalid cursor: yesterday'],
      ['wantedCollections=nonsense', '400 invalid subscriber options: invalid collection: nonsense'],
      ['wantedDids=me', '400 invalid subscriber options'],
      [many, '400 invalid subscriber options: too many wanted collections'],
    ] as const) {
      await expect(follow(started.jetstream, query)).rejects.toThrow(message)
    }
    const follower = await subscribe(started)
    follower.socket.send('{')
    expect((await follower.closed).code).toBe(1000)
  })

  test('emits identity and account frames with a rising seq', async () => {
    const started = await network()
    const follower = await subscribe(started)
    const { did } = started.accounts[0]!
    started.identity(did, 'other.test')
    started.identity(did)
    started.account(did, { active: false, status: 'takendown' })
    started.account(did, { active: true })
    const time = expect.stringMatching(/^2026-01-15T12:.*Z$/)
    const frames = await follower.count(4)
    expect(frames).toMatchObject([
      { did, kind: 'identity', identity: { did, handle: 'other.test', time } },
      { did, kind: 'identity', identity: { did, time } },
      { did, kind: 'account', account: { did, active: false, status: 'takendown', time } },
      { did, kind: 'account', account: { did, active: true, time } },
    ])
    const seqs = frames.map((frame: any) => (frame.identity ?? frame.account).seq)
    expect(seqs).toEqual([0, 1, 2, 3].map((i) => seqs[0] + i))
  })

  test('chatter keeps writing until it is stopped', async () => {
    const started = await network()
    const follower = await subscribe(started)
    const stop = started.chatter({ everyMs: 5 })
    await follower.count(10)
    stop()
    const silent = started.log.length
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(started.log).toHaveLength(silent)
  })
})
