import type { CollectionDef } from '../../core/collection.ts'
import type { ChildQuery } from '../store.ts'
import { quote } from './statements.ts'

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
  return `SELECT parent.value AS parent,\n  ${columns.join(',\n  ')}\nFROM json_each(?1) AS parent`
}

/** `group_concat` keeps the order of a subquery; asked for it once more, it sorts what is in order. */
function children(child: CollectionDef, column: string, condition: string, name: string): string {
  return `(SELECT group_concat(entry, ',') FROM (
    SELECT ${entry(child)} AS entry FROM ${quote(child.table)}
    WHERE ${quote(column)} = parent.value${condition} AND hidden = 0
    ORDER BY sort_at DESC, uri DESC LIMIT ?2
  )) AS ${quote(name)}`
}

/** SQL of `ReadDialect.childRows`: the same walks, one row a child. */
export function childRows({ child, relation }: ChildQuery, columns: readonly string[]): string {
  const groups = relation.groups
  const walks =
    groups === undefined
      ? [walk(child, relation.column, '', 'NULL', columns)]
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
  const table = quote(child.table)
  const own = [...new Set([...columns, 'sort_at', 'uri'])].map((name) => `${table}.${quote(name)}`)
  return `SELECT parent.value AS lexidex_parent, ${group} AS lexidex_group, ${own.join(', ')}
FROM json_each(?1) AS parent CROSS JOIN ${table} ON ${table}.id IN (
  SELECT id FROM ${table} AS own WHERE own.${quote(column)} = parent.value${condition} AND own.hidden = 0
  ORDER BY own.sort_at DESC, own.uri DESC LIMIT ?2
)`
}

/** SQL of `ReadDialect.recordsByKey`. */
export function recordsByKey(collection: CollectionDef, key: 'uri' | 'did', columns: readonly string[]): string {
  const table = quote(collection.table)
  const newest =
    key === 'uri'
      ? `${table}.uri = wanted.value`
      : `${table}.id = (
    SELECT id FROM ${table} AS own WHERE own.did = wanted.value AND own.hidden = 0
    ORDER BY own.sort_at DESC, own.uri DESC LIMIT 1
  )`
  const own = columns.map((name) => `${table}.${quote(name)}`)
  return `SELECT wanted.value AS lexidex_key, ${own.join(', ')}
FROM json_each(?1) AS wanted CROSS JOIN ${table} ON ${newest}
WHERE ${table}.hidden = 0`
}

/** SQL of `ReadDialect.handlesOf`. */
export function handlesOf(): string {
  return `SELECT did, handle FROM json_each(?1) AS wanted CROSS JOIN lexidex_account ON did = wanted.value
WHERE handle IS NOT NULL`
}

/**
 * A record and what surrounds it, as JSON text; the counterpart of `rowView` in SQL. In one `concat`, as `||` copies what
 * it has so far at every step.
 */
function entry(collection: CollectionDef): string {
  const counts = Object.entries(collection.counts).map(
    ([name, column]) => `iif(${quote(column)} > 0, ${literal(`,${JSON.stringify(name)}:`)} || ${quote(column)}, '')`,
  )
  const parts = [
    `'{"uri":"', uri`,
    `'","cid":"', cid`,
    `'","value":', record`,
    `',"did":"', did`,
    `${literal(`","collection":${JSON.stringify(collection.nsid)},"rkey":"`)}, rkey`,
    `'","time_us":', sort_at`,
    ...counts,
    `'}'`,
  ]
  return `concat(${parts.join(', ')})`
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
