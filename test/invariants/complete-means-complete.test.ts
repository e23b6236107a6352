/**
 * Invariant 5: complete means the true end of a listing. Whatever goes wrong on the way, a job is pending or given up with
 * its reason, or all of what it stands for is there.
 */
import { describe, expect, test } from 'vitest'
import { EVENT, type HttpFault, type Network, PROFILE, RSVP } from '../../fixtures/network/index.ts'
import { createRandom } from '../../fixtures/network/random.ts'
import type { TestDatabase } from '../storage/databases.ts'
import type { Database } from '../storage/harness.ts'
import { kinds, scaled, withDatabase } from './support/databases.ts'
import { shuffled } from './support/disorder.ts'
import { FAULTS, randomFaults } from './support/faults.ts'
import { type CalendarIndexer, emptyNetwork, movableClock, openCalendar, presentNetwork } from './support/index.ts'
import { eachSeed, patience } from './support/settings.ts'
import { expectRecount, truth, visible } from './support/visible.ts'

const TABLES = { event: EVENT, rsvp: RSVP, profile: PROFILE } as const
const DISCOVERED = [EVENT, RSVP]
const LIST = 'com.atproto.repo.listRecords'
const GET_REPO = 'com.atproto.sync.getRepo'
const DAYS = 24 * 3_600_000
/** What a host says that gives none. */
const NO_ARCHIVES = { status: 501, body: { error: 'MethodNotImplemented', message: 'no' } }

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
      expect(listing?.last_error, collection).toEqual(expect.stringMatching(/\S/))
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

async function checkFaults(database: Database, accounts: number, seed: number): Promise<void> {
  const random = createRandom(seed)
  // More than one page of each.
  const rsvps = accounts * 115
  const network = await presentNetwork({ accounts, events: accounts * 10, rsvps, seed: random.int(1000) })
  const clock = movableClock()
  const indexer = await openCalendar(network, { clock, database })
  try {
    for (let round = 0; round < 3; round++) {
      const pds = randomFaults(random)
      // Archives are whole or not; it is listings that can be cut short anywhere.
      const listed = random.chance(0.7)
      network.faults.pds = (request, answer) =>
        listed && request.method === GET_REPO ? NO_ARCHIVES : pds(request, answer)
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
}

describe.each(kinds)('$name', (one) => {
  test(
    'whatever hosts, relays and directories do, nothing is called complete that is not',
    () =>
      eachSeed(
        4 * one.share,
        (seed) => withDatabase(one, (database) => checkFaults(database, scaled(one, 6), seed)),
        4,
      ),
    patience(60_000),
  )
})

interface Listing {
  readonly network: Network
  readonly indexer: CalendarIndexer
  /** The account whose events are three pages. */
  readonly did: string
  /** Backfills, with something done to the answer to each request for the second page. */
  backfill(fault: HttpFault): Promise<void>
  expectUnfinished(): Promise<void>
  /** Backfills two days later, without faults. */
  expectFinished(): Promise<void>
}

async function listingIn(one: TestDatabase, use: (listing: Listing) => Promise<void>): Promise<void> {
  const database = await one.open()
  const network = await emptyNetwork({ accounts: 2 })
  const { did } = network.accounts[0]!
  for (let i = 0; i < 250; i++) {
    network.put(did, EVENT, undefined, { $type: EVENT, name: `Soup ${i}`, createdAt: '2026-01-16T09:00:00Z' })
  }
  const clock = movableClock()
  const indexer = await openCalendar(network, { clock, database })
  const job = () =>
    indexer.db
      .selectFrom('lexidex_job')
      .select(['status', 'last_error'])
      .where('did', '=', did)
      .where('collection', '=', EVENT)
      .executeTakeFirstOrThrow()
  const listing: Listing = {
    network,
    indexer,
    did,
    async backfill(fault) {
      let second: string | null = null
      network.faults.pds = async (request, answer) => {
        if (request.method === GET_REPO) return NO_ARCHIVES
        const cursor = request.params.get('cursor')
        if (request.method !== LIST || request.params.get('collection') !== EVENT || cursor === null) return
        second ??= cursor
        return cursor === second ? fault(request, answer) : undefined
      }
      await indexer.discover()
      await indexer.backfill()
    },
    async expectUnfinished() {
      await expectHonest(indexer, network)
      expect((await job()).status).toMatch(/pending|failed/)
    },
    async expectFinished() {
      delete network.faults.pds
      clock.advance(2 * DAYS)
      await indexer.backfill()
      await expectHonest(indexer, network)
      expect(await job()).toEqual({ status: 'completed', last_error: null })
      await expectAll(indexer, network)
    },
  }
  try {
    await use(listing)
  } finally {
    await indexer.close()
    await network.close()
    await database.drop()
  }
}

describe.each(kinds)('$name: a listing of three pages', (one) => {
  const withListing = (use: (listing: Listing) => Promise<void>) => listingIn(one, use)
  // Those that pass by themselves, or that the host means: it is then given up at once, with the reason.
  const SPOILED = Object.keys(FAULTS).filter((name) => !/honest|slow|limited|words of its own/.test(name))

  test(`whose second page is never had is not complete, and is once it is: ${SPOILED.join(', ')}`, async () => {
    // Others each time, where there are too many.
    const some = shuffled(SPOILED, createRandom(Date.now())).slice(0, Math.ceil(SPOILED.length * one.share))
    const check = (name: string) =>
      withListing(async (listing) => {
        await listing.backfill(FAULTS[name]!.fault)
        await listing.expectUnfinished()
        await listing.expectFinished()
      }).catch((cause) => {
        throw new Error(`${name}: ${cause.message}`, { cause })
      })
    await Promise.all(some.map(check))
  })

  test('is not complete where the account moves between two pages, and is with the next host', () =>
    withListing(async (listing) => {
      const { network, did } = listing
      const { pds } = network.accounts[0]!
      const to = network.pds.find((url) => url !== pds)!
      await listing.backfill(() => {
        if (network.accounts[0]!.pds !== to) network.move(did, to)
        return undefined
      })
      await expectHonest(listing.indexer, network)
      await listing.expectFinished()
    }))

  test('is not complete where the account goes away between two pages, and is when it is back', () =>
    withListing(async (listing) => {
      await listing.backfill(() => {
        listing.network.account(listing.did, { active: false, status: 'deactivated' })
        return undefined
      })
      await listing.expectUnfinished()
      listing.network.account(listing.did, { active: true })
      await listing.expectFinished()
    }))

  test('grows while it is walked: what is new is on the stream', () =>
    withListing(async ({ network, indexer, did, backfill }) => {
      await backfill(() => {
        network.put(did, EVENT, undefined, { $type: EVENT, name: 'Later', createdAt: '2026-01-16T09:00:00Z' })
        return undefined
      })
      await indexer.ingest({ quietMs: 1500 })
      await expectAll(indexer, network)
    }))
})
