import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from 'kysely'
import type pg from 'pg'
import { once } from './connection.ts'

/** Kysely on a pool that may be the user's own: integers are numbers here, whatever its types say. */
export function createKysely(pool: pg.Pool): Kysely<any> {
  const lent = {
    options: pool.options,
    async connect() {
      const client = await pool.connect()
      return {
        query: (sql: string, values: readonly unknown[]) => client.query(once(sql, values)),
        release: (destroy?: boolean) => client.release(destroy),
      } as unknown as PostgresPoolClient
    },
    // The store owns the pool and ends it.
    end: async () => {},
  } satisfies PostgresPool
  return new Kysely({ dialect: new PostgresDialect({ pool: lent }) })
}
