import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { Migration } from '../store.ts'
import { suspendedBy } from './bulk.ts'
import { appliedMigrations } from './migrate.ts'

/**
 * Whether a database is what these migrations make. While an app is being worked on, the text of a migration changes
 * after it was applied: such a database has other tables than the app expects, and nothing will mend it.
 *
 * @param file Path of a database; one that does not exist yet can still become what is wanted.
 */
export function madeBy(file: string, migrations: readonly Migration[]): boolean {
  if (!existsSync(file)) return true
  const db = new DatabaseSync(file, { readOnly: true })
  const fresh = new DatabaseSync(':memory:')
  try {
    const applied = appliedMigrations(db)
    // What is not applied yet will be.
    const own = migrations.filter(({ name }) => applied.includes(name))
    if (own.length < applied.length) return false
    for (const { statements } of own) for (const statement of statements) fresh.exec(statement)
    const wanted = objectsOf(fresh)
    const there = objectsOf(db)
    return wanted.size === there.size && [...wanted].every((object) => there.has(object))
  } finally {
    db.close()
    fresh.close()
  }
}

/** Tables, indexes and triggers as they were created; with those that a bulk load does without for a while. */
function objectsOf(db: DatabaseSync): Set<string> {
  const rows = db.prepare("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite%'").all()
  const suspended = rows.some(({ name }) => name === 'lexidex_state') ? (suspendedBy(db) ?? []) : []
  return new Set([...rows, ...suspended].map(({ type, name, sql }) => `${type} ${name} ${sql}`))
}
