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
  return childLists(query, finished(query.child), "','")
}

/** SQL of `ReadDialect.childColumns`: the same walks. */
export function childColumns(query: ChildQuery, parent: string): Readonly<Record<string, string>> {
  return lists(query, { entry: finished(query.child), separator: "','", parent, limit: '?' })
}

function finished(child: CollectionDef): string {
  return concat([...entryParts(child), "'}'"])
}

function childLists(query: ChildQuery, entry: string, separator: string): string {
  const columns = Object.entries(lists(query, { entry, separator, parent: 'parent.value', limit: '?2' }))
  const named = columns.map(([name, list]) => `${list} AS ${quote(name)}`)
  return `SELECT parent.value AS parent,\n  ${named.join(',\n  ')}\nFROM json_each(?1) AS parent`
}

interface ListSql {
  readonly entry: string
  readonly separator: string
  /** Key of the parent. */
  readonly parent: string
  readonly limit: string
}

/** One list for each group, by name. */
function lists({ child, relation }: ChildQuery, sql: ListSql): Readonly<Record<string, string>> {
  const { groups, column } = relation
  if (groups === undefined) return { children: children(child, column, '', sql) }
  return Object.fromEntries(
    Object.entries(groups.values).map(([name, value]) => {
      const condition = ` AND ${quote(groups.column)} = ${literal(value)}`
      return [`children_${name}`, children(child, column, condition, sql)]
    }),
  )
}

/** `group_concat` keeps the order of a subquery; asked for it once more, it sorts what is in order. */
function children(
  child: CollectionDef,
  column: string,
  condition: string,
  { entry, separator, parent, limit }: ListSql,
): string {
  return `(SELECT group_concat(entry, ${separator}) FROM (
    SELECT ${entry} AS entry FROM ${quote(child.table)}
    WHERE ${quote(column)} = ${parent}${condition} AND hidden = 0
    ORDER BY sort_at DESC, uri DESC LIMIT ${limit}
  ))`
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
