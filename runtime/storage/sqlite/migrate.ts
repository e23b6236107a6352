import type { DatabaseSync } from 'node:sqlite'
import { LexidexError, messageOf } from '../../core/errors.ts'
import type { Migration } from '../store.ts'
import { inTransaction, transactionStatements } from './connection.ts'

// Another process may be filling a column of a large table; starting over would not make it faster.
const LOCK_TIMEOUT_MS = 10 * 60 * 1000

/**
 * Applies what is not applied yet, each migration in a transaction of its own. Processes that start together take
 * turns: whoever comes second finds it done.
 *
 * @returns names of the migrations that this call applied
 * @throws LexidexError where a migration fails, or the database is ahead of `migrations`
 */
export function migrate(
  db: DatabaseSync,
  migrations: readonly Migration[],
  options: { readonly busyTimeoutMs: number; readonly now: number },
): string[] {
  const pending = pendingMigrations(db, migrations)
  if (pending.length === 0) return []
  const transaction = transactionStatements(db)
  const applied: string[] = []
  db.exec(`PRAGMA busy_timeout = ${LOCK_TIMEOUT_MS}`)
  try {
    for (const migration of pending) {
      const mine = inTransaction(db, transaction, () => {
        // Asked again under the write lock: another process may have been faster.
        if (!pendingMigrations(db, migrations).includes(migration)) return false
        run(db, migration, options.now)
        return true
      })
      if (mine) applied.push(migration.name)
    }
  } finally {
    db.exec(`PRAGMA busy_timeout = ${options.busyTimeoutMs}`)
  }
  return applied
}

/** @throws LexidexError where the database holds migrations that are not in the list, or out of its order */
export function pendingMigrations(db: DatabaseSync, migrations: readonly Migration[]): Migration[] {
  const applied = appliedMigrations(db)
  const known = new Set(migrations.map(({ name }) => name))
  const unknown = applied.filter((name) => !known.has(name))
  if (unknown.length > 0) {
    throw new LexidexError(`The database has migrations that this build does not know: ${unknown.join(', ')}`, {
      hint: 'Deploy the build that wrote them or a later one, or open another database.',
    })
  }
  const done = new Set(applied)
  return migrations.filter(({ name }) => !done.has(name))
}

/** Names in their order. */
export function appliedMigrations(db: DatabaseSync): string[] {
  // The table comes with the first migration, so an empty database has none.
  const table = db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'lexidex_migration'").get()
  if (table === undefined) return []
  const rows = db.prepare('SELECT name FROM lexidex_migration ORDER BY name').all()
  return rows.map((row) => String(row.name))
}

function run(db: DatabaseSync, { name, statements }: Migration, now: number): void {
  for (const statement of statements) {
    try {
      db.exec(statement)
    } catch (cause) {
      throw new LexidexError(`Migration ${name} failed: ${messageOf(cause)}\n${statement}`, {
        hint: 'Nothing of it was applied. Mend what the message names, then start again.',
        cause,
      })
    }
  }
  db.prepare('INSERT INTO lexidex_migration (name, applied_at) VALUES (?, ?)').run(name, now)
}
