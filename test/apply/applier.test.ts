import { describe, expect, test, vi } from 'vitest'
import type { HintEvent } from '../../runtime/apply/applier.ts'
import { LexidexError } from '../../runtime/core/errors.ts'
import { did, meetup, rev, START_US } from '../storage/app.ts'
import { failureOf, rowsOf } from '../storage/harness.ts'
import { freshIndex, item, meetupItem, rkeysTo } from './support.ts'

const index = freshIndex()

describe('batches', () => {
  test('are applied when full, with the position of their last item and no further', async () => {
    const applier = index.applier({ batchSize: 2 })
    for (const n of [1, 2, 3]) applier.push(meetupItem(n))
    await vi.waitFor(async () => expect(await index.cursor()).toBe('2'))
    expect(await index.rkeys()).toEqual(rkeysTo(2))
    expect(applier.stats()).toMatchObject({ received: 3, applied: 2, queued: 1 })
    await applier.flush()
    expect(await index.cursor()).toBe('3')
    expect(await index.rkeys()).toEqual(rkeysTo(3))
  })

  test('are applied when time is up, full or not', async () => {
    const applier = index.applier({ flushIntervalMs: 5 })
    applier.push(meetupItem(1))
    await vi.waitFor(async () => expect(await index.cursor()).toBe('1'))
    expect(await index.rkeys()).toEqual(rkeysTo(1))
  })

  test('of nothing but positions are applied as well: a quiet stream moves on', async () => {
    const applier = index.applier({ flushIntervalMs: 5 })
    applier.push(item(7, null))
    await vi.waitFor(async () => expect(await index.cursor()).toBe('7'))
    applier.push(meetupItem(8, { collection: 'test.lexidex.other' }))
    await vi.waitFor(async () => expect(await index.cursor()).toBe('8'))
    expect(await index.rkeys()).toEqual([])
  })

  test('keep the order of arrival', async () => {
    const applier = index.applier({ batchSize: 3 })
    for (let n = 1; n <= 50; n++) applier.push(meetupItem(n, { rkey: 'same' }))
    applier.push(item(51, { kind: 'delete', did: did('alice'), collection: meetup.nsid, rkey: 'gone', rev: rev(51) }))
    await applier.flush()
    expect(await rowsOf(index.store, 'meetup')).toMatchObject([{ rkey: 'same', rev: rev(50) }])
    expect(applier.stats()).toMatchObject({ received: 51, applied: 51, stale: 0 })
  })

  test('leave the event loop its turns in between', async () => {
    const applier = index.applier({ batchSize: 1 })
    let turns = 0
    let counting = true
    const count = () => {
      turns++
      if (counting) setImmediate(count)
    }
    setImmediate(count)
    for (let n = 1; n <= 10; n++) applier.push(meetupItem(n))
    await applier.flush()
    counting = false
    expect(turns).toBeGreaterThanOrEqual(9)
  })

  test('flush resolves at once where nothing waits', async () => {
    await index.applier().flush()
    expect(await index.cursor()).toBeUndefined()
  })
})

describe('backpressure', () => {
  test('push asks the caller to wait while too much is queued, and no longer', async () => {
    const applier = index.applier({ batchSize: 5 })
    let waits = 0
    for (let n = 1; n <= 200; n++) {
      const wait = applier.push(meetupItem(n))
      if (wait === undefined) continue
      waits++
      await wait
      expect(applier.stats().queued).toBeLessThanOrEqual(20)
    }
    expect(waits).toBeGreaterThan(0)
    await applier.flush()
    expect(await index.rkeys()).toEqual(rkeysTo(200))
  })

  test('a few huge records fill a batch too', async () => {
    const applier = index.applier({ batchSize: 1000 })
    const big = { kind: 'put', did: did('alice'), collection: meetup.nsid, cid: 'bafy' } as const
    applier.push(item(1, { ...big, rkey: 'big', rev: rev(1), record: { title: 'x'.repeat(9_000_000) } }))
    await vi.waitFor(async () => expect(await index.cursor()).toBe('1'))
  })
})

