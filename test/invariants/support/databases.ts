import { databases as all, type TestDatabase } from '../../storage/databases.ts'
import type { Database } from '../../storage/harness.ts'
import { openSqlite } from '../../storage/sqlite-harness.ts'

/** Those of all tests, of which SQLite is written by a thread, as it is where nothing else is said. */
export const databases: readonly TestDatabase[] = all.map((one) =>
  one.name === 'sqlite' ? { ...one, open: () => openSqlite('thread') } : one,
)

/** One of each kind: for what is mostly about hosts and processes, to which tables in partitions are tables like others. */
export const kinds = databases.filter(({ name }) => name !== 'postgres-partitioned')

/** So much of something that there are `count` of on the quickest database. At least one. */
export function scaled({ share }: TestDatabase, count: number): number {
  return Math.ceil(count * Math.sqrt(share))
}

/** An empty database for as long as `use` takes. */
export async function withDatabase({ open }: TestDatabase, use: (database: Database) => Promise<void>): Promise<void> {
  const database = await open()
  try {
    await use(database)
  } finally {
    await database.drop()
  }
}
