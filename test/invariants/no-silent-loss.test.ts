/**
 * Invariant 3: a position is durable only with everything before it. Kill -9 at any moment, start again, and everything
 * is there; no job and no mark of a comparison claims more than what is stored, either.
 */
import type { Kysely } from 'kysely'
import { describe, expect, test } from 'vitest'
import { EVENT, type Network, PROFILE, RSVP } from '../../fixtures/network/index.ts'
import { createRandom, type Random } from '../../fixtures/network/random.ts'
import type { TestDatabase } from '../storage/databases.ts'
import type { Database } from '../storage/harness.ts'
import { bundle, kill, ordersFor, start } from './support/children.ts'
import { kinds, scaled, withDatabase } from './support/databases.ts'
import {
  type CalendarIndexer,
  clientOf,
  eventually,
  openCalendar,
  pause,
  presentNetwork,
  readUpTo,
  temporaryFolder,
} from './support/index.ts'
import type { Orders, Role } from './support/process.ts'
import { eachSeed, patience } from './support/settings.ts'
import { all, expectRecount } from './support/visible.ts'

const TABLES = { event: EVENT, rsvp: RSVP, profile: PROFILE } as const
const ROLES: readonly Role[] = ['follow', 'follow', 'ingest', 'backfill', 'run', 'refresh', 'everything']

/** Starts processes on the index, and kills them amid their work. */
async function crash(script: string, orders: readonly Orders[], random: Random): Promise<void> {
  const children = await Promise.all(orders.map((one) => start(script, one)))
  await pause(random.int(150))
  for (const child of children) await kill(child)
}

/** As if the minute had passed for which whoever was killed holds on to its rights and its work. */
async function endLeases({ db }: CalendarIndexer): Promise<void> {
  await db.updateTable('lexidex_lease').set({ expires_at: 0 }).execute()
  await db.updateTable('lexidex_job').set({ claimed_until: null }).execute()
}

/** Everything that the index claims to have is there: by its position, by its jobs, by its comparisons. */
async function expectHonest({ db }: CalendarIndexer, network: Network): Promise<void> {
  const [cursor, jobs, accounts, tombstones, ...tables] = await Promise.all([
    db.selectFrom('lexidex_cursor').select('cursor').executeTakeFirstOrThrow(),
    db.selectFrom('lexidex_job').selectAll().where('status', '=', 'completed').execute(),
    db.selectFrom('lexidex_account').select(['did', 'verified_rev']).execute(),
    db.selectFrom('lexidex_tombstone').select(['uri', 'rev']).execute(),
    ...Object.keys(TABLES).map((table) =>
      db
        .selectFrom(table as keyof typeof TABLES)
        .select(['uri', 'rev', 'cid'])
        .execute(),
    ),
  ])
  const rows = new Map(tables.flat().map((row) => [row.uri, row]))
  const buried = new Map(tombstones.map(({ uri, rev }) => [uri, rev]))
  const held = Object.values(TABLES).flatMap((collection) => network.records(collection))
  const uris = new Set(held.map(({ uri }) => uri))
  const versions = new Set<string>()
  const verified = new Map(accounts.map(({ did, verified_rev }) => [did, verified_rev ?? '']))
  const problems: string[] = []

  for (const { did, kind, time_us, ...frame } of network.log) {
    if (kind !== 'commit' || !('commit' in frame)) continue
    const { collection, rkey, rev, operation, cid } = frame.commit
    const uri = `at://${did}/${collection}/${rkey}`
    versions.add(`${uri} ${cid}`)
    // Of profiles only those of known accounts are kept; jobs speak for them.
    if (time_us > Number(cursor.cursor) || (collection !== EVENT && collection !== RSVP)) continue
    const row = rows.get(uri)
    // What is said of a rev before that of a comparison is void; what the comparison claims is looked at below.
    const later = [row?.rev, buried.get(uri), verified.get(did)].some((other) => (other ?? '') > rev)
    const applied = operation === 'delete' ? buried.get(uri) === rev : row?.rev === rev
    if (!later && !applied) problems.push(`the position is past the ${operation} of ${uri} at ${rev}`)
  }
  for (const { did, collection, rev } of jobs) {
    for (const record of held) {
      const claimed = record.did === did && record.collection === collection && record.rev <= (rev ?? '')
      const row = rows.get(record.uri)
      if (claimed && row?.cid !== record.cid && (row?.rev ?? '') < record.rev)
        problems.push(`a job claims ${record.uri}`)
    }
  }
  for (const { did, uri, rev, cid } of held) {
    const row = rows.get(uri)
    const claimed = rev <= (verified.get(did) ?? '')
    if (claimed && row?.cid !== cid && (row?.rev ?? '') < rev) problems.push(`a comparison claims ${uri}`)
  }
  for (const { uri, cid } of rows.values()) {
    if (!versions.has(`${uri} ${cid}`)) problems.push(`nobody ever wrote ${uri} as ${cid}`)
  }
  expect(problems).toEqual([])
  expect(uris.size).toBeGreaterThan(0)
}