describe('stats', () => {
  test('say what became of every event', async () => {
    const applier = index.applier({ clock: { now: () => 1234, nowUs: () => 1_234_000 } })
    const broken = {
      kind: 'put',
      did: did('alice'),
      collection: meetup.nsid,
      rkey: 'no',
      rev: rev(9),
      cid: 'x',
    } as const
    applier.push(meetupItem(1))
    applier.push(meetupItem(1))
    applier.push(item(2, { ...broken, record: null }))
    applier.push(item(3, { ...broken, rev: 'nonsense', record: {} }))
    applier.push(meetupItem(4, { collection: 'test.lexidex.other' }))
    expect(applier.stats()).toMatchObject({ received: 5, queued: 3, lastAppliedAt: null })
    await applier.flush()
    expect(applier.stats()).toEqual({
      received: 5,
      applied: 1,
      stale: 1,
      quarantined: 1,
      rejected: 1,
      dropped: 0,
      failedHints: 0,
      queued: 0,
      lastEventUs: START_US + 4,
      lastAppliedAt: 1234,
    })
  })

  test('onApplied is told of what is durable, and cannot stop the stream', async () => {
    const told: unknown[] = []
    const applier = index.applier({
      batchSize: 1,
      onApplied: (batch, result) => {
        told.push([batch.positions[0]?.cursor, result.puts])
        throw new Error('a bug elsewhere')
      },
    })
    for (const n of [1, 2]) applier.push(meetupItem(n))
    await applier.flush()
    expect(told).toEqual([
      ['1', 1],
      ['2', 1],
    ])
    expect(index.log.join()).toContain('a bug elsewhere')
    expect(await index.cursor()).toBe('2')
  })
})

describe('hints', () => {
  const account: HintEvent = { kind: 'account', did: did('alice'), active: false, status: 'deleted', timeUs: 5 }
  const identity: HintEvent = { kind: 'identity', did: did('alice'), timeUs: 6 }
  const sync: HintEvent = { kind: 'sync', did: did('alice'), rev: rev(7), timeUs: 7 }

  test('are passed on in order, and move the position', async () => {
    const seen: HintEvent[] = []
    const applier = index.applier({ onHint: (event) => void seen.push(event) })
    for (const [i, event] of [account, identity, sync].entries()) applier.push(item(i + 1, event))
    await applier.flush()
    expect(seen).toEqual([account, identity, sync])
    expect(await index.cursor()).toBe('3')
    expect(applier.stats()).toMatchObject({ received: 3, lastEventUs: 7 })
  })

  test('are told once the position behind them is durable', async () => {
    const seen: unknown[] = []
    const applier = index.applier({ batchSize: 1, onHint: async () => void seen.push(await index.cursor()) })
    applier.push(item(1, account))
    await vi.waitFor(() => expect(seen).toEqual(['1']))
  })

  test('are noted at accounts that are known, and at no others', async () => {
    const applier = index.applier({ clock: { now: () => 1234, nowUs: () => 1_234_000 } })
    for (const name of ['alice', 'bob', 'carol']) applier.push(meetupItem(1, { did: did(name) }))
    await applier.flush()
    applier.push(item(2, { ...account, did: did('alice') }))
    applier.push(item(3, { ...sync, did: did('bob') }))
    applier.push(item(4, { ...identity, did: did('eve') }))
    await applier.flush()
    expect(await rowsOf(index.store, 'lexidex_account', 'did')).toMatchObject([
      // What the stream says is not believed by itself.
      { did: did('alice'), status: 'active', hidden: 0, check_due_at: 1234, resync: 0 },
      { did: did('bob'), status: 'active', hidden: 0, check_due_at: 1234, resync: 1 },
      { did: did('carol'), check_due_at: null, resync: 0 },
    ])
    expect(applier.stats()).toMatchObject({ received: 6, applied: 3, stale: 0 })
  })

  test('that fail are logged and counted, and the stream goes on', async () => {
    const applier = index.applier({
      onHint: (event) => {
        if (event.kind === 'sync') throw new Error('at once')
        return Promise.reject(new Error('later'))
      },
    })
    applier.push(item(1, sync))
    applier.push(item(2, identity))
    await applier.flush()
    expect(applier.stats().failedHints).toBe(2)
    expect(index.log.join()).toMatch(/at once.*later/s)
    expect(await index.cursor()).toBe('2')
  })
})

describe('close', () => {
  test('applies what waits, and refuses more', async () => {
    const applier = index.applier()
    applier.push(meetupItem(1))
    await applier.close()
    await applier.close()
    expect(await index.cursor()).toBe('1')
    expect(await failureOf(() => applier.push(meetupItem(2)))).toBeInstanceOf(LexidexError)
  })
})
