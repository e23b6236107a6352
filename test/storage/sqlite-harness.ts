import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSqliteStore, type SqliteStore, type SqliteStoreOptions } from '../../runtime/storage/sqlite/index.ts'
import type { Migration } from '../../runtime/storage/store.ts'
import { initOf } from './app.ts'
import type { Database } from './harness.ts'

export interface SqliteDatabase extends Database {
  readonly path: string
  /** The test app's first migration. */
  readonly migrations: readonly Migration[]
  connect(options?: SqliteStoreOptions): Promise<SqliteStore>
}

/** A new file in a directory of its own. Stores write inline where nothing else is said: starting a thread takes time. */
export async function openSqlite(writer: 'thread' | 'inline' = 'inline'): Promise<SqliteDatabase> {
  const directory = mkdtempSync(join(tmpdir(), 'lexidex-'))
  const path = join(directory, 'index.sqlite')
  const stores: SqliteStore[] = []
  return {
    path,
    at: path,
    dialect: 'sqlite',
    migrations: [initOf('sqlite')],
    connect: async (options) => {
      const store = createSqliteStore(path, { writer, ...options })
      stores.push(store)
      return store
    },
    drop: async () => {
      for (const store of stores) await store.close()
      rmSync(directory, { recursive: true })
    },
  }
}
