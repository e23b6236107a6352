import { LexidexError, messageOf } from '../../core/errors.ts'
import type { Migration } from '../store.ts'
import type { D1Answer, D1Binding } from './binding.ts'

export interface MigrateOptions {
  /** Where `wrangler d1 migrations apply` keeps what it has applied. */
  readonly wranglerTable: string
  /** ms since 1970 */
  readonly now: number
  /** Writes nothing. Default false. */
  readonly readonly?: boolean
}

/**
 * Applies what is not applied yet, each migration in a transaction of its own. Wrangler applies the same files, and keeps
 * a list of its own; whoever came first, the other finds it done.
 *
 * @returns names of the migrations that this call applied
 * @throws LexidexError where a migration fails, or the database is ahead of `migrations`
 */
export async function migrate(
  binding: D1Binding,
  migrations: readonly Migration[],
  options: MigrateOptions,
): Promise<string[]> {
  const pending = await pendingMigrations(binding, migrations, options)
  const applied: string[] = []
  for (const migration of pending) {
    if (await apply(binding, migration, migrations, options)) applied.push(migration.name)
  }
  return applied
}

async function apply(
  binding: D1Binding,
  migration: Migration,
  migrations: readonly Migration[],
  options: MigrateOptions,
): Promise<boolean> {
  const { name, statements } = migration
  const table = quote(options.wranglerTable)
  try {
    await binding.batch([
      ...statements.map((statement) => binding.prepare(statement)),
      binding.prepare('INSERT INTO lexidex_migration (name, applied_at) VALUES (?, ?)').bind(name, options.now),
      // As wrangler makes it.
      binding.prepare(`CREATE TABLE IF NOT EXISTS ${table} (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`),
      binding.prepare(`INSERT INTO ${table} (name) VALUES (?)`).bind(fileOf(name)),
    ])
    return true
  } catch (cause) {
    // Another Worker may have been faster: then what was to be made is there.
    if (!(await pendingMigrations(binding, migrations, options)).includes(migration)) return false
    throw new LexidexError(`Migration ${name} failed: ${messageOf(cause)}`, {
      hint: 'Nothing of it was applied. Mend what the message names, then start again.',
      cause,
    })
  }
}

/** @throws LexidexError where the database holds migrations that are not in the list */
export async function pendingMigrations(
  binding: D1Binding,
  migrations: readonly Migration[],
  { wranglerTable, now, readonly = false }: MigrateOptions,
): Promise<Migration[]> {
  const [own, byWranglers] = await appliedIn(binding, ['lexidex_migration', wranglerTable])
  const known = new Set(migrations.map(({ name }) => name))
  const unknown = own.filter((name) => !known.has(name))
  if (unknown.length > 0) {
    throw new LexidexError(`The database has migrations that this build does not know: ${unknown.join(', ')}`, {
      hint: 'Deploy the build that wrote them or a later one, or open another database.',
    })
  }
  // What else is in there belongs to the app around the index.
  const files = new Set(byWranglers)
  const done = new Set(own)
  const byWrangler = migrations.filter(({ name }) => !done.has(name) && files.has(fileOf(name)))
  if (byWrangler.length > 0 && !readonly) {
    const names = JSON.stringify(byWrangler.map(({ name }) => name))
    await binding
      .prepare(`INSERT INTO lexidex_migration (name, applied_at)
SELECT value, ? FROM json_each(?) WHERE true ON CONFLICT (name) DO NOTHING`)
      .bind(now, names)
      .all()
  }
  return migrations.filter(({ name }) => !done.has(name) && !files.has(fileOf(name)))
}

/** Names in tables of applied migrations; none where there is no such table. */
async function appliedIn(
  binding: D1Binding,
  tables: readonly [string, string],
): Promise<readonly [string[], string[]]> {
  const namesIn = (table: string) => binding.prepare(`SELECT name FROM ${quote(table)} ORDER BY name`)
  try {
    // Every isolate of a Worker begins with this, nearly always on a database that has both.
    const [first, second] = await binding.batch(tables.map(namesIn))
    return [namesOf(first!), namesOf(second!)]
  } catch (error) {
    if (!messageOf(error).includes('no such table')) throw error
  }
  const existing = await binding
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name IN (?, ?)")
    .bind(...tables)
    .all()
  const [first, second] = tables.map(async (table) =>
    namesOf(existing).includes(table) ? namesOf(await namesIn(table).all()) : [],
  )
  return [await first!, await second!]
}

function namesOf({ results }: D1Answer): string[] {
  return results.map((row) => String(row.name))
}

/** Wrangler names migrations by their files. */
function fileOf(name: string): string {
  return `${name}.sql`
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
