import { afterEach, beforeEach } from 'vitest'
import { createAdmission } from '../../runtime/admission/admit.ts'
import { type Applier, type ApplierOptions, createApplier } from '../../runtime/apply/applier.ts'
import type { SourceEvent, SourceItem } from '../../runtime/core/events.ts'
import type { SqliteStore, SqliteStoreOptions } from '../../runtime/storage/sqlite/index.ts'
import { collections, did, meetup, rev, START_US } from '../storage/app.ts'
import { rowsOf } from '../storage/harness.ts'
import { openSqlite, type SqliteDatabase } from '../storage/sqlite-harness.ts'

export interface Context {
  readonly database: SqliteDatabase
  readonly store: SqliteStore
  /** Lines that the applier logged, warnings and errors. */
  readonly log: string[]
  /** An applier on the store; closed after the test. */
  applier(options?: Partial<ApplierOptions>): Applier
  /** The position that is durable. */
  cursor(): Promise<string | undefined>
  /** Record keys of the meetups, in order. */
  rkeys(): Promise<string[]>
}

/** A fresh SQLite index for each test: what is tested is what becomes durable. */
export function freshIndex(options: SqliteStoreOptions = {}): Context {
  const appliers: Applier[] = []
  const context = {} as { -readonly [K in keyof Context]: Context[K] }
  beforeEach(async () => {
    context.database = await openSqlite()
    context.store = await context.database.connect(options)
    context.store.migrate(context.database.migrations)
    context.store.use(collections)
    context.log = []
  })
  afterEach(async () => {
    for (const applier of appliers.splice(0)) await applier.close().catch(() => {})
    await context.database.drop()
  })
  context.applier = (changes = {}) => {
    const line = (message: string) => context.log.push(message)
    const applier = createApplier({
      store: context.store,
      admission: createAdmission({ collections, schemas: [] }),
      flushIntervalMs: 60_000,
      logger: { log: () => {}, warn: line, error: line },
      ...changes,
    })
    appliers.push(applier)
    return applier
  }
  context.cursor = async () => (await rowsOf(context.store, 'lexidex_cursor', 'source'))[0]?.cursor
  context.rkeys = async () => (await rowsOf(context.store, 'meetup', 'rkey')).map((row) => row.rkey)
  return context
}

/** The n-th item of a stream: an event, and a position of the same number. */
export function item(n: number, event: SourceEvent | null): SourceItem {
  return { event, position: { source: 'jetstream', epoch: 'host', cursor: String(n) } }
}

/** The n-th item: a meetup of its own key, `m001` and so on. */
export function meetupItem(
  n: number,
  changes: { did?: string; rkey?: string; collection?: string; rev?: string } = {},
): SourceItem {
  const key = { did: did('alice'), collection: meetup.nsid, rkey: rkeyOf(n), rev: rev(n), cid: `bafy${n}` }
  return item(n, { kind: 'put', ...key, record: { title: `no ${n}` }, timeUs: START_US + n, ...changes })
}

export const rkeyOf = (n: number): string => `m${String(n).padStart(3, '0')}`

export const rkeysTo = (n: number): string[] => Array.from({ length: n }, (_, i) => rkeyOf(i + 1))
