import { expect } from 'vitest'
import { app } from '../../fixtures/apps/calendar/src/lexidex/index.ts'
import type { Database } from '../../fixtures/apps/calendar/src/lexidex/tables.ts'
import {
  EVENT,
  type JetstreamFrame,
  type Network,
  PROFILE,
  RSVP,
  type StoredRecord,
} from '../../fixtures/network/index.ts'
import { createAdmission } from '../../runtime/admission/admit.ts'
import { createApplier } from '../../runtime/apply/applier.ts'
import { silentLogger } from '../../runtime/core/log.ts'
import { createIndexer, type Indexer, type IndexerOptions } from '../../runtime/indexer.ts'
import { createSqliteStore } from '../../runtime/storage/sqlite/index.ts'
import type { Store } from '../../runtime/storage/store.ts'
import type { Database as TestIndex } from '../storage/harness.ts'

export const COLLECTIONS = { event: EVENT, profile: PROFILE, rsvp: RSVP } as const

export type CalendarIndexer = Indexer<Database>

/** A migrated index of the calendar app that looks at `network`, at nothing else. */
export async function openIndexer(
  network: Pick<Network, 'jetstream' | 'relay' | 'plc' | 'pds'>,
  { path = ':memory:', database, ...options }: IndexerOptions & { path?: string; database?: TestIndex } = {},
): Promise<CalendarIndexer> {
  const store: Store = (await database?.connect()) ?? createSqliteStore(path)
  const indexer = createIndexer<Database>(app, store, {
    jetstreams: [network.jetstream],
    relays: [network.relay],
    plc: network.plc,
    allowHosts: network.pds.map((url) => new URL(url).host),
    logger: silentLogger,
    ...options,
  })
  await indexer.migrate()
  return indexer
}

/** What the index holds of a collection, as `uri cid`. */
export async function indexed({ db }: CalendarIndexer, table: keyof typeof COLLECTIONS): Promise<string[]> {
  const rows = await db.selectFrom(table).select(['uri', 'cid']).orderBy('uri').execute()
  return rows.map(({ uri, cid }) => `${uri} ${cid}`)
}

/** The index holds what the network does: all of events and RSVPs, and the profiles of accounts that were fetched. */
export async function expectSame(indexer: CalendarIndexer, network: Network): Promise<void> {
  for (const table of ['event', 'rsvp'] as const) {
    expect(await indexed(indexer, table), table).toEqual(lines(network.records(COLLECTIONS[table])))
  }
  const jobs = await indexer.db
    .selectFrom('lexidex_job')
    .select('did')
    .where('collection', '=', PROFILE)
    .where('status', '=', 'completed')
    .execute()
  const fetched = new Set(jobs.map(({ did }) => did))
  const profiles = await indexed(indexer, 'profile')
  const held = network.records(PROFILE)
  expect(profiles).toEqual(expect.arrayContaining(lines(held.filter(({ did }) => fetched.has(did)))))
  expect(lines(held)).toEqual(expect.arrayContaining(profiles))
}

const lines = (records: readonly StoredRecord[]) => records.map(({ uri, cid }) => `${uri} ${cid}`).sort()

/** Applies frames of the Jetstream as whoever follows it would. */
export async function deliver({ app, store }: CalendarIndexer, frames: readonly JetstreamFrame[]): Promise<void> {
  const admission = createAdmission({ collections: app.collections, schemas: app.schemas })
  const applier = createApplier({ store, admission })
  for (const frame of frames) {
    if (frame.kind !== 'commit') continue
    const { did, time_us: timeUs } = frame
    const { operation, collection, rkey, rev, cid, record } = frame.commit
    const common = { did, collection, rkey, rev, timeUs }
    const isNew = operation === 'create'
    const event =
      operation === 'delete'
        ? { kind: 'delete' as const, ...common }
        : { kind: 'put' as const, ...common, cid: cid!, record, isNew }
    const crowded = applier.push({ event, position: null })
    if (crowded) await crowded
  }
  await applier.close()
}

/** Tries again until it does not throw. */
export async function eventually(check: () => void | Promise<void>, withinMs = 15_000): Promise<void> {
  const deadline = performance.now() + withinMs
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

/** A clock that is moved by hand. */
export function manualClock(start = Date.now()) {
  let now = start
  return {
    now: () => now,
    nowUs: () => now * 1000,
    advance(ms: number) {
      now += ms
    },
  }
}
