/** Several processes on one Postgres, some of which are killed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { app } from '../../fixtures/apps/calendar/src/lexidex/index.ts'
import type { Database } from '../../fixtures/apps/calendar/src/lexidex/tables.ts'
import { EVENT, type Network, type NetworkOptions, RSVP } from '../../fixtures/network/index.ts'
import { silentLogger } from '../../runtime/core/log.ts'
import { createIndexer, type Indexer } from '../../runtime/indexer.ts'
import { eventually, optionsFor, pause, presentNetwork } from '../invariants/support/index.ts'
import { expectRecount } from '../invariants/support/visible.ts'
import { openPostgres, type PostgresDatabase } from '../storage/postgres-harness.ts'
import type { Orders } from './work-process.ts'

/** Sessions that hold the right to follow, as the store takes it: "lxle". */
const LEADERS = `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 1819831397 AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`

const CID = 'bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq'

const script = fileURLToPath(new URL('./work-process.ts', import.meta.url))

let database: PostgresDatabase
let network: Network
let running: Worker[] = []

beforeEach(async () => {
  database = await openPostgres()
})
afterEach(async () => {
  await Promise.all(running.map((worker) => worker.kill()))
  running = []
  await network?.close()
  await database.drop()
})

interface Worker {
  /** All that it has said. */
  readonly said: () => string
  readonly ended: Promise<unknown>
  kill(): Promise<void>
}