async function expectSame({ db }: CalendarIndexer, network: Network): Promise<void> {
  const known = new Set((await db.selectFrom('lexidex_account').select('did').execute()).map(({ did }) => did))
  for (const [table, collection] of Object.entries(TABLES)) {
    const rows = await db
      .selectFrom(table as keyof typeof TABLES)
      .select(['uri', 'cid', 'hidden'])
      .orderBy('uri')
      .execute()
    const inactive = new Set(network.accounts.filter(({ active }) => !active).map(({ did }) => did))
    const held = network.records(collection).filter(({ did }) => known.has(did))
    const expected = held.map(({ uri, cid, did }) => ({ uri, cid, hidden: inactive.has(did) ? 1 : 0 }))
    expect(rows, table).toEqual(expected.sort((a, b) => (a.uri < b.uri ? -1 : 1)))
  }
}

/** Those too that were away when they were to be fetched, and whose turn would come only minutes later. */
async function fetchEverybody(indexer: CalendarIndexer, network: Network): Promise<void> {
  await indexer.backfillAll({ retryFailed: true })
  await indexer.backfill({ dids: network.accounts.map(({ did }) => did) })
}

/** Writes, and now and then somebody leaves or comes back. */
function live(network: Network, random: Random): () => void {
  const timer = setInterval(() => {
    network.drift(1 + random.int(4))
    if (!random.chance(0.02)) return
    const { did, active } = random.pick(network.accounts)
    network.account(did, active ? { active: false, status: 'deactivated' } : { active: true })
  }, 3)
  return () => clearInterval(timer)
}

/** As long as it takes to read what was written while everybody was killed again and again. */
const caughtUp = ({ db }: CalendarIndexer, network: Network) =>
  eventually(async () => {
    const { cursor } = await db.selectFrom('lexidex_cursor').select('cursor').executeTakeFirstOrThrow()
    expect(Number(cursor)).toBeGreaterThanOrEqual(network.log.at(-1)!.time_us)
  }, 60_000)

/** An index that is opened and closed again and again. */
class Reopened {
  readonly #network: Network
  readonly #database: Database

  constructor(network: Network, database: Database) {
    this.#network = network
    this.#database = database
  }

