import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EVENT, type Network, PROFILE, RSVP, startNetwork } from '../../../fixtures/network/index.ts'
import { type CalendarIndexer, eventually, indexed, openIndexer } from '../support.ts'

let network: Network
let indexer: CalendarIndexer

beforeEach(async () => {
  network = await startNetwork({ accounts: 12, events: 30, rsvps: 150, pdsCount: 2 })
  indexer = await openIndexer(network)
})
afterEach(async () => {
  await indexer.close()
  await network.close()
})

const jobs = () =>
  indexer.db.selectFrom('lexidex_job').select(['did', 'collection']).orderBy('did').orderBy('collection').execute()

describe('discover', () => {
  test('registers every author once, with dependents', async () => {
    const authors = new Set([...network.records(EVENT), ...network.records(RSVP)].map(({ did }) => did))
    const seen: number[] = []
    const result = await indexer.discover({ onProgress: ({ listed }) => seen.push(listed) })
    expect(result).toEqual({ discovered: authors.size, failed: [] })
    expect(seen.length).toBeGreaterThan(0)
    const pairs = (await jobs()).map(({ did, collection }) => `${did} ${collection}`)
    expect(pairs).toEqual([...new Set(pairs)])
    for (const did of authors) expect(pairs).toContain(`${did} ${PROFILE}`)
    expect(await indexer.discover()).toEqual({ discovered: 0, failed: [] })
    expect(await jobs()).toHaveLength(pairs.length)
  })

  test('a listing that fails stays incomplete, and is walked the next time', async () => {
    network.faults.relay = ({ params }) =>
      params.get('collection') === RSVP ? { status: 400, body: { error: 'InvalidRequest', message: 'no' } } : undefined
    const { failed } = await indexer.discover()
    expect(failed).toMatchObject([{ relay: network.relay, collection: RSVP, reason: expect.stringContaining('no') }])
    expect((await indexer.status()).discovery).toMatchObject([
      { collection: EVENT, completed: true, error: null },
      { collection: RSVP, completed: false, error: expect.stringContaining('no') },
    ])
    delete network.faults.relay
    expect((await indexer.discover()).failed).toEqual([])
    expect((await indexer.status()).discovery.map(({ completed, error }) => [completed, error])).toEqual([
      [true, null],
      [true, null],
    ])
  })

  test('goes on where it stopped', async () => {
    const dids = network.accounts.map(({ did }) => did).sort()
    const pages: Record<string, object> = {
      '': { repos: dids.slice(0, 5).map((did) => ({ did })), cursor: 'a' },
      a: { repos: dids.slice(5).map((did) => ({ did })) },
    }
    let broken = true
    const cursors: string[] = []
    network.faults.relay = ({ params }) => {
      if (params.get('collection') === RSVP) return { body: { repos: [] } }
      const cursor = params.get('cursor') ?? ''
      cursors.push(cursor)
      if (broken && cursor === 'a') return { status: 400, body: { error: 'InvalidRequest', message: 'later' } }
      return { body: pages[cursor] }
    }
    expect(await indexer.discover()).toMatchObject({ discovered: 5, failed: [{ collection: EVENT }] })
    broken = false
    expect(await indexer.discover()).toEqual({ discovered: dids.length - 5, failed: [] })
    expect(cursors).toEqual(['', 'a', 'a'])
  })

  test('makes jobs for authors that no relay lists', async () => {
    const abort = new AbortController()
    const live = indexer.runPersistent({ signal: abort.signal, flushIntervalMs: 10 })
    await eventually(() => expect(network.subscribers).toBe(1))
    const author = network.accounts[0]!.did
    network.put(author, EVENT, 'new', { $type: EVENT, name: 'Soup', createdAt: '2026-01-16T09:00:00Z' })
    await eventually(async () => expect(await indexed(indexer, 'event')).toHaveLength(1))
    abort.abort()
    await live
    network.faults.relay = () => ({ body: { repos: [] } })
    await indexer.discover()
    expect((await jobs()).map(({ did, collection }) => [did, collection])).toEqual([
      [author, PROFILE],
      [author, EVENT],
    ])
  })
})