function start(work: Orders['work']): Worker {
  const { logger: _, ...options } = network === undefined ? {} : optionsFor(network)
  const orders: Orders = { url: database.url, work, options }
  const args = ['-C', 'lexidex-source', '--import', import.meta.resolve('tsx'), script, JSON.stringify(orders)]
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  let text = ''
  child.stdout!.on('data', (data) => {
    text += data
  })
  const ended = once(child, 'close')
  const worker: Worker = {
    said: () => text,
    ended,
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
  running.push(worker)
  return worker
}

const says = (worker: Worker, text: string) =>
  eventually(() => {
    expect(worker.said()).toContain(text)
  }, 50_000)

/** The index as this process sees it. */
async function look(): Promise<Indexer<Database>> {
  const store = await database.connect()
  const indexer = createIndexer<Database>(app, store, { ...optionsFor(network), logger: silentLogger })
  await indexer.migrate()
  return indexer
}

/** URI and CID of each record. */
async function contents({ db }: Indexer<Database>, table: 'event' | 'rsvp'): Promise<string[]> {
  const rows = await db.selectFrom(table).select(['uri', 'cid']).orderBy('uri').execute()
  return rows.map(({ uri, cid }) => `${uri} ${cid}`)
}

const held = (collection: string) =>
  network
    .records(collection)
    .map(({ uri, cid }) => `${uri} ${cid}`)
    .sort()

async function withNetwork(options: NetworkOptions): Promise<void> {
  network = await presentNetwork(options)
}

test('four processes that start on an empty database at once all succeed, and one has migrated it', async () => {
  await withNetwork({ accounts: 1, events: 0, rsvps: 0 })
  const workers = Array.from({ length: 4 }, () => start('migrate'))
  await Promise.all(workers.map((worker) => worker.ended))
  expect(workers.map((worker) => worker.said().includes('done'))).toEqual([true, true, true, true])
  expect(workers.filter((worker) => worker.said().includes('applied migration 0001_init'))).toHaveLength(1)
})

/** Two processes that would follow the stream, of which one does. */
async function leaderAndHeir(): Promise<{ leader: Worker; heir: Worker }> {
  const workers = [start('follow'), start('follow')]
  await Promise.all(workers.map((worker) => says(worker, 'ready')))
  const waits = (worker: Worker) => worker.said().includes('Another process leads (ingest)')
  await eventually(() => {
    expect(workers.filter(waits)).toHaveLength(1)
  })
  return { leader: workers.find((worker) => !waits(worker))!, heir: workers.find(waits)! }
}

/** The n-th of a hundred and more changes that meet: events that come, change and go, with RSVPs to them all the while. */
function change(n: number): void {
  const { did } = network.accounts[n % 5]!
  const rkey = `walk${n % 7}`
  const createdAt = new Date().toISOString()
  const uri = `at://${did}/${EVENT}/${rkey}`
  const isThere = network.records(EVENT).some((record) => record.uri === uri)
  if (isThere && n % 3 === 0) network.delete(did, EVENT, rkey)
  else network.put(did, EVENT, rkey, { $type: EVENT, name: `Walk ${n}`, createdAt })
  const guest = network.accounts[(n + 1) % 5]!.did
  const subject = { uri, cid: CID }
  const status = `${RSVP}#${n % 3 === 0 ? 'going' : 'interested'}`
  network.put(guest, RSVP, `r${n % 13}`, { $type: RSVP, subject, status, createdAt })
}

/** The index has what the network holds, in every version, and counts it. */
async function expectAll(indexer: Indexer<Database>): Promise<void> {
  await eventually(async () => {
    expect(await contents(indexer, 'event')).toEqual(held(EVENT))
    expect(await contents(indexer, 'rsvp')).toEqual(held(RSVP))
  })
  await expectRecount(indexer)
}

test('one follows the stream; another takes over when it is killed, and nothing is lost', async () => {
  await withNetwork({ accounts: 5, events: 0, rsvps: 0, statuses: 0, profiles: 0 })
  const { leader, heir } = await leaderAndHeir()
  const indexer = await look()
  change(0)
  await expectAll(indexer)
  for (let n = 1; n <= 200; n++) {
    change(n)
    if (n === 100) await leader.kill()
    if (n % 20 === 0) await pause(5)
  }
  await says(heir, 'Leading (ingest)')
  await expectAll(indexer)
})

test('one that only loses its session leaves off following, so that never two do', async () => {
  await withNetwork({ accounts: 5, events: 0, rsvps: 0, statuses: 0, profiles: 0 })
  const { leader, heir } = await leaderAndHeir()
  const indexer = await look()
  const store = await database.connect()
  const leaders = async () => {
    const { rows } = await store.pool.query(LEADERS)
    return rows.map(({ pid }) => pid)
  }
  for (let n = 0; n < 150; n++) {
    change(n)
    if (n % 50 === 25) {
      const [pid, ...others] = await leaders()
      expect(others).toEqual([])
      // The server ends the session that holds the right; the process lives on.
      await store.pool.query('SELECT pg_terminate_backend($1)', [pid])
      await eventually(async () => {
        const [next, ...others] = await leaders()
        expect([next === undefined || next === pid, others]).toEqual([false, []])
      })
    }
    if (n % 10 === 0) await pause(5)
  }
  await expectAll(indexer)
  expect(await leaders()).toHaveLength(1)
  for (const worker of [leader, heir]) expect(worker.said()).not.toContain('done')
  // Each connection to the fixture's Jetstream is one that follows.
  await eventually(() => {
    expect(network.subscribers).toBe(1)
  })
})

test('backfills share the accounts; what one that is killed was at, another goes on with', async () => {
  await withNetwork({ accounts: 40, events: 60, rsvps: 200, statuses: 0, profiles: 0 })
  const asked = new Map<string, number>()
  network.faults.pds = async ({ method, params }) => {
    if (method === 'com.atproto.repo.listRecords' && !params.has('cursor')) {
      const key = `${params.get('repo')} ${params.get('collection')}`
      asked.set(key, (asked.get(key) ?? 0) + 1)
    }
    await pause(60)
    return undefined
  }
  const indexer = await look()
  await indexer.discover()
  const workers = [start('backfill'), start('backfill'), start('backfill')]
  await eventually(async () => {
    const { n } = await indexer.db
      .selectFrom('lexidex_job')
      .select((eb) => eb.fn.countAll<number>().as('n'))
      .where('status', '=', 'completed')
      .executeTakeFirstOrThrow()
    expect(n).toBeGreaterThan(10)
  })
  const [victim, ...others] = workers
  await victim!.kill()
  const doneBefore = await indexer.db
    .selectFrom('lexidex_job')
    .select(['did', 'collection'])
    .where('status', '=', 'completed')
    .execute()
  const askedBefore = new Map(
    doneBefore.map(({ did, collection }) => [`${did} ${collection}`, asked.get(`${did} ${collection}`)]),
  )
  await Promise.all(others.map((worker) => says(worker, 'done')))

  await expectAll(indexer)
  const open = await indexer.db.selectFrom('lexidex_job').select('did').where('status', '!=', 'completed').execute()
  expect(open).toEqual([])
  // What was done stays done, and only what the victim was in the middle of is begun again.
  for (const [key, times] of askedBefore) expect(asked.get(key), key).toBe(times)
  expect([...asked.values()].filter((times) => times > 1).length).toBeLessThanOrEqual(9)
  expect(Math.max(...asked.values())).toBeLessThanOrEqual(2)
})
