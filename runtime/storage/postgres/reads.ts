import type { CollectionDef } from '../../core/collection.ts'
import { LexidexError } from '../../core/errors.ts'
import type { ReadDialect } from '../store.ts'
import { childParts, childrenOf, handlesOf, recordsByKey } from './hydrate.ts'
import { compileAnyWord, compileSearch } from './search.ts'
import { quote } from './sql.ts'

/** Matches of a search that are ordered by relevance among themselves. */
const WINDOW = 1000

/** From here on a word is in too many rows to count them all. */
const OFTEN = 10_000

/** Postgres' share of the read side. Case and accents of a search go where those of the words went. */
export const postgresReads: ReadDialect = {
  compileSearch,
  compileAnyWord,

  searchCondition(collection) {
    const { table, search } = names(collection)
    return `EXISTS (SELECT FROM ${search} WHERE ${search}.id = ${table}.id AND ${search}.words @@ lexidex_fold(?)::tsquery)`
  },

  searchMatches(collection) {
    const { search } = names(collection)
    return `(SELECT id AS lexidex_id FROM ${search} WHERE words @@ lexidex_fold(?)::tsquery)`
  },

  searchOften(collection) {
    const { search } = names(collection)
    const some = `SELECT FROM ${search} WHERE words @@ lexidex_fold(?)::tsquery LIMIT ${OFTEN}`
    return `SELECT (count(*) = ${OFTEN})::integer AS often FROM (${some}) AS found`
  },

  searchWindow(collection) {
    return `(${window(names(collection).search, 'id AS lexidex_id')})`
  },

  searchRanked(collection) {
    const { search } = names(collection)
    // Values in the order in which they are bound, each once.
    return `(SELECT id AS lexidex_id, -ts_rank_cd(words, query) AS lexidex_rank
  FROM ${search}, (SELECT lexidex_fold(?)::tsquery AS query, ?::bigint AS below, ?::bigint AS bottom, ?::json AS shown) AS asked
  WHERE words @@ query AND id < below AND id >= bottom
  AND id NOT IN (SELECT value::bigint FROM json_array_elements_text(shown)))`
  },

  searchWindowEnd(collection) {
    const { search } = names(collection)
    return `SELECT CASE WHEN count(*) = ${WINDOW} THEN min(id) END AS bottom FROM (${window(search, 'id')}) AS newest`
  },

  childrenOf,
  childParts,
  recordsByKey,
  handlesOf,
}

function window(search: string, columns: string): string {
  return `SELECT ${columns} FROM ${search} WHERE words @@ lexidex_fold(?)::tsquery AND id < ?::bigint ORDER BY id DESC LIMIT ${WINDOW}`
}

function names(collection: CollectionDef): { table: string; search: string } {
  if (collection.searchTable === undefined) {
    throw new LexidexError(`Collection ${collection.name} is not searchable`, {
      hint: 'Name the fields to search in `searchable` of the config.',
    })
  }
  return { table: quote(collection.table), search: quote(collection.searchTable) }
}
