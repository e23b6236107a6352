import type { DatabaseSync } from 'node:sqlite'
import { inTransaction, isDatabaseCondition, transactionStatements } from './connection.ts'
import { quote } from './statements.ts'
import type { CollectionTable } from './tables.ts'

/** Row of `lexidex_state`. Triggers of the emitted schema make counts and words anew when it goes. */
const MARK = 'bulk_load'

/** Records that an index may hold at most for a load to pay: they are counted and indexed again with the rest. */
const NEARLY_EMPTY = 10_000

/**
 * Page cache of a load, in MB. Records of an account come together, and lie together in the one index that is kept; and
 * what is sorted at the end takes as much memory again, several times over.
 */
const CACHE_MB = 16

/** An index or a trigger that a load does without. */
interface Suspended {
  readonly type: 'index' | 'trigger'
  readonly name: string
  readonly sql: string
  /** Of an index: whether a count is in it, so that it is built once all is counted. */
  readonly isCounted: boolean
}

/**
 * Takes indexes and triggers away from the collections' tables, and marks that in the same transaction. From then on
 * a record costs a third of what it does otherwise or less, and rows alone are kept.
 *
 * @returns false, and does nothing, where the index is no longer nearly empty or a load is going on
 */
export function beginLoad(db: DatabaseSync, tables: readonly CollectionTable[], now: number): boolean {
  return inTransaction(db, transactionStatements(db), () => {
    if (isLoading(db) || !isNearlyEmpty(db, tables)) return false
    const names = JSON.stringify(tables.map(({ table }) => table))
    // A unique index is a rule, which rows must not break meanwhile either.
    const found = db
      .prepare(`SELECT type, name, sql FROM sqlite_master
WHERE tbl_name IN (SELECT value FROM json_each(?)) AND type IN ('index', 'trigger') AND sql IS NOT NULL
  AND sql NOT LIKE 'CREATE UNIQUE%' ORDER BY rowid`)
      .all(names)
    const counts = new Set(tables.flatMap((table) => table.counts))
    const suspended = found.map(({ type, name, sql }) => {
      const isCounted = type === 'index' && columnsOf(db, String(name)).some((column) => counts.has(column))
      return { type, name, sql, isCounted } as Suspended
    })
    const insert = db.prepare('INSERT INTO lexidex_state (name, value, updated_at) VALUES (?, ?, ?)')
    insert.run(MARK, JSON.stringify(suspended), now)
    for (const { type, name } of suspended) db.exec(`DROP ${type} ${quote(name)}`)
    return true
  })
}

/** Gives back memory that a load can do without. @returns what takes it again */
export function shrinkCache(db: DatabaseSync): () => void {
  const { cache_size: size } = db.prepare('PRAGMA cache_size').get() as { cache_size: number }
  // Negative: KiB.
  db.exec(`PRAGMA cache_size = ${-1024 * CACHE_MB}`)
  db.exec('PRAGMA shrink_memory')
  return () => db.exec(`PRAGMA cache_size = ${size}`)
}

/** Whether a load is going on, or was cut short: then rows are right, and counts and words are not. */
export function isLoading(db: DatabaseSync): boolean {
  // The table comes with the first migration, so an empty database has none.
  const table = db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'lexidex_state'").get()
  return table !== undefined && suspendedBy(db) !== null
}

/**
 * Builds one index that the load took away, in a transaction of its own, so that other writes need not wait for all.
 *
 * @returns false where none is left
 */
export function buildIndex(db: DatabaseSync): boolean {
  const index = missing(db, 'index').find(({ isCounted }) => !isCounted)
  if (index === undefined) return false
  withTemporaryFiles(db, () => db.exec(index.sql))
  return true
}

/** Counts, indexes words and brings the triggers back, in one transaction with the end of the mark. */
export function endLoad(db: DatabaseSync): void {
  const end = () => {
    const indexes = missing(db, 'index')
    for (const { sql, isCounted } of indexes) if (!isCounted) db.exec(sql)
    const triggers = missing(db, 'trigger')
    // Before the triggers are there: what is written here must not be counted as it is written.
    db.prepare('DELETE FROM lexidex_state WHERE name = ?').run(MARK)
    for (const { sql, isCounted } of indexes) if (isCounted) db.exec(sql)
    for (const { sql } of triggers) db.exec(sql)
  }
  withTemporaryFiles(db, () => inTransaction(db, transactionStatements(db), end))
}

/**
 * Does `work` with files for what it sorts, and for the pages that it may have to put back: both may be far larger than
 * memory. Where there is no directory for them, it is begun again in memory.
 */
function withTemporaryFiles(db: DatabaseSync, work: () => void): void {
  try {
    db.exec('PRAGMA temp_store = FILE')
    work()
  } catch (error) {
    if (!isDatabaseCondition(error)) throw error
    db.exec('PRAGMA temp_store = MEMORY')
    work()
  } finally {
    db.exec('PRAGMA temp_store = MEMORY')
  }
}

function columnsOf(db: DatabaseSync, index: string): string[] {
  const rows = db.prepare(`PRAGMA index_info(${quote(index)})`).all()
  // Of an expression there is no name.
  return rows.flatMap(({ name }) => (name === null ? [] : [String(name)]))
}

function missing(db: DatabaseSync, type: Suspended['type']): Suspended[] {
  const there = db.prepare('SELECT 1 FROM sqlite_master WHERE type = ? AND name = ?')
  return (suspendedBy(db) ?? []).filter((one) => one.type === type && there.get(type, one.name) === undefined)
}

/** What a load that goes on, or was cut short, has taken away; null where there is none. */
export function suspendedBy(db: DatabaseSync): Suspended[] | null {
  const mark = db.prepare('SELECT value FROM lexidex_state WHERE name = ?').get(MARK)
  return mark === undefined ? null : JSON.parse(String(mark.value))
}

function isNearlyEmpty(db: DatabaseSync, tables: readonly CollectionTable[]): boolean {
  let left = NEARLY_EMPTY
  for (const { table } of tables) {
    const row = db.prepare(`SELECT count(*) AS n FROM (SELECT 1 FROM ${quote(table)} LIMIT ?)`).get(left + 1)
    left -= Number(row!.n)
    if (left < 0) return false
  }
  return true
}
