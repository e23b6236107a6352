/** How often D1 is asked: each time is a way over a network, where the work itself is short. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createIndexer } from '../../fixtures/apps/calendar/src/lexidex/index.ts'
import { EVENT, type Network, startNetwork } from '../../fixtures/network/index.ts'
import { silentLogger } from '../../runtime/core/log.ts'
import { makeTid } from '../../runtime/core/tid.ts'
import { createD1Store } from '../../runtime/storage/d1/index.ts'
import { CountedBinding } from './counted-binding.ts'
import { D1Server } from './d1-harness.ts'

const ACCOUNTS = 60

const server = new D1Server()
let network: Network
let binding: CountedBinding
beforeAll(async () => {
  network = await startNetwork({ accounts: ACCOUNTS, events: 80, rsvps: 400 })
})
afterAll(async () => {
  await network.close()
  await server.close()
})

async function open(options: { cache?: false } = {}) {
  binding = new CountedBinding((await server.open()).binding)
  const { jetstream, relay, plc, pds } = network
  const allowHosts = pds.map((url) => new URL(url).host)
  const local = { jetstreams: [jetstream], relays: [relay], plc, allowHosts, logger: silentLogger }
  const indexer = createIndexer(createD1Store(binding), { ...local, onDemand: false, ...options })
  await indexer.migrate()
  await indexer.backfillAll()
  return indexer
}

type Indexer = Awaited<ReturnType<typeof open>>

describe('a request', () => {
  let indexer: Indexer
  beforeAll(async () => {
    indexer = await open({ cache: false })
  })
  afterAll(() => indexer.close())
  beforeEach(() => void binding.take())

  const ask = async (path: string) => {
    binding.take()
    const response = await indexer.fetch(new Request(`http://index.test/xrpc/com.example.${path}`))
    expect(response.status).toBe(200)
    const { records = [] } = (await response.json()) as { records?: any[] }
    return { records, trips: binding.take().length }
  }

  test.each([
    ['event.listRecords', 1],
    ['event.listRecords?sort=startsAt', 1],
    ['event.listRecords?hydrateRsvps=5', 1],
    ['event.listRecords?hydrateRsvps=5&sort=startsAt', 2],
    ['event.listRecords?hydrateRsvps=5&profiles=true', 4],
    ['rsvp.listRecords?hydrateEvent=true', 2],
    ['rsvp.listRecords?hydrateEvent=true&hydrateEventRsvps=3&profiles=true', 5],
  ])('%s: %d', async (path, most) => {
    const { records, trips } = await ask(path)
    expect(records).not.toEqual([])
    expect(trips).toBeLessThanOrEqual(most)
  })

  test('a record: 1', async () => {
    const { uri } = network.records(EVENT)[0]!
    expect((await ask(`event.getRecord?uri=${uri}`)).trips).toBe(1)
  })

  test('a search: 1, and once for words that were not looked for lately', async () => {
    const [word] = String(network.records(EVENT)[0]!.value.name).split(' ')
    const first = await ask(`event.listRecords?search=${word}&limit=1`)
    expect(first.records).not.toEqual([])
    expect(first.trips).toBe(2)
    expect(await ask(`event.listRecords?search=${word}&limit=1`)).toEqual({ ...first, trips: 1 })
    expect(await ask(`event.listRecords?search=${word}&limit=1&hydrateRsvps=2`)).toMatchObject({ trips: 2 })
    await ask('event.listRecords?search=zymurgy')
    expect(await ask('event.listRecords?search=zymurgy')).toEqual({ records: [], trips: 1 })
  })
})

test('an isolate that starts asks twice whether the database is ready', async () => {
  const before = await open()
  await before.close()
  const indexer = createIndexer(createD1Store(binding), { logger: silentLogger })
  binding.take()
  expect(await indexer.migrate()).toEqual([])
  expect(binding.take()).toHaveLength(2)
  await indexer.close()
})

test('answers that are kept cost one look whether they still hold', async () => {
  const indexer = await open()
  const trips = async () => {
    binding.take()
    const response = await indexer.fetch(
      new Request('http://index.test/xrpc/com.example.event.listRecords?hydrateRsvps=5'),
    )
    expect(response.status).toBe(200)
    return binding.take().length
  }
  try {
    expect([await trips(), await trips(), await trips()]).toEqual([2, 2, 1])
  } finally {
    await indexer.close()
  }
})

test('a batch of the stream is one', async () => {
  const indexer = await open()
  try {
    const { did } = network.accounts[0]!
    const operations = Array.from({ length: 500 }, (_, i) => {
      const rkey = `r${i}`
      const rev = makeTid(Date.now() * 1000 + i)
      const collection = indexer.app.collections.find(({ nsid }) => nsid === EVENT)!
      return { op: 'delete' as const, collection, uri: `at://${did}/${EVENT}/${rkey}`, did, rkey, rev }
    })
    binding.take()
    const positions = [{ source: 'jetstream', epoch: 'one', cursor: '1' }]
    expect(await indexer.store.apply({ operations, positions, now: Date.now() })).toMatchObject({ deletes: 500 })
    expect(binding.take()).toHaveLength(1)
  } finally {
    await indexer.close()
  }
})

test('a backfill asks for many accounts together', async () => {
  const indexer = await open()
  try {
    // All of it again, with the rows there.
    await indexer.db.updateTable('lexidex_job').set({ status: 'pending', due_at: 0 }).execute()
    binding.take()
    expect(await indexer.backfill()).toMatchObject({ failed: 0, retrying: 0 })
    // With one question for each account there would be more than that alone.
    expect(binding.take().length).toBeLessThan(ACCOUNTS / 2)
  } finally {
    await indexer.close()
  }
})