  async use(work: (indexer: CalendarIndexer) => Promise<void>): Promise<void> {
    const indexer = await openCalendar(this.#network, { database: this.#database })
    await work(indexer).finally(() => indexer.close())
  }

  /** Before anybody opens it, who might end it: whether a bulk load was cut short. */
  async isMarked(): Promise<boolean> {
    const store = await this.#database.connect()
    const marks = (store.db as Kysely<any>).selectFrom('lexidex_state').select('name').where('name', '=', 'bulk_load')
    return (await marks.execute().finally(() => store.close())).length > 0
  }
}

async function checkCrashes(one: TestDatabase, database: Database, random: Random): Promise<void> {
  const network = await presentNetwork({ accounts: 8, events: 30, rsvps: scaled(one, 1000), seed: random.int(1000) })
  const { folder, remove } = temporaryFolder()
  const index = new Reopened(network, database)
  // Slow enough to be met amid its work; some give archives, some do not.
  network.faults.pds = async ({ method, params }) => {
    await pause(random.int(8))
    const listed = network.accounts.findIndex(({ did }) => did === params.get('did')) % 2 === 1
    return method.endsWith('getRepo') && listed ? { status: 501, body: { error: 'MethodNotImplemented' } } : undefined
  }
  try {
    const script = await bundle(folder)
    await index.use((indexer) => readUpTo(network, indexer, 1))
    for (let round = 0; round < scaled(one, 25); round++) {
      const roles = random.chance(0.4) ? [random.pick(ROLES), random.pick(ROLES)] : [random.pick(ROLES)]
      const rest = live(network, random)
      const orders = roles.map((role) => ordersFor(network, database.at, role))
      await crash(script, orders, random).finally(rest)
      await index.use(async (indexer) => {
        await expectHonest(indexer, network)
        await endLeases(indexer)
      })
    }
    for (const { did } of network.accounts) network.account(did, { active: true })
    delete network.faults.pds
    await index.use(async (indexer) => {
      const abort = new AbortController()
      const following = indexer.runPersistent({ signal: abort.signal, flushIntervalMs: 3 })
      await fetchEverybody(indexer, network)
      await caughtUp(indexer, network)
      await eventually(() => expectSame(indexer, network)).finally(() => abort.abort())
      await following
      await expectHonest(indexer, network)
      await expectRecount(indexer)
    })
  } finally {
    await network.close()
    remove()
  }
}

/** @returns how many of the loads were cut short */
async function crashLoads(network: Network, database: Database, random: Random): Promise<number> {
  const { folder, remove } = temporaryFolder()
  const script = await bundle(folder)
  const index = new Reopened(network, database)
  let cutShort = 0
  for (let round = 0; round < 4; round++) {
    const rest = live(network, random)
    const loading = await start(script, ordersFor(network, database.at, 'backfill'))
    const following = random.chance(0.5) ? await start(script, ordersFor(network, database.at, 'follow')) : null
    await pause(100 + random.int(500))
    rest()
    for (const child of [loading, following]) if (child !== null) await kill(child)
    if (await index.isMarked()) cutShort++
    await index.use(async (indexer) => {
      expect(await indexer.store.bulk?.active()).toBe(false)
      await expectRecount(indexer)
      await expectHonest(indexer, network)
      await endLeases(indexer)
    })
  }
  remove()
  return cutShort
}

/** @returns how many of the loads were cut short */
async function checkCrashedLoads(one: TestDatabase, database: Database, random: Random): Promise<number> {
  // So many accounts that they are loaded in bulk.
  const rsvps = scaled(one, 2000)
  const network = await presentNetwork({ accounts: 130, events: 300, rsvps, seed: random.int(1000) })
  network.faults.pds = () => pause(random.int(20)).then(() => undefined)
  const index = new Reopened(network, database)
  try {
    await index.use((indexer) => readUpTo(network, indexer, 1))
    const cutShort = await crashLoads(network, database, random)
    delete network.faults.pds
    for (const { did } of network.accounts) network.account(did, { active: true })
    await index.use(async (indexer) => {
      await fetchEverybody(indexer, network)
      await indexer.ingest({ quietMs: 1500 })
      await indexer.checkAccounts()
      await expectSame(indexer, network)
      await expectRecount(indexer)
      await expectSearchable(indexer)
    })
    return cutShort
  } finally {
    await network.close()
  }
}

describe.each(kinds)('$name', (one) => {
  test(
    'kill -9 of whoever follows, fetches or compares loses nothing, and nothing claims more than there is',
    () => eachSeed(1, (seed) => withDatabase(one, (database) => checkCrashes(one, database, createRandom(seed)))),
    patience(120_000),
  )

  test(
    'kill -9 amid a bulk load loses nothing, and the next start counts and indexes what it left',
    async ({ skip }) => {
      let cutShort = 0
      const check = (seed: number) =>
        withDatabase(one, async (database) => {
          const { bulk } = await database.connect()
          if (bulk === undefined) return skip('This database has no bulk loads')
          cutShort += await checkCrashedLoads(one, database, createRandom(seed))
        })
      await eachSeed(scaled(one, 2), check, 2)
      expect(cutShort).toBeGreaterThan(0)
    },
    patience(120_000),
  )
})

/** Every event that is shown is found by the first word of its name. */
async function expectSearchable(indexer: CalendarIndexer): Promise<void> {
  const { event } = clientOf(indexer)
  const events = await all(event.iterate({ limit: 200 }))
  const byWord = Map.groupBy(events, ({ value }) => value.name.match(/[A-Za-z]+/)?.[0] ?? '')
  for (const [word, named] of byWord) {
    const found = new Set((await all(event.iterate({ search: word, limit: 200 }))).map(({ uri }) => uri))
    expect(named.filter(({ uri }) => !found.has(uri)).map(({ uri }) => uri)).toEqual([])
  }
}
