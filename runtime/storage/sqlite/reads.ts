import { sql } from 'kysely'
import type { CollectionDef } from '../../core/collection.ts'
import { LexidexError } from '../../core/errors.ts'
import type { ReadDialect } from '../store.ts'
import { childParts, childrenOf, handlesOf, recordsByKey } from './hydrate.ts'
import { compileAnyWord, compileSearch } from './search.ts'
import { quote } from './statements.ts'

/** Matches of a search that are ordered by relevance among themselves. */
const WINDOW = 1000

/** From here on a word is in too many rows to count them all. */
const OFTEN = 10_000

/** Rows that are put in order as quickly as a page of a large table is found by walking. */
const FEW = 2000

/** Selects whose rows are merged; SQLite itself takes 500. */
const SELECTS = 16

/** SQLite's share of the read side. */
export const sqliteReads: ReadDialect = {
  planning: { few: FEW, selects: SELECTS, unindexed: (column) => sql`+${column}` },

  compileSearch,
  compileAnyWord,

  searchCondition(collection) {
    const { table, search } = names(collection)
    return `EXISTS (SELECT 1 FROM ${search} WHERE ${search} MATCH ? AND ${search}.rowid = ${table}.id)`
  },

  searchMatches(collection) {
    const { search } = names(collection)
    return `(SELECT rowid AS lexidex_id FROM ${search} WHERE ${search} MATCH ?)`
  },

  searchOften(collection) {
    const { search } = names(collection)
    return `SELECT count(*) = ${OFTEN} AS often FROM (SELECT 1 FROM ${search} WHERE ${search} MATCH ? LIMIT ${OFTEN})`
  },

  searchWindow(collection) {
    return `(${window(names(collection).search, 'rowid AS lexidex_id')})`
  },

  searchRanked(collection) {
    const { search } = names(collection)
    return `(SELECT rowid AS lexidex_id, rank AS lexidex_rank FROM ${search}
  WHERE ${search} MATCH ? AND rowid < CAST(? AS INTEGER) AND rowid >= CAST(? AS INTEGER)
  AND rowid NOT IN (SELECT value FROM json_each(?)))`
  },

  searchWindowEnd(collection) {
    const { search } = names(collection)
    return `SELECT iif(count(*) = ${WINDOW}, min(rowid), NULL) AS bottom FROM (${window(search, 'rowid')})`
  },

  childrenOf,
  childParts,
  recordsByKey,
  handlesOf,
}

/** FTS5 seeks to a bound only if it is an integer; drivers bind JavaScript's numbers as doubles. */
function window(search: string, columns: string): string {
  return `SELECT ${columns} FROM ${search} WHERE ${search} MATCH ? AND rowid < CAST(? AS INTEGER) ORDER BY rowid DESC LIMIT ${WINDOW}`
}

function names(collection: CollectionDef): { table: string; search: string } {
  if (collection.searchTable === undefined) {
    throw new LexidexError(`Collection ${collection.name} is not searchable`, {
      hint: 'Name the fields to search in `searchable` of the config.',
    })
  }
  return { table: quote(collection.table), search: quote(collection.searchTable) }
}
