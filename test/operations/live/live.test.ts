import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EVENT, type Network, STATUS, startNetwork } from '../../../fixtures/network/index.ts'
import { type CalendarIndexer, eventually, expectSame, indexed, openIndexer } from '../support.ts'

let network: Network
let indexer: CalendarIndexer
const running: { abort: AbortController; done: Promise<void> }[] = []

beforeEach(async () => {
  const baseDate = new Date().toISOString()
  network = await startNetwork({ accounts: 10, events: 20, rsvps: 80, retained: 0, baseDate, clock: Date.now })
  indexer = await openIndexer(network)
})
afterEach(async () => {
  await stop()
  await indexer.close()
  await network.close()
})

/** Follows the stream; resolves when it is connected. */
async function follow(into = indexer): Promise<void> {
  const abort = new AbortController()
  const before = network.subscribers
  running.push({ abort, done: into.runPersistent({ signal: abort.signal, batchSize: 50, flushIntervalMs: 20 }) })
  await eventually(() => expect(network.subscribers).toBeGreaterThan(before))
}

async function stop(): Promise<void> {
  for (const { abort, done } of running.splice(0)) {
    abort.abort()
    await done
  }
  await eventually(() => expect(network.subscribers).toBe(0))
}

const putEvent = (rkey: string, name = 'Soup', did = network.accounts[0]!.did) =>
  network.put(did, EVENT, rkey, { $type: EVENT, name, createdAt: new Date().toISOString() })

const position = (from = indexer) =>
  from.db.selectFrom('lexidex_cursor').select(['source', 'epoch', 'cursor']).executeTakeFirst()

describe('live after backfill', () => {
  test('converges with updates and deletes', async () => {
    await indexer.backfillAll()
    await follow()
    network.drift(300)
    await eventually(() => expectSame(indexer, network))
  })

  test('nothing is lost that changes while it is fetched, whether anyone follows or not', async () => {
    network.faults.pds = ({ method }) => {
      if (method === 'com.atproto.repo.listRecords') network.drift(2)
      return undefined
    }
    await indexer.backfillAll()
    network.drift(20)
    delete network.faults.pds
    await follow()
    await eventually(() => expectSame(indexer, network))
  })

  test('both at the same time', async () => {
    await follow()
    network.faults.pds = ({ method }) => {
      if (method === 'com.atproto.repo.listRecords') network.drift(3)
      return undefined
    }
    await indexer.backfillAll()
    await eventually(() => expectSame(indexer, network))
  })

  test('an older version that is listed late does not win', async () => {
    await follow()
    putEvent('one', 'Old')
    await eventually(async () => expect(await indexed(indexer, 'event')).toHaveLength(1))
    await indexer.discover()
    let late = true
    network.faults.pds = async ({ method, params }, answer) => {
      if (method !== 'com.atproto.repo.listRecords' || params.get('collection') !== EVENT || !late) return
      late = false
      const reply = await answer()
      putEvent('one', 'New')
      network.delete(network.accounts[0]!.did, EVENT, 'one')
      await eventually(async () => {
        expect(await indexer.db.selectFrom('lexidex_tombstone').select('uri').execute()).toHaveLength(1)
      })
      return reply
    }
    await indexer.backfill()
    await expectSame(indexer, network)
  })
})

describe('the position', () => {
  test('is set before the first listing, so that the stream reaches back to it', async () => {
    const before = Date.now() * 1000
    let atListing: unknown
    network.faults.pds = async () => {
      atListing ??= await position()
      return undefined
    }
    await indexer.backfillAll()
    expect(atListing).toMatchObject({ source: 'jetstream', epoch: new URL(network.jetstream).host })
    expect(Number((atListing as { cursor: string }).cursor)).toBeLessThan(before)
    expect(await position()).toEqual(atListing)
  })

  test('moves with frames that are not indexed', async () => {
    await follow()
    network.identity(network.accounts[0]!.did)
    await eventually(async () => expect((await position())?.cursor).toBe(String(network.log.at(-1)!.time_us)))
  })

  test('is saved when it ends, with everything before it', async () => {
    await follow()
    for (let i = 0; i < 120; i++) putEvent(`r${i}`)
    await eventually(() => expect(network.subscribers).toBe(1))
    await stop()
    const { cursor } = (await position())!
    const applied = (await indexed(indexer, 'event')).length
    const until = network.log.filter((frame) => frame.kind === 'commit' && frame.time_us <= Number(cursor))
    expect(applied).toBe(until.length)
    await follow()
    await eventually(async () => expect(await indexed(indexer, 'event')).toHaveLength(120))
  })
})

describe('the stream', () => {
  test('survives cut connections', async () => {
    await indexer.backfillAll()
    await follow()
    for (let i = 0; i < 2; i++) {
      network.drift(40)
      network.dropConnections()
      network.drift(40)
      await eventually(() => expect(network.subscribers).toBe(1))
    }
    await eventually(() => expectSame(indexer, network))
  })

  test('goes on after a restart, without loss and without change by what comes twice', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'lexidex-'))
    const path = join(directory, 'index.sqlite')
    try {
      let current = await openIndexer(network, { path })
      await current.backfillAll()
      for (let i = 0; i < 3; i++) {
        await follow(current)
        network.drift(50)
        await stop()
        await current.close()
        network.drift(50)
        current = await openIndexer(network, { path })
      }
      // As after a crash before the position was written: everything is delivered again.
      await current.db.updateTable('lexidex_cursor').set({ cursor: '1' }).execute()
      await follow(current)
      await eventually(() => expectSame(current, network))
      await stop()
      await current.close()
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  test('delivers what comes twice and out of order, to the same end', async () => {
    await indexer.backfillAll()
    const held: Network['log'][number][] = []
    network.faults.frames = (frame) => {
      held.push(frame)
      if (held.length % 3 !== 0) return []
      return [held.at(-1)!, held.at(-3)!, held.at(-2)!, held.at(-1)!]
    }
    await follow()
    network.drift(150)
    while (held.length % 3 !== 0 || held.length === 0) {
      putEvent(`r${held.length}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await eventually(() => expectSame(indexer, network))
  })

  test('shows in the status', async () => {
    await follow()
    putEvent('one')
    await eventually(async () => expect((await indexer.status()).live?.lastEventAt).not.toBeNull())
    expect((await indexer.status()).live).toMatchObject({ connected: true })
    await stop()
    expect((await indexer.status()).live).toMatchObject({ connected: false })
  })

  test('leaves out other collections', async () => {
    await follow()
    network.put(network.accounts[0]!.did, STATUS, undefined, {
      $type: STATUS,
      status: '🍲',
      createdAt: '2026-01-16T09:00:00Z',
    })
    putEvent('one')
    await eventually(async () => expect(await indexed(indexer, 'event')).toHaveLength(1))
  })
})
