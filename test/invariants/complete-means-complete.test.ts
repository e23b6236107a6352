/**
 * Invariant 5: complete means the true end of a listing. Whatever goes wrong on the way, a job is pending or given up with
 * its reason, or all of what it stands for is there.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EVENT, type HttpFault, type Network, PROFILE, RSVP } from '../../fixtures/network/index.ts'
import { createRandom } from '../../fixtures/network/random.ts'
import { FAULTS, randomFaults } from './support/faults.ts'
import {
  type CalendarIndexer,
  emptyNetwork,
  type MovableClock,
  movableClock,
  openCalendar,
  presentNetwork,
} from './support/index.ts'
import { eachSeed, patience } from './support/settings.ts'
import { expectRecount, truth, visible } from './support/visible.ts'

const TABLES = { event: EVENT, rsvp: RSVP, profile: PROFILE } as const
const DISCOVERED = [EVENT, RSVP]
const LIST = 'com.atproto.repo.listRecords'
const GET_REPO = 'com.atproto.sync.getRepo'
const DAYS = 24 * 3_600_000

/** What is called complete is; what is not has a reason, and `status` counts it. */
async function expectHonest(indexer: CalendarIndexer, network: Network): Promise<void> {
  const { db } = indexer
  const jobs = await db.selectFrom('lexidex_job').selectAll().execute()
  const stored = new Set<string>()
  for (const table of Object.keys(TABLES)) {
    const rows = await db
      .selectFrom(table as keyof typeof TABLES)
      .select('uri')
      .execute()
    for (const { uri } of rows) stored.add(uri)
  }
  for (const job of jobs) {
    if (job.status === 'completed') {
      const held = network.records(job.collection).filter(({ did }) => did === job.did)
      expect(held.filter(({ uri }) => !stored.has(uri)).map(({ uri }) => `${uri} is missing`)).toEqual([])
      expect(job).toMatchObject({ cursor: null, last_error: null })
    } else {
      expect(job.last_error, `${job.status} ${job.did} ${job.collection}`).toEqual(expect.stringMatching(/\S/))
      expect(job.attempts).toBeGreaterThan(0)
    }
  }

  const listings = await db.selectFrom('lexidex_discovery').selectAll().execute()
  const known = new Set(jobs.map(({ did, collection }) => `${did} ${collection}`))
  for (const collection of DISCOVERED) {
    const listing = listings.find((one) => one.collection === collection)
    if (listing?.completed === 1) {
      for (const { did } of network.records(collection)) expect(known.has(`${did} ${collection}`), did).toBe(true)
    } else {
      expect(listing?.last_error).toEqual(expect.stringMatching(/\S/))
    }
  }

  const { backfill } = await indexer.status()
  for (const { collection, ...counts } of backfill) {
    const mine = jobs.filter((job) => job.collection === collection)
    const inStatus = (status: string) => mine.filter((job) => job.status === status).length
    expect(counts).toMatchObject({ completed: inStatus('completed'), failed: inStatus('failed') })
  }
}

async function expectAll(indexer: CalendarIndexer, network: Network): Promise<void> {
  const { found: _, ...seen } = await visible(indexer)
  expect(seen).toEqual(truth(network))
  await expectRecount(indexer)
}

test('whatever hosts, relays and directories do, nothing is called complete that is not', async () => {
  await eachSeed(4, async (seed) => {
    const random = createRandom(seed)
    const network = await presentNetwork({ accounts: 6, events: 60, rsvps: 700, seed: random.int(1000) })
    const clock = movableClock()
    const indexer = await openCalendar(network, { clock })
    try {
      for (let round = 0; round < 4; round++) {
        const none: HttpFault = () => ({ status: 501, body: { error: 'MethodNotImplemented', message: 'no' } })
        const pds = randomFaults(random)
        // Archives are whole or not; it is listings that can be cut short anywhere.
        const listed = random.chance(0.7)
        network.faults.pds = (request, answer) =>
          listed && request.method === GET_REPO ? none(request, answer) : pds(request, answer)
        network.faults.plc = randomFaults(random, ['honest', 'slow', 'unavailable', 'hangup', 'half an answer'])
        network.faults.relay = randomFaults(random)
        await indexer.discover()
        await indexer.backfill()
        await expectHonest(indexer, network)
        clock.advance(2 * DAYS)
      }
      network.faults.pds = network.faults.plc = network.faults.relay = undefined as never
      await indexer.discover()
      await indexer.backfill({ retryFailed: true })
      await expectHonest(indexer, network)
      await expectAll(indexer, network)
      const left = await indexer.db.selectFrom('lexidex_job').select('did').where('status', '!=', 'completed').execute()
      expect(left).toEqual([])
    } finally {
      await indexer.close()
      await network.close()
    }
  })
}, patience(60_000))

