import type { Kysely } from 'kysely'
import { afterEach, beforeEach, expect } from 'vitest'
import type { dialects } from '../../generator/dialects/registry.ts'
import type { CollectionDef } from '../../runtime/core/collection.ts'
import type { Migration, Store } from '../../runtime/storage/store.ts'
import { collections, initOf } from './app.ts'

/** A fresh, empty database. */
export interface Database {
  /** Key into emitted migrations. */
  readonly dialect: keyof typeof dialects
  /** By what another process opens it: a path or a URL. */
  readonly at: string
  /** Of each table of collections; absent where they are whole. */
  readonly partitions?: number
  /** Contract tests that do not hold for it, by title, and why. */
  readonly skips?: Readonly<Record<string, string>>
  /** Another connection to it. Not migrated, and told of no collections. */
  connect(): Promise<Store>
  /** Closes all connections and removes the database. */
  drop(): Promise<void>
}

export type OpenDatabase = () => Promise<Database>

/** Rows of a table as plain objects, in order of a key. */
export async function rowsOf(store: Store, table: string, key = 'uri'): Promise<Record<string, any>[]> {
  const db = store.db as Kysely<any>
  const rows = await db.selectFrom(table).selectAll().orderBy(key).execute()
  return rows.map((row) => ({ ...row }))
}

/** Table and column of each list of a collection. */
export function listsOf({ columns }: CollectionDef): { table: string; column: string }[] {
  return Object.entries(columns).flatMap(([column, { valuesTable }]) =>
    valuesTable === undefined ? [] : [{ table: valuesTable, column }],
  )
}

/** The values of every list are those in the rows, with the place of the row in the order of lists. */
export async function expectLists(store: Store, collections: readonly CollectionDef[]): Promise<void> {
  const bySeveral = (a: unknown, b: unknown) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)
  for (const collection of collections) {
    for (const { table, column } of listsOf(collection)) {
      const rows = await rowsOf(store, collection.table)
      const held = rows.flatMap((row) =>
        [...new Set<string>(JSON.parse(row[column] ?? '[]'))].map((value) => [value, row.sort_at, row.uri, row.id]),
      )
      const values = (await rowsOf(store, table)).map(({ value, sort_at, uri, id }) => [value, sort_at, uri, id])
      expect(values.sort(bySeveral)).toEqual(held.sort(bySeveral))
    }
  }
}

export interface Context {
  readonly database: Database
  /** The test app's first migration, which was applied. */
  readonly migrations: readonly Migration[]
  /** Migrated, and told of the test app's collections. */
  readonly store: Store
}

/** A fresh database and store for each test of the suite that calls this. */
export function freshStore(open: OpenDatabase): Context {
  const context = {} as { database: Database; migrations: readonly Migration[]; store: Store }
  beforeEach(async ({ task, skip }) => {
    context.database = await open()
    const reason = context.database.skips?.[task.name]
    if (reason !== undefined) skip(reason)
    context.migrations = [initOf(context.database.dialect, context.database.partitions)]
    context.store = await context.database.connect()
    await context.store.migrate(context.migrations)
    await context.store.use(collections)
  })
  afterEach(() => context.database.drop())
  return context
}

/** What `work` throws, now or later; null where it succeeds. */
export async function failureOf(work: () => unknown): Promise<unknown> {
  try {
    await work()
    return null
  } catch (error) {
    return error
  }
}
