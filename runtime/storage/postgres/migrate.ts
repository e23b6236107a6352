import type pg from 'pg'
import { LexidexError, messageOf } from '../../core/errors.ts'
import type { Migration } from '../store.ts'
import { inTransaction, type Queryable } from './connection.ts'

/** Held by whoever migrates: "lxdx", and "mi". */
export const MIGRATE = 'SELECT pg_advisory_xact_lock(1819829368, 28009)'

/**
 * Applies what is not applied yet, each migration in a transaction of its own. Processes that start together take
 * turns: whoever comes second finds it done.
 *
 * @returns names of the migrations that this call applied
 * @throws LexidexError where a migration fails, or the database is ahead of `migrations`
 */
export async function migrate(pool: pg.Pool, migrations: readonly Migration[], now: number): Promise<string[]> {
  const applied: string[] = []
  for (const migration of await pendingMigrations(pool, migrations)) {
    const mine = await inTransaction(pool, async (client) => {
      await client.query(MIGRATE)
      // Asked again under the lock: another process may have been faster.
      if (!(await pendingMigrations(client, migrations)).includes(migration)) return false
      await run(client, migration, now)
      return true
    })
    if (mine) applied.push(migration.name)
  }
  return applied
}

/**
 * Reads the catalogue itself. `to_regclass` goes by what a session remembers, which after a wait for the lock may be that
 * there was no such table.
 */
const BEGUN = `SELECT EXISTS (SELECT FROM pg_class WHERE relname = 'lexidex_migration' AND pg_table_is_visible(oid)) AS begun,
  getdatabaseencoding() AS encoding`

/** @throws LexidexError where the database holds migrations that are not in the list, or is none for text of all kinds */
export async function pendingMigrations(db: Queryable, migrations: readonly Migration[]): Promise<Migration[]> {
  const { rows } = await db.query({
    text: BEGUN,
  })
  const { begun, encoding } = rows[0]
  if (encoding !== 'UTF8') {
    throw new LexidexError(`The database is encoded in ${encoding}, which cannot hold every text`, {
      hint: "Create it with ENCODING 'UTF8'.",
    })
  }
  if (!begun) return [...migrations]
  const done = await db.query({ text: 'SELECT name FROM lexidex_migration ORDER BY name' })
  const names = new Set(done.rows.map((row) => String(row.name)))
  const known = new Set(migrations.map(({ name }) => name))
  const unknown = [...names].filter((name) => !known.has(name))
  if (unknown.length > 0) {
    throw new LexidexError(`The database has migrations that this build does not know: ${unknown.join(', ')}`, {
      hint: 'Deploy the build that wrote them or a later one, or open another database.',
    })
  }
  return migrations.filter(({ name }) => !names.has(name))
}

async function run(client: pg.ClientBase, { name, statements }: Migration, now: number): Promise<void> {
  for (const statement of statements) {
    try {
      await client.query(statement)
    } catch (cause) {
      throw new LexidexError(`Migration ${name} failed: ${messageOf(cause)}\n${statement}`, {
        hint: 'Nothing of it was applied. Mend what the message names, then start again.',
        cause,
      })
    }
  }
  await client.query('INSERT INTO lexidex_migration (name, applied_at) VALUES ($1, $2)', [name, now])
}
