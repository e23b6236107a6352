import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'
import { silentLogger } from '../../runtime/core/log.ts'
import {
  createPostgresStore,
  type PostgresStore,
  type PostgresStoreOptions,
} from '../../runtime/storage/postgres/index.ts'
import type { Database } from './harness.ts'

export interface PostgresDatabase extends Database {
  readonly url: string
  connect(options?: PostgresStoreOptions): Promise<PostgresStore>
}

/** URL of a server: the one that `DATABASE_URL` names, else one that this run of the tests starts. */
export async function postgresServer(): Promise<string> {
  if (process.env.DATABASE_URL) return process.env.DATABASE_URL
  const answer = await fetch(inject('postgresAt'))
  const text = await answer.text()
  if (!answer.ok) throw new Error(text)
  return text
}

/** Parts of each table of a database that is cut: few enough for most batches to meet several. */
const PARTITIONS = 3

/** A new database in which every collection has partitions. */
export async function openPartitioned(): Promise<PostgresDatabase> {
  const database = await openPostgres()
  return {
    ...database,
    partitions: PARTITIONS,
    async connect(options) {
      const store = await database.connect(options)
      const use = store.use.bind(store)
      // Migrations of apps are of whole tables.
      store.use = async (collections) => {
        if (options?.readonly !== true) {
          await store.repartition(collections.map((collection) => ({ ...collection, partitions: PARTITIONS })))
        }
        await use(collections)
      }
      return store
    },
  }
}

let admin: Promise<pg.Pool> | null = null

/** A new database of its own. */
export async function openPostgres(): Promise<PostgresDatabase> {
  admin ??= postgresServer().then((url) => new pg.Pool({ connectionString: url, max: 2, allowExitOnIdle: true }))
  const server = await admin
  const name = `lexidex_test_${randomBytes(8).toString('hex')}`
  await server.query(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8' STRATEGY file_copy`)
  const url = Object.assign(new URL(await postgresServer()), { pathname: `/${name}` }).href
  const stores: PostgresStore[] = []
  return {
    dialect: 'postgres',
    url,
    at: url,
    async connect(options) {
      const store = createPostgresStore(url, { logger: silentLogger, connections: 4, ...options })
      stores.push(store)
      return store
    },
    async drop() {
      for (const store of stores) await store.close()
      await server.query(`DROP DATABASE ${name} WITH (FORCE)`)
    },
  }
}
