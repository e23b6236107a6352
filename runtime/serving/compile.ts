import { type Compilable, type RawBuilder, sql } from 'kysely'
import type { ColumnValue } from '../core/operation.ts'
import type { PreparedQuery, Store } from '../storage/store.ts'
import type { ListDef, Query } from './define.ts'
import { bind, Slot, type Values } from './slots.ts'
import type { Row, RowView } from './splice.ts'

/** Most index walks that one statement merges; longer lists of values are filtered with a plain `in`. */
const MAX_WALKS = 16

/** Which statement a request needs: what is asked for, but no value of it. */
export interface ListShape {
  /** Filters that are given, and how many values each has; 0 is a single value. */
  readonly filters: readonly (readonly [name: string, size: number])[]
  readonly did: boolean
  /** How a search narrows the list; `often`: its words are in very many records. */
  readonly search: 'none' | 'seldom' | 'often'
  /** Column to order by, `uri` after it. */
  readonly sort: string
  readonly descending: boolean
  /** Null sort values come last in both directions, as a part of their own that is ordered by `uri`. */
  readonly part: 'all' | 'values' | 'nulls'
  /** Whether the page begins behind a position. */
  readonly after: boolean
}

/** Which statement a page by relevance needs. */
export interface WindowShape {
  readonly filters: ListShape['filters']
  readonly did: boolean
  readonly ranked: boolean
}

/** A prepared statement that takes its values by name. */
export interface Statement {
  all(values: Values): Promise<readonly Row[]>
}

/** A shape as text. */
export function shapeKey(shape: ListShape | WindowShape): string {
  return JSON.stringify(shape)
}

/**
 * The shape of the statement that serves `shape`. Unless it is a merge of walks, it has room for lists of a power of
 * two, so that few statements serve all lists.
 */
export function roomyShape<S extends ListShape | WindowShape>(shape: S): S {
  if ('sort' in shape && canMerge(shape)) return shape
  const room = (size: number) => (size === 0 ? 0 : 2 ** Math.ceil(Math.log2(size)))
  return { ...shape, filters: shape.filters.map(([name, size]) => [name, room(size)] as const) }
}

/**
 * One page of a list, by keyset.
 *
 * A list in its default order that asks for several values of a field is a merge of one index walk per value: each
 * walk is in order already, so the work is that of the page, however many rows match.
 *
 * Values: the filters by name, `$did`, `$search`, `$sort` and `$uri` of the position, `$limit`.
 */
export function compileList(store: Store, def: ListDef, view: RowView, shape: ListShape): Statement {
  const { collection } = def
  const columns = [...new Set([...view.columns, shape.sort])]
  const direction = shape.descending ? 'desc' : 'asc'
  const walks = canMerge(shape) ? everyChoice(shape.filters) : [paramSlots(shape.filters)]
  const branches = walks.map((params) => {
    let query =
      shape.search === 'seldom'
        ? matching(store, collection.table, fragment(store.reads.searchMatches(collection), [new Slot('$search')]))
        : visible(store.db.selectFrom(collection.table))
    if (shape.search === 'often') {
      query = query.where(fragment<boolean>(store.reads.searchCondition(collection), [new Slot('$search')]))
    }
    return keyset(filtered(query, def, shape, params), shape).select(columns)
  })
  let page = branches.reduce((all, branch) => all.unionAll(branch))
  if (shape.part !== 'nulls') page = page.orderBy(shape.sort, direction)
  return statement(store, page.orderBy('uri', direction).limit(new Slot('$limit') as any))
}

/**
 * The matches of one search window, best first where they are ranked, else newest first.
 *
 * Values: the filters by name, `$did`, `$search`, `$below` (id), `$limit`; where ranked `$bottom` (id) and `$shown` (JSON
 * array of ids that are left out) as well.
 */
export function compileWindow(store: Store, def: ListDef, view: RowView, shape: WindowShape): Statement {
  const { collection } = def
  const window = shape.ranked
    ? fragment(store.reads.searchRanked(collection), ['$search', '$below', '$bottom', '$shown'].map(slot))
    : fragment(store.reads.searchWindow(collection), ['$search', '$below'].map(slot))
  const query = matching(store, collection.table, window)
  let page = filtered(query, def, shape, paramSlots(shape.filters)).select([...view.columns, 'lexidex_id'])
  if (shape.ranked) page = page.orderBy('lexidex_rank')
  return statement(store, page.orderBy('lexidex_id', 'desc').limit(new Slot('$limit') as any))
}

const slot = (name: string) => new Slot(name)

/** The rows of `matches`, which drives: a cross join, so that no index of the table is walked instead. */
function matching(store: Store, table: string, matches: RawBuilder<unknown>): Query<any, any> {
  return visible(
    store.db.selectFrom(matches.as('lexidex_match')).crossJoin(table).whereRef(`${table}.id`, '=', 'lexidex_id'),
  )
}

/** Without the rows of hidden accounts. A literal, so that an index on visible rows could serve it. */
function visible(query: Query<any, any>): Query<any, any> {
  return query.where('hidden', '=', sql.lit(0))
}

function filtered(
  query: Query<any, any>,
  def: ListDef,
  shape: ListShape | WindowShape,
  params: ParamSlots,
): Query<any, any> {
  const { narrow = (query) => query } = def
  const narrowed = narrow(def.where(query, params))
  return shape.did ? narrowed.where('did', '=', new Slot('$did')) : narrowed
}

function keyset(query: Query<any, any>, { sort, descending, part, after }: ListShape): Query<any, any> {
  const operator = descending ? '<' : '>'
  if (part === 'nulls') {
    const nulls = query.where(sort, 'is', null)
    return after ? nulls.where('uri', operator, new Slot('$uri')) : nulls
  }
  const values = part === 'values' ? query.where(sort, 'is not', null) : query
  if (!after) return values
  return values.where((eb: any) =>
    eb(eb.refTuple(sort, 'uri'), operator, eb.tuple(new Slot('$sort'), new Slot('$uri'))),
  )
}

/** Merging pays where each walk is in order by itself: in the order that every index on a filter ends with. */
function canMerge(shape: ListShape): boolean {
  const walks = shape.filters.reduce((product, [, size]) => product * Math.max(1, size), 1)
  return walks > 1 && walks <= MAX_WALKS && shape.sort === 'sort_at' && shape.search === 'none'
}

type ParamSlots = Record<string, Slot | Slot[]>

function paramSlots(filters: ListShape['filters']): ParamSlots {
  return Object.fromEntries(
    filters.map(([name, size]) => [
      name,
      size === 0 ? new Slot(name) : Array.from({ length: size }, (_, i) => new Slot(name, i)),
    ]),
  )
}

/** Every way to pick one value of each filter. */
function everyChoice(filters: ListShape['filters']): ParamSlots[] {
  return filters.reduce<ParamSlots[]>(
    (choices, [name, size]) =>
      choices.flatMap((choice) =>
        size === 0
          ? [{ ...choice, [name]: new Slot(name) }]
          : Array.from({ length: size }, (_, i) => ({ ...choice, [name]: [new Slot(name, i)] })),
      ),
    [{}],
  )
}

/** SQL of a dialect, with values in the place of its `?`. */
function fragment<T>(text: string, values: readonly Slot[]) {
  return sql<T>(text.split('?') as unknown as TemplateStringsArray, ...values)
}

function statement(store: Store, query: Compilable): Statement {
  const { sql: text, parameters } = query.compile()
  const prepared: PreparedQuery = store.prepare(text)
  return {
    async all(values) {
      const bound: ColumnValue[] = bind(parameters, values)
      return prepared.all(bound)
    },
  }
}
