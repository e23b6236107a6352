import type pg from 'pg'
import { inTransaction, once, type Queryable } from './connection.ts'
import { literal, quote } from './sql.ts'
import type { CollectionTable } from './tables.ts'

/** Row of `lexidex_state`. A trigger of the emitted schema makes counts and words anew when it goes. */
const MARK = 'bulk_load'

/** Records that an index may hold at most for a load to pay: they are counted and indexed again with the rest. */
const NEARLY_EMPTY = 10_000

/** Memory for building an index. */
const BUILD_MEMORY = "SET LOCAL maintenance_work_mem = '256MB'"

/** What a load does without. */
interface Suspended {
  readonly indexes: readonly { readonly name: string; readonly sql: string; readonly last: boolean }[]
  readonly triggers: readonly { readonly name: string; readonly table: string }[]
}

/**
 * Indexes that are no rule, of the tables of `$1` and of their words, `$2`. Last those of words, which are made at the
 * end, and of the tables of `$3`, which are counted into then: a row that changes is put into every index of its table
 * anew. Of a table of parts Postgres tells the statement that leaves the parts out.
 */
const INDEXES = `SELECT indexrelid::regclass::text AS name,
  regexp_replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ') AS sql,
  indrelid = ANY($2::regclass[] || $3::regclass[]) AS last
FROM pg_index WHERE indrelid = ANY($1::regclass[] || $2::regclass[]) AND NOT indisunique AND NOT indisexclusion
ORDER BY indexrelid`

/** Triggers that run; those that somebody has switched off stay so. */
const TRIGGERS = `SELECT tgname AS name, tgrelid::regclass::text AS table
FROM pg_trigger WHERE tgrelid = ANY($1::regclass[]) AND NOT tgisinternal AND tgenabled = 'O' ORDER BY oid`

/**
 * Takes indexes and triggers away from the collections' tables, and marks that in the same transaction. From then on
 * rows alone are kept.
 *
 * @returns false, and does nothing, where the index is no longer nearly empty or a load is going on
 */
export function beginLoad(pool: pg.Pool, tables: readonly CollectionTable[], now: number): Promise<boolean> {
  return inTransaction(pool, async (client) => {
    // Nobody is in the middle of a batch whose triggers would be half gone.
    await client.query(`LOCK TABLE ${tables.map(({ table }) => quote(table)).join(', ')} IN ACCESS EXCLUSIVE MODE`)
    if ((await isLoading(client)) || !(await isNearlyEmpty(client, tables))) return false
    const names = tables.map(({ table }) => quote(table))
    const searches = tables.flatMap(({ search }) => (search === undefined ? [] : [quote(search)]))
    const counted = tables.flatMap(({ table, isCounted }) => (isCounted ? [quote(table)] : []))
    const { rows: indexes } = await client.query(INDEXES, [names, searches, counted])
    const { rows: triggers } = await client.query(TRIGGERS, [names])
    const suspended: Suspended = { indexes, triggers }
    await client.query(
      once('INSERT INTO lexidex_state (name, value, updated_at) VALUES ($1, $2, $3)', [
        MARK,
        JSON.stringify(suspended),
        now,
      ]),
    )
    for (const { name } of suspended.indexes) await client.query(`DROP INDEX ${name}`)
    for (const { name, table } of suspended.triggers) {
      await client.query(`ALTER TABLE ${table} DISABLE TRIGGER ${quote(name)}`)
    }
    return true
  })
}

/** Whether a load is going on, or was cut short: then rows are right, and counts and words are not. */
export async function isLoading(db: Queryable): Promise<boolean> {
  return (await suspendedBy(db)) !== null
}

/** Builds the indexes that the load took away, each in a transaction of its own, so that other writes need not wait for all. */
export async function buildIndexes(pool: pg.Pool): Promise<void> {
  for (const { name, sql, last } of (await suspendedBy(pool))?.indexes ?? []) {
    if (last) continue
    await inTransaction(pool, async (client) => {
      await client.query(BUILD_MEMORY)
      if (await isMissing(client, name)) await client.query(sql)
    })
  }
}

/** Counts, indexes words and brings the triggers back, in one transaction with the end of the mark. */
export async function endLoad(pool: pg.Pool, tables: readonly string[]): Promise<void> {
  await inTransaction(pool, async (client) => {
    await client.query(BUILD_MEMORY)
    // Rows that are written meanwhile would be neither counted here nor by triggers.
    if (tables.length > 0) await client.query(`LOCK TABLE ${tables.join(', ')} IN SHARE ROW EXCLUSIVE MODE`)
    const suspended = await suspendedBy(client)
    if (suspended === null) return
    for (const { name, sql, last } of suspended.indexes)
      if (!last && (await isMissing(client, name))) await client.query(sql)
    // Before the triggers are there: what is written here must not be counted as it is written.
    await client.query(`DELETE FROM lexidex_state WHERE name = ${literal(MARK)}`)
    for (const { name, sql, last } of suspended.indexes)
      if (last && (await isMissing(client, name))) await client.query(sql)
    for (const { name, table } of suspended.triggers) {
      await client.query(`ALTER TABLE ${table} ENABLE TRIGGER ${quote(name)}`)
    }
  })
  // Plans made for empty tables are no plans for full ones.
  for (const table of tables) await pool.query(`ANALYZE ${table}`)
}

/** The tables that a load has taken triggers away from, as SQL. */
export async function loadingTables(db: Queryable): Promise<readonly string[]> {
  const suspended = await suspendedBy(db)
  return [...new Set(suspended?.triggers.map(({ table }) => table))]
}

async function suspendedBy(db: Queryable): Promise<Suspended | null> {
  const there = await db.query({ text: `SELECT to_regclass('lexidex_state') IS NOT NULL AS begun` })
  // The table comes with the first migration, so an empty database has none.
  if (!there.rows[0].begun) return null
  const { rows } = await db.query({ text: 'SELECT value FROM lexidex_state WHERE name = $1', values: [MARK] })
  return rows.length === 0 ? null : JSON.parse(rows[0].value)
}

async function isMissing(db: Queryable, index: string): Promise<boolean> {
  const { rows } = await db.query({ text: 'SELECT to_regclass($1) IS NULL AS missing', values: [index] })
  return rows[0].missing
}

async function isNearlyEmpty(db: Queryable, tables: readonly CollectionTable[]): Promise<boolean> {
  let left = NEARLY_EMPTY
  for (const { table } of tables) {
    const text = `SELECT count(*)::integer AS n FROM (SELECT FROM ${quote(table)} LIMIT $1) AS some_rows`
    left -= (await db.query({ text, values: [left + 1] })).rows[0].n
    if (left < 0) return false
  }
  return true
}
