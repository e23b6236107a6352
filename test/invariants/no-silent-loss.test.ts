/**
 * Invariant 3: a position is durable only with everything before it. Kill -9 at any moment, start again, and everything
 * is there; no job and no mark of a comparison claims more than what is stored, either.
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { EVENT, type Network, PROFILE, RSVP } from '../../fixtures/network/index.ts'
import { createRandom, type Random } from '../../fixtures/network/random.ts'
import { bundle, kill, ordersFor, start } from './support/children.ts'
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
const ROUNDS = 25

/** Starts processes on the index, and kills them amid their work. */
async function crash(script: string, orders: readonly Orders[], random: Random): Promise<void> {
  const children = await Promise.all(orders.map((one) => start(script, one)))
  await pause(random.int(150))
  for (const child of children) await kill(child)
}

/** As if the 30 s had passed for which whoever was killed holds on to its rights. */
async function endLeases({ db }: CalendarIndexer): Promise<void> {
  await db.updateTable('lexidex_lease').set({ expires_at: 0 }).execute()
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

test(
  'kill -9 of whoever follows, fetches or compares loses nothing, and nothing claims more than there is',
  async () => {
    await eachSeed(1, async (seed) => {
      const random = createRandom(seed)
      const network = await presentNetwork({ accounts: 8, events: 30, rsvps: 1000, seed: random.int(1000) })
      const { folder, remove } = temporaryFolder()
      const path = join(folder, 'index.sqlite')
      // Slow enough to be met amid its work; some give archives, some do not.
      network.faults.pds = async ({ method, params }) => {
        await pause(random.int(8))
        const listed = network.accounts.findIndex(({ did }) => did === params.get('did')) % 2 === 1
        return method.endsWith('getRepo') && listed
          ? { status: 501, body: { error: 'MethodNotImplemented' } }
          : undefined
      }
      const withIndex = async (use: (indexer: CalendarIndexer) => Promise<void>) => {
        const indexer = await openCalendar(network, { path })
        try {
          await use(indexer)
        } finally {
          await indexer.close()
        }
      }
      try {
        const script = await bundle(folder)
        await withIndex((indexer) => readUpTo(network, indexer, 1))
        for (let round = 0; round < ROUNDS; round++) {
          const roles = random.chance(0.4) ? [random.pick(ROLES), random.pick(ROLES)] : [random.pick(ROLES)]
          const rest = live(network, random)
          const orders = roles.map((role) => ordersFor(network, path, role))
          await crash(script, orders, random).finally(rest)
          await withIndex(async (indexer) => {
            await expectHonest(indexer, network)
            await endLeases(indexer)
          })
        }
        for (const { did } of network.accounts) network.account(did, { active: true })
        delete network.faults.pds
        await withIndex(async (indexer) => {
          const abort = new AbortController()
          const following = indexer.runPersistent({ signal: abort.signal, flushIntervalMs: 3 })
          await fetchEverybody(indexer, network)
          await eventually(() => expectSame(indexer, network)).finally(() => abort.abort())
          await following
          await expectHonest(indexer, network)
          await expectRecount(indexer)
        })
      } finally {
        await network.close()
        remove()
      }
    })
  },
  patience(120_000),
)

/** @returns how many of the loads were cut short */
async function crashLoads(network: Network, folder: string, random: Random): Promise<number> {
  const path = join(folder, 'index.sqlite')
  const script = await bundle(folder)
  let cutShort = 0
  for (let round = 0; round < 4; round++) {
    const rest = live(network, random)
    const loading = await start(script, ordersFor(network, path, 'backfill'))
    const following = random.chance(0.5) ? await start(script, ordersFor(network, path, 'follow')) : null
    await pause(100 + random.int(500))
    rest()
    for (const child of [loading, following]) if (child !== null) await kill(child)
    if (isMarked(path)) cutShort++
    const indexer = await openCalendar(network, { path })
    expect(indexer.store.bulk?.active()).toBe(false)
    await expectRecount(indexer)
    await expectHonest(indexer, network)
    await endLeases(indexer)
    await indexer.close()
  }
  return cutShort
}

function isMarked(path: string): boolean {
  const database = new DatabaseSync(path)
  const mark = database.prepare("SELECT 1 FROM lexidex_state WHERE name = 'bulk_load'").get()
  database.close()
  return mark !== undefined
}

test(
  'kill -9 amid a bulk load loses nothing, and the next start counts and indexes what it left',
  async () => {
    let cutShort = 0
    const check = async (seed: number) => {
      const random = createRandom(seed)
      const network = await presentNetwork({ accounts: 130, events: 300, rsvps: 2000, seed: random.int(1000) })
      network.faults.pds = () => pause(random.int(20)).then(() => undefined)
      const { folder, remove } = temporaryFolder()
      const withIndex = async (use: (indexer: CalendarIndexer) => Promise<void>) => {
        const indexer = await openCalendar(network, { path: join(folder, 'index.sqlite') })
        await use(indexer).finally(() => indexer.close())
      }
      try {
        await withIndex((indexer) => readUpTo(network, indexer, 1))
        cutShort += await crashLoads(network, folder, random)
        delete network.faults.pds
        for (const { did } of network.accounts) network.account(did, { active: true })
        await withIndex(async (indexer) => {
          await fetchEverybody(indexer, network)
          await indexer.ingest({ quietMs: 1500 })
          await indexer.checkAccounts()
          await expectSame(indexer, network)
          await expectRecount(indexer)
          await expectSearchable(indexer)
        })
      } finally {
        await network.close()
        remove()
      }
    }
    await eachSeed(2, check, 2)
    expect(cutShort).toBeGreaterThan(0)
  },
  patience(120_000),
)

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
