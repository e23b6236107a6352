import type { CollectionDef } from '../../core/collection.ts'
import type { ChildQuery } from '../store.ts'
import { literal, quote } from './sql.ts'

/** Keys that a statement is asked about, from the JSON array that it binds first. */
const KEYS = 'json_array_elements_text($1::json)'

/**
 * SQL of `ReadDialect.childrenOf`. Each group is a walk of its index that ends at the limit, so a busy parent costs
 * no more than a quiet one and takes no room from it.
 */
export function childrenOf({ child, relation }: ChildQuery): string {
  const groups = relation.groups
  const columns =
    groups === undefined
      ? [children(child, relation.column, '', 'children')]
      : Object.entries(groups.values).map(([name, value]) =>
          children(child, relation.column, ` AND ${quote(groups.column)} = ${literal(value)}`, `children_${name}`),
        )
  return `SELECT parent AS parent,\n  ${columns.join(',\n  ')}\nFROM ${KEYS} AS parent`
}

function children(child: CollectionDef, column: string, condition: string, name: string): string {
  return `(SELECT string_agg(entry, ',' ORDER BY sort_at DESC, uri DESC) FROM (
    SELECT ${entry(child)} AS entry, sort_at, uri FROM ${quote(child.table)}
    WHERE ${quote(column)} = parent${condition} AND hidden = 0
    ORDER BY sort_at DESC, uri DESC LIMIT $2::bigint
  ) AS own) AS ${quote(name)}`
}

/** SQL of `ReadDialect.childRows`: the same walks, one row a child. */
export function childRows({ child, relation }: ChildQuery, columns: readonly string[]): string {
  const groups = relation.groups
  const walks =
    groups === undefined
      ? [walk(child, relation.column, '', 'NULL::text', columns)]
      : Object.entries(groups.values).map(([name, value]) =>
          walk(child, relation.column, ` AND ${quote(groups.column)} = ${literal(value)}`, literal(name), columns),
        )
  return `${walks.join('\nUNION ALL\n')}\nORDER BY sort_at DESC, uri DESC`
}

function walk(
  child: CollectionDef,
  column: string,
  condition: string,
  group: string,
  columns: readonly string[],
): string {
  const own = [...new Set([...columns, 'sort_at', 'uri'])].map((name) => `own.${quote(name)}`)
  return `SELECT parent AS lexidex_parent, ${group} AS lexidex_group, ${own.join(', ')}
FROM ${KEYS} AS parent CROSS JOIN LATERAL (
  SELECT * FROM ${quote(child.table)} WHERE ${quote(column)} = parent${condition} AND hidden = 0
  ORDER BY sort_at DESC, uri DESC LIMIT $2::bigint
) AS own`
}

/** SQL of `ReadDialect.recordsByKey`. */
export function recordsByKey(collection: CollectionDef, key: 'uri' | 'did', columns: readonly string[]): string {
  const own = columns.map((name) => `own.${quote(name)}`)
  const newest = key === 'uri' ? '' : '\n  ORDER BY sort_at DESC, uri DESC LIMIT 1'
  return `SELECT wanted AS lexidex_key, ${own.join(', ')}
FROM ${KEYS} AS wanted CROSS JOIN LATERAL (
  SELECT * FROM ${quote(collection.table)} WHERE ${key} = wanted AND hidden = 0${newest}
) AS own`
}

/** SQL of `ReadDialect.handlesOf`. */
export function handlesOf(): string {
  return `SELECT did, handle FROM ${KEYS} AS wanted JOIN lexidex_account ON did = wanted WHERE handle IS NOT NULL`
}

/** A record and what surrounds it, as JSON text; the counterpart of `rowView` in SQL. */
function entry(collection: CollectionDef): string {
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
    `'}'`,
  ].join(' || ')
}