describe('a listing of three pages', () => {
  let network: Network
  let indexer: CalendarIndexer
  let clock: MovableClock
  let did: string

  beforeEach(async () => {
    network = await emptyNetwork({ accounts: 2 })
    did = network.accounts[0]!.did
    for (let i = 0; i < 250; i++) {
      network.put(did, EVENT, undefined, { $type: EVENT, name: `Soup ${i}`, createdAt: '2026-01-16T09:00:00Z' })
    }
    clock = movableClock()
    indexer = await openCalendar(network, { clock })
  })
  afterEach(async () => {
    await indexer.close()
    await network.close()
  })

  const job = () =>
    indexer.db
      .selectFrom('lexidex_job')
      .selectAll()
      .where('did', '=', did)
      .where('collection', '=', EVENT)
      .executeTakeFirst()

  /** Lists, and does something to the answer to each request for the second page. */
  function onSecondPage(fault: HttpFault): void {
    let second: string | null = null
    network.faults.pds = async (request, answer) => {
      if (request.method === GET_REPO) return { status: 501, body: { error: 'MethodNotImplemented', message: 'no' } }
      if (request.method !== LIST || request.params.get('collection') !== EVENT) return
      const cursor = request.params.get('cursor')
      if (cursor === null) return
      second ??= cursor
      return cursor === second ? fault(request, answer) : undefined
    }
  }

  async function expectUnfinished(): Promise<void> {
    await expectHonest(indexer, network)
    expect(await job()).toMatchObject({ status: expect.stringMatching(/pending|failed/) })
  }

  async function expectFinished(): Promise<void> {
    delete network.faults.pds
    clock.advance(2 * DAYS)
    await indexer.backfill()
    expect(await job()).toMatchObject({ status: 'completed', last_error: null })
    await expectAll(indexer, network)
  }

  const STAYING = Object.keys(FAULTS).filter((name) => !/honest|slow|limited/.test(name))

  test.each(STAYING.filter((name) => name !== 'a refusal in words of its own'))(
    'whose second page is spoiled for good is not complete, and is once it is not (%s)',
    async (name) => {
      onSecondPage(FAULTS[name]!.fault)
      await indexer.discover()
      await indexer.backfill()
      await expectUnfinished()
      await expectFinished()
    },
  )

  test('is not complete where the account moves between two pages, and is with the next host', async () => {
    const { pds } = network.accounts[0]!
    let moved = false
    onSecondPage(() => {
      if (!moved) network.move(did, network.pds.find((url) => url !== pds)!)
      moved = true
      return undefined
    })
    await indexer.discover()
    await indexer.backfill()
    await expectHonest(indexer, network)
    await expectFinished()
  })

  test('is not complete where the account goes away between two pages, and is when it is back', async () => {
    onSecondPage(() => {
      network.account(did, { active: false, status: 'deactivated' })
      return undefined
    })
    await indexer.discover()
    await indexer.backfill()
    await expectUnfinished()
    network.account(did, { active: true })
    await expectFinished()
  })

  test('grows while it is walked: what is new is on the stream', async () => {
    onSecondPage(() => {
      network.put(did, EVENT, undefined, { $type: EVENT, name: 'Later', createdAt: '2026-01-16T09:00:00Z' })
      return undefined
    })
    await indexer.backfillAll()
    expect(await job()).toMatchObject({ status: 'completed' })
    await indexer.ingest({ quietMs: 100 })
    await expectAll(indexer, network)
  })
})
