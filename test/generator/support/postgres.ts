import { Kysely, PostgresDialect } from 'kysely'
import { generate, PostgresDialect as PostgresCodegen } from 'kysely-codegen'
import pg from 'pg'
import { postgres } from '../../../generator/dialects/postgres/index.ts'
import type { Model } from '../../../generator/model/types.ts'
import { planSchema } from '../../../generator/plan/schema.ts'
import { openPostgres } from '../../storage/postgres-harness.ts'
import { whyNotCompared } from './introspect.ts'

/** A database that holds one project's schema after the other. */
export interface PostgresWitness {
  /** Makes the project's schema in place of the one before. Throws where a statement fails or a name is cut. */
  migrate(model: Model): Promise<void>
  /** Writes, changes, hides and removes a row in every table, and makes all sets anew: every trigger runs. */
  exercise(model: Model): Promise<void>
  /** TypeScript that kysely-codegen writes for what is there. */
  introspect(model: Model): Promise<string>
  close(): Promise<void>
}

export async function openWitness(): Promise<PostgresWitness> {
  const database = await openPostgres()
  const pool = new pg.Pool({ connectionString: database.url, max: 1 })
  const notices: string[] = []
  pool.on('connect', (client) => client.on('notice', ({ message }) => notices.push(message ?? '')))
  return {
    async migrate(model) {
      notices.length = 0
      await pool.query('DROP SCHEMA IF EXISTS public CASCADE')
      notices.length = 0
      await pool.query('CREATE SCHEMA public')
      for (const { sql } of postgres.createSchema(planSchema(model))) {
        await pool.query(sql).catch((cause) => {
          throw new Error(`${cause.message}\n${sql}`, { cause })
        })
      }
      if (notices.length > 0) throw new Error(notices.join('\n'))
    },
    async exercise(model) {
      for (const { table } of model.collections) {
        const name = `"${table.replaceAll('"', '""')}"`
        const columns = 'uri, did, rkey, cid, rev, indexed_at, sort_at, record'
        await pool.query(`INSERT INTO ${name} (${columns}) VALUES ('at://a/b/c', 'a', 'c', 'x', '3a', 1, 1, '{}')`)
        await pool.query(`UPDATE ${name} SET record = '{"a":"\\u0000"}', rev = '3b'`)
        await pool.query(`UPDATE ${name} SET hidden = 1`)
      }
      await pool.query("INSERT INTO lexidex_state (name, value, updated_at) VALUES ('bulk_load', '', 0)")
      await pool.query("DELETE FROM lexidex_state WHERE name = 'bulk_load'")
      for (const { table } of model.collections) await pool.query(`DELETE FROM "${table.replaceAll('"', '""')}"`)
    },
    async introspect(model) {
      const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
      return generate({
        db,
        dialect: new PostgresCodegen(),
        outFile: null,
        postprocess: async ({ metadata }) => {
          metadata.tables = metadata.tables.filter(({ name }) => whyNotCompared(name, model) === undefined)
          // The store's driver gives numbers for those, where the driver by itself gives text.
          for (const { columns } of metadata.tables) {
            for (const column of columns) if (column.dataType === 'int8') column.dataType = 'int4'
          }
          return metadata
        },
      })
    },
    async close() {
      await pool.end()
      await database.drop()
    },
  }
}
