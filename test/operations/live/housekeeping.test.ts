import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EVENT, type Network, PROFILE, startNetwork } from '../../../fixtures/network/index.ts'
import { takeLease } from '../../../runtime/operations/runs/leases.ts'
import { openPostgres } from '../../storage/postgres-harness.ts'
import { type CalendarIndexer, eventually, manualClock, openIndexer } from '../support.ts'

const DAY = 24 * 3_600_000
let network: Network
let indexer: CalendarIndexer
let clock: ReturnType<typeof manualClock>
let abort: AbortController
const running: Promise<void>[] = []

beforeEach(async () => {
  clock = manualClock()
  network = await startNetwork({ accounts: 4, events: 0, rsvps: 0, profiles: 4, clock: Date.now })
  indexer = await openIndexer(network, { clock })
  abort = new AbortController()
})
afterEach(async () => {
  abort.abort()
  await Promise.all(running.splice(0))
  await indexer.close()
  await network.close()
})

const keepHouse = (options: { backfill?: boolean } = {}) =>
  void running.push(indexer.keepHouse({ signal: abort.signal, intervalMs: 10, ...options }))
const tombstones = () => indexer.db.selectFrom('lexidex_tombstone').select('uri').orderBy('uri').execute()
const pruned = () =>
  indexer.db.selectFrom('lexidex_state').select('value').where('name', '=', 'tombstones_pruned').executeTakeFirst()
const addTombstones = (deletedAt: number, ...uris: string[]) =>
  indexer.db
    .insertInto('lexidex_tombstone')
    .values(uris.map((uri) => ({ uri, rev: '3aaaaaaaaaaaa', deleted_at: deletedAt })))
    .execute()
const profiles = () => indexer.db.selectFrom('profile').select('did').execute()

/** What the stream leads to: an account that is new, with a job for its profile. */
async function newAccount(): Promise<string> {
  const { did } = network.accounts[0]!
  network.put(did, EVENT, 'one', { $type: EVENT, name: 'Soup', createdAt: new Date().toISOString() })
  clock.advance(20)
  await indexer.ingest({ quietMs: 300 })
  return did
}

describe('deletions', () => {
  test('of more than 30 days ago are forgotten, once a day', async () => {
    await addTombstones(clock.now() - 31 * DAY, 'at://old/a/1', 'at://old/a/2')
    await addTombstones(clock.now() - 29 * DAY, 'at://young/a/1')
    keepHouse()
    await eventually(async () => expect(await pruned()).toEqual({ value: '2' }))
    expect(await tombstones()).toEqual([{ uri: 'at://young/a/1' }])

    clock.advance(DAY - 1)
    await addTombstones(clock.now() - 31 * DAY, 'at://old/a/3')
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(await tombstones()).toHaveLength(2)
    clock.advance(1)
    await eventually(async () => expect(await tombstones()).toEqual([{ uri: 'at://young/a/1' }]))
  })
})

describe('history', () => {
  test('of accounts that are new to the stream is fetched', async () => {
    const did = await newAccount()
    expect(await profiles()).toEqual([])
    keepHouse()
    await eventually(async () => expect(await profiles()).toEqual([{ did }]))
    const jobs = await indexer.db.selectFrom('lexidex_job').select('status').where('collection', '=', PROFILE).execute()
    expect(jobs).toEqual([{ status: 'completed' }])
  })

  test('that failed is fetched when it is due again', async () => {
    network.faults.pds = () => ({ status: 500 })
    const did = await newAccount()
    keepHouse()
    const attempts = () => indexer.db.selectFrom('lexidex_job').select('attempts').execute()
    await eventually(async () => expect(await attempts()).toEqual([{ attempts: 1 }]))
    delete network.faults.pds
    clock.advance(15 * 60_000)
    await eventually(async () => expect(await profiles()).toEqual([{ did }]))
  })

  test('is left alone while a backfill goes on, and where it is not wanted', async () => {
    await newAccount()
    const context = { store: indexer.store, clock, logger: console } as never
    const lease = (await takeLease(context, 'backfill'))!
    keepHouse()
    await eventually(async () => expect(await pruned()).toBeDefined())
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(await profiles()).toEqual([])
    abort.abort()
    await Promise.all(running.splice(0))
    await lease.release()

    abort = new AbortController()
    keepHouse({ backfill: false })
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(await profiles()).toEqual([])
  })
})

describe('a lease', () => {
  test('is held by one, and free when it is given back or has run out', async () => {
    const context = { store: indexer.store, clock, logger: console } as never
    const first = (await takeLease(context, 'a'))!
    expect(await takeLease(context, 'a')).toBeNull()
    const other = (await takeLease(context, 'b'))!
    await other.release()
    await first.release()
    const second = (await takeLease(context, 'a'))!
    // Its holder died, as it seems.
    clock.advance(31_000)
    const third = (await takeLease(context, 'a'))!
    expect(third).not.toBeNull()
    await second.release()
    expect(await takeLease(context, 'a')).toBeNull()
    await third.release()
  })
})

test('a bulk load whose process has died is ended', async () => {
  const database = await openPostgres()
  const living = await openIndexer(network, { clock, database })
  const dead = await database.connect()
  await dead.use(living.app.collections)
  expect(await dead.bulk!.begin()).toBe(true)
  const working = living.keepHouse({ signal: abort.signal, intervalMs: 10, backfill: false })
  await eventually(async () =>
    expect(await living.db.selectFrom('lexidex_lease').select('name').execute()).toHaveLength(1),
  )
  expect(await living.store.bulk!.active()).toBe(true)
  await dead.close()
  await eventually(async () => expect(await living.store.bulk!.active()).toBe(false))
  abort.abort()
  await working
  await living.close()
  await database.drop()
})
