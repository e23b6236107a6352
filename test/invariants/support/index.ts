import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createIndexer as createBlueskyIndexer } from '../../../fixtures/apps/bluesky/src/lexidex/index.ts'
import type { Database as BlueskyDatabase } from '../../../fixtures/apps/bluesky/src/lexidex/tables.ts'
import { createClient } from '../../../fixtures/apps/calendar/src/lexidex/client.ts'
import { createIndexer } from '../../../fixtures/apps/calendar/src/lexidex/index.ts'
import type { Database as CalendarDatabase } from '../../../fixtures/apps/calendar/src/lexidex/tables.ts'
import { type Network, type NetworkOptions, startNetwork } from '../../../fixtures/network/index.ts'
import { silentLogger } from '../../../runtime/core/log.ts'
import type { Clock, Indexer, IndexerOptions } from '../../../runtime/index.ts'
import { createSqliteStore, type SqliteStoreOptions } from '../../../runtime/storage/sqlite/index.ts'
import type { Store } from '../../../runtime/storage/store.ts'
import type { Database } from '../../storage/harness.ts'

export type CalendarIndexer = Indexer<CalendarDatabase>

export interface OpenOptions extends IndexerOptions {
  readonly path?: string
  readonly store?: SqliteStoreOptions
  /** A database of any kind in place of a SQLite file; another connection to it. */
  readonly database?: Database | undefined
}

/** Where the services of a network are: all that another process needs of it. */
export type Services = Pick<Network, 'jetstream' | 'relay' | 'plc' | 'pds'>

/** What an indexer that looks at `network`, and at nothing else, is told. */
export function optionsFor(network: Services): IndexerOptions {
  return {
    jetstreams: [network.jetstream],
    relays: [network.relay],
    plc: network.plc,
    allowHosts: network.pds.map((url) => new URL(url).host),
    logger: silentLogger,
  }
}

export type BlueskyIndexer = Indexer<BlueskyDatabase>

/** A migrated index of the Bluesky app: replies, counts of different authors, counts by author, subjects. */
export async function openBluesky(network: Services, options: OpenOptions = {}): Promise<BlueskyIndexer> {
  const { store, settings } = await openStore(options)
  const indexer = createBlueskyIndexer(store, { ...optionsFor(network), ...settings })
  await indexer.migrate()
  return indexer
}

/** A migrated index of the calendar app. */
export async function openCalendar(network: Services, options: OpenOptions = {}): Promise<CalendarIndexer> {
  const { store, settings } = await openStore(options)
  const indexer = createIndexer(store, { ...optionsFor(network), ...settings })
  await indexer.migrate()
  return indexer
}

async function openStore({ path = ':memory:', store, database, ...settings }: OpenOptions) {
  const opened = (await database?.connect()) ?? createSqliteStore(path, { logger: silentLogger, ...store })
  return { store: opened as Store, settings }
}

export function clientOf(indexer: { fetch(request: Request): Promise<Response> }) {
  return createClient('http://index.test', {
    fetch: (url, init) => indexer.fetch(new Request(url, init)),
    retries: 0,
  })
}

/** A network in the present, so that the stream's times and ours are of one kind. */
export function presentNetwork(options: NetworkOptions = {}): Promise<Network> {
  return startNetwork({ baseDate: new Date().toISOString(), clock: Date.now, ...options })
}

/** One whose accounts have written nothing yet. */
export function emptyNetwork(options: NetworkOptions = {}): Promise<Network> {
  return presentNetwork({ accounts: 5, events: 0, rsvps: 0, statuses: 0, profiles: 0, ...options })
}

/** As if the stream had been read up to then, and not further. 1: it is still to be read as a whole. */
export async function readUpTo(
  network: Network,
  indexer: CalendarIndexer | BlueskyIndexer,
  timeUs: number,
): Promise<void> {
  const position = { epoch: new URL(network.jetstream).host, cursor: String(timeUs), updated_at: 0 }
  await (indexer as CalendarIndexer).db
    .insertInto('lexidex_cursor')
    .values({ source: 'jetstream', ...position })
    .onConflict((conflict) => conflict.column('source').doUpdateSet(position))
    .execute()
}

/** A new folder, and what removes it. */
export function temporaryFolder(): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'lexidex-invariants-'))
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }) }
}

/** The system's clock, which can be set forward. */
export interface MovableClock extends Clock {
  advance(ms: number): void
}

export function movableClock(): MovableClock {
  let ahead = 0
  return {
    now: () => Date.now() + ahead,
    nowUs: () => (Date.now() + ahead) * 1000,
    advance(ms) {
      ahead += ms
    },
  }
}

/** Tries again until it does not throw. */
export async function eventually(check: () => void | Promise<void>, withinMs = 20_000): Promise<void> {
  const deadline = performance.now() + withinMs
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() > deadline) throw error
      await pause(10)
    }
  }
}

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
