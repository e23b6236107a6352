import type { CollectionDef } from '../../core/collection.ts'
import type { ChildQuery } from '../store.ts'
import { literal, quote } from './sql.ts'

/** Keys that a statement is asked about, from the JSON array that it binds first. */
const KEYS = 'json_array_elements_text($1::json)'

// What separates the parts of an open entry, and open entries: no text of JSON holds them.
const WITHIN = 0x1f
const BETWEEN = 0x1e

/**
 * SQL of `ReadDialect.childrenOf`. Each group is a walk of its index that ends at the limit, so a busy parent costs
 * no more than a quiet one and takes no room from it.
 */
export function childrenOf(query: ChildQuery): string {
  return childLists(query, [...entryParts(query.child), "'}'"].join(' || '), "','")
}

/** SQL of `ReadDialect.childParts`: the same walks. */
export function childParts(query: ChildQuery, columns: readonly string[]): string {
  return childLists(query, openEntry(query.child, columns), `chr(${BETWEEN})`)
}

function childLists({ child, relation }: ChildQuery, entry: string, separator: string): string {
  const groups = relation.groups
  const list = (condition: string, name: string) => children(child, relation.column, condition, entry, separator, name)
  const columns =
    groups === undefined
      ? [list('', 'children')]
      : Object.entries(groups.values).map(([name, value]) =>
          list(` AND ${quote(groups.column)} = ${literal(value)}`, `children_${name}`),
        )
  return `SELECT parent AS parent,\n  ${columns.join(',\n  ')}\nFROM ${KEYS} AS parent`
}

function children(
  child: CollectionDef,
  column: string,
  condition: string,
  entry: string,
  separator: string,
  name: string,
): string {
  return `(SELECT string_agg(entry, ${separator} ORDER BY sort_at DESC, uri DESC) FROM (
    SELECT ${entry} AS entry, sort_at, uri FROM ${quote(child.table)}
    WHERE ${quote(column)} = parent${condition} AND hidden = 0
    ORDER BY sort_at DESC, uri DESC LIMIT $2::bigint
  ) AS own) AS ${quote(name)}`
}

/** SQL of `ReadDialect.recordsByKey`. */
export function recordsByKey(collection: CollectionDef, key: 'uri' | 'did', columns: readonly string[]): string {
  const newest = key === 'uri' ? '' : '\n  ORDER BY sort_at DESC, uri DESC LIMIT 1'
  return `SELECT wanted AS lexidex_key, (
  SELECT ${openEntry(collection, columns)} FROM ${quote(collection.table)}
  WHERE ${key} = wanted AND hidden = 0${newest}
) AS entry
FROM ${KEYS} AS wanted`
}

/** SQL of `ReadDialect.handlesOf`. */
export function handlesOf(): string {
  return `SELECT did, handle FROM ${KEYS} AS wanted JOIN lexidex_account ON did = wanted WHERE handle IS NOT NULL`
}

/** An entry without the brace at its end, and in front of it what is needed to embed in it. */
function openEntry(collection: CollectionDef, columns: readonly string[]): string {
  const front =
    columns.length === 0 ? [] : [`json_build_array(${columns.map(quote).join(', ')})::text`, `chr(${WITHIN})`]
  return [...front, ...entryParts(collection)].join(' || ')
}

/** A record and what surrounds it, as JSON text without the brace at its end; the counterpart of `rowView` in SQL. */
function entryParts(collection: CollectionDef): string[] {
  const counts = Object.entries(collection.counts).map(
    ([name, column]) =>
      `CASE WHEN ${quote(column)} > 0 THEN ${literal(`,${JSON.stringify(name)}:`)} || ${quote(column)} ELSE '' END`,
  )
  return [
    `'{"uri":"' || uri`,
    `'","cid":"' || cid`,
    `'","value":' || record`,
    `',"did":"' || did`,
    `${literal(`","collection":${JSON.stringify(collection.nsid)},"rkey":"`)} || rkey`,
    `'","time_us":' || sort_at`,
    ...counts,
  ]
}
