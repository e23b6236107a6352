import type { CollectionDef } from '../../core/collection.ts'
import type { ChildQuery } from '../store.ts'
import { quote } from './statements.ts'

// What separates the parts of an open entry, and open entries: no text of JSON holds them.
const WITHIN = 0x1f
const BETWEEN = 0x1e

/** D1 takes no more for one function; SQLite itself takes at least 127. */
const MAX_ARGUMENTS = 32

/**
 * SQL of `ReadDialect.childrenOf`. Each group is a walk of its index that ends at the limit, so a busy parent costs
 * no more than a quiet one and takes no room from it.
 */
export function childrenOf(query: ChildQuery): string {
  return childLists(query, concat([...entryParts(query.child), "'}'"]), "','")
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
  return `SELECT parent.value AS parent,\n  ${columns.join(',\n  ')}\nFROM json_each(?1) AS parent`
}

/** `group_concat` keeps the order of a subquery; asked for it once more, it sorts what is in order. */
function children(
  child: CollectionDef,
  column: string,
  condition: string,
  entry: string,
  separator: string,
  name: string,
): string {
  return `(SELECT group_concat(entry, ${separator}) FROM (
    SELECT ${entry} AS entry FROM ${quote(child.table)}
    WHERE ${quote(column)} = parent.value${condition} AND hidden = 0
    ORDER BY sort_at DESC, uri DESC LIMIT ?2
  )) AS ${quote(name)}`
}

/** SQL of `ReadDialect.childParts`: the same walks. */
export function childParts(query: ChildQuery, columns: readonly string[]): string {
  return childLists(query, openEntry(query.child, columns), `char(${BETWEEN})`)
}

/** SQL of `ReadDialect.recordsByKey`. */
export function recordsByKey(collection: CollectionDef, key: 'uri' | 'did', columns: readonly string[]): string {
  const newest = key === 'uri' ? '' : '\n  ORDER BY sort_at DESC, uri DESC LIMIT 1'
  return `SELECT wanted.value AS lexidex_key, (
  SELECT ${openEntry(collection, columns)} FROM ${quote(collection.table)}
  WHERE ${key} = wanted.value AND hidden = 0${newest}
) AS entry
FROM json_each(?1) AS wanted`
}

/** SQL of `ReadDialect.handlesOf`. */
export function handlesOf(): string {
  return `SELECT did, handle FROM json_each(?1) AS wanted CROSS JOIN lexidex_account ON did = wanted.value
WHERE handle IS NOT NULL`
}

/** An entry without the brace at its end, and in front of it what is needed to embed in it. */
function openEntry(collection: CollectionDef, columns: readonly string[]): string {
  const front = columns.length === 0 ? [] : [`json_array(${columns.map(quote).join(', ')})`, `char(${WITHIN})`]
  return concat([...front, ...entryParts(collection)])
}

/** In one call where that is allowed, since each call copies what it gives. */
function concat(parts: readonly string[]): string {
  if (parts.length <= MAX_ARGUMENTS) return `concat(${parts.join(', ')})`
  const calls: string[] = []
  for (let i = 0; i < parts.length; i += MAX_ARGUMENTS) calls.push(concat(parts.slice(i, i + MAX_ARGUMENTS)))
  return concat(calls)
}

/**
 * A record and what surrounds it, as JSON text without the brace at its end; the counterpart of `rowView` in SQL. To go
 * into `concat`, as `||` copies what it has so far at every step.
 */
function entryParts(collection: CollectionDef): string[] {
  const counts = Object.entries(collection.counts).map(
    ([name, column]) => `iif(${quote(column)} > 0, ${literal(`,${JSON.stringify(name)}:`)} || ${quote(column)}, '')`,
  )
  return [
    `'{"uri":"'`,
    'uri',
    `'","cid":"'`,
    'cid',
    `'","value":'`,
    'record',
    `',"did":"'`,
    'did',
    literal(`","collection":${JSON.stringify(collection.nsid)},"rkey":"`),
    'rkey',
    `'","time_us":'`,
    'sort_at',
    ...counts,
  ]
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
