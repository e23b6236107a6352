import { expect } from 'vitest'
import { app } from '../../fixtures/apps/calendar/src/lexidex/index.ts'
import type { Database } from '../../fixtures/apps/calendar/src/lexidex/tables.ts'
import { EVENT, type Network, PROFILE, RSVP } from '../../fixtures/network/index.ts'
import { silentLogger } from '../../runtime/core/log.ts'
import { createIndexer, type Indexer, type IndexerOptions } from '../../runtime/indexer.ts'
import { createSqliteStore } from '../../runtime/storage/sqlite/index.ts'

export const COLLECTIONS = { event: EVENT, profile: PROFILE, rsvp: RSVP } as const

export type CalendarIndexer = Indexer<Database>

/** A migrated index of the calendar app that looks at `network`, at nothing else. */
export async function openIndexer(
  network: Network,
  { path = ':memory:', ...options }: IndexerOptions & { path?: string } = {},
): Promise<CalendarIndexer> {
  const indexer = createIndexer<Database>(app, createSqliteStore(path), {
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
  const rows = await db.selectFrom(table).select(['uri', 'cid', 'record']).orderBy('uri').execute()
  return rows.map(({ uri, cid }) => `${uri} ${cid}`)
}

/** What the network holds of it. Profiles are taken only of accounts with an event or RSVP. */
export function expected(network: Network, table: keyof typeof COLLECTIONS): string[] {
  const records = network.records(COLLECTIONS[table])
  return records.map(({ uri, cid }) => `${uri} ${cid}`).sort()
}

export async function expectSame(indexer: CalendarIndexer, network: Network): Promise<void> {
  for (const table of ['event', 'rsvp'] as const) {
    expect(await indexed(indexer, table), table).toEqual(expected(network, table))
  }
  const known = new Set([...network.records(EVENT), ...network.records(RSVP)].map(({ did }) => did))
  const profiles = network.records(PROFILE).filter(({ did }) => known.has(did))
  const wanted = profiles.map(({ uri, cid }) => `${uri} ${cid}`).sort()
  expect((await indexed(indexer, 'profile')).filter((row) => wanted.includes(row))).toEqual(wanted)
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
