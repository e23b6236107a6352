import { type Expression, type RawBuilder, sql } from 'kysely'
import type { Store } from '../../storage/store.ts'
import type { ListDef, Query } from '../define.ts'
import type { AskedFilter } from '../params/filters.ts'
import { prepareQuery, type Statement } from '../shared/prepare.ts'
import { Slot, slot } from '../shared/slots.ts'
import { PAGE, type RowView } from '../shared/splice.ts'
import { allOf, condition, indexedRows, slotsOf, valuesNamed } from './conditions.ts'
import { columnsOf, type ListShape, orderOf, type WindowShape } from './shapes.ts'

/**
 * One page of a list, by keyset.
 *
 * Values: the filters by name; `$sort_at` and `$uri` of the position, and `$sort` where it is of another column;
 * `$search`; `$limit`; the limit of each column that is embedded, by its name after `$`.
 */
export function compileList(store: Store, def: ListDef, view: RowView, shape: ListShape): Statement {
  const { table } = def.collection
  const direction = shape.descending ? 'desc' : 'asc'
  const order = orderOf(shape)
  const columns = [...new Set([...columnsOf(view, shape), ...order])]
  const branches = shape.path.by === 'each' ? walks(store, def, shape, shape.path.filter) : [oneWay(store, def, shape)]
  const selects = branches.map(({ query, ordered, from = table }) => {
    // Named, so that a union can be ordered by them.
    const named = order.map((name) => `${from}.${name} as ${name}`)
    const others = columns.filter((name) => !order.includes(name)).map((name) => `${table}.${name}`)
    return keyset(query, shape, ordered).select([...named, ...others])
  })
  let page = selects.reduce((all, select) => all.unionAll(select))
  // A union is ordered by what it gives; a single select may be by what gives it.
  for (const name of order) page = page.orderBy(branches.length > 1 ? name : branches[0]!.ordered(name), direction)
  const rows = page.limit(slot('$limit'))
  if (shape.embedded.length === 0) return prepareQuery(store, rows)
  const embedded = shape.embedded.map(
    ({ name, sql: text }) => sql`${fragment(text, [slot(`$${name}`)])} AS ${sql.ref(name)}`,
  )
  const ordered = order.map((name) => sql`${sql.ref(name)} ${sql.raw(direction)}`)
  // The page is made first, so that nothing is embedded in rows that are only looked at on the way.
  const query = sql`WITH ${sql.ref(PAGE)} AS MATERIALIZED ${rows}
SELECT ${sql.ref(PAGE)}.*, ${sql.join(embedded)} FROM ${sql.ref(PAGE)} ORDER BY ${sql.join(ordered)}`
  return prepareQuery(store, { compile: () => query.compile(store.db) })
}

/** A select before it is ordered, and the columns as it is to be ordered by them. */
interface Branch {
  readonly query: Query<any, any>
  readonly ordered: (column: string) => RawBuilder<any>
  /** Where the columns of the order come from, if not from the collection's table. */
  readonly from?: string
}

/** The rows of `shape` in one select: along an index of the order, or of one that leads to few rows. */
function oneWay(store: Store, def: ListDef, shape: ListShape): Branch {
  const { table } = def.collection
  const { path, filters, sort } = shape
  const plain = (name: string) => sql.ref(`${table}.${name}`)
  const unindexed = store.reads.planning?.unindexed ?? ((column: RawBuilder<any>) => column)
  const rows = tested(store, def, shape, searched(store, def, shape))
  switch (path.by) {
    case 'few': {
      const { ids, covered } = indexedRows(
        filters.filter(({ column }) => column === path.column),
        table,
      )
      const rest = filters.filter((filter) => !covered.includes(filter))
      const column = (name: string) => unindexed(plain(name))
      return { query: narrowed(rows.where(plain('id'), 'in', ids), def, rest, column), ordered: column }
    }
    case 'walk': {
      const column = (name: string) => (name === sort ? plain(name) : unindexed(plain(name)))
      return { query: narrowed(rows, def, filters, column), ordered: plain }
    }
    default:
      return { query: narrowed(rows, def, filters, plain), ordered: plain }
  }
}

/** One select for each value of a column's filter: together, merged, they are in order as each of them is. */
function walks(store: Store, def: ListDef, shape: ListShape, name: string): Branch[] {
  const { table } = def.collection
  const walked = shape.filters.find((filter) => filter.name === name)!
  const { column } = walked
  const unindexed = store.reads.planning?.unindexed ?? ((column: RawBuilder<any>) => column)
  const plain = (name: string) => sql.ref(`${table}.${name}`)
  // Every index goes on with the time.
  const served = (name: string) => (name === column || name === 'sort_at' ? plain(name) : unindexed(plain(name)))
  const rest = shape.filters.filter((filter) => filter !== walked)
  const rows = (query: Query<any, any>) => narrowed(tested(store, def, shape, visible(query, table)), def, rest, served)
  const slots = walked.operator === 'anyOf' ? slotsOf(walked) : [null]
  return slots.map((value, i): Branch => {
    if (walked.valuesTable !== undefined) {
      const query = rows(holding(store, walked, table, value!, slots.slice(0, i) as Slot[]))
      return { query, ordered: (name) => sql.ref(`list_value.${name}`), from: 'list_value' }
    }
    const query = rows(store.db.selectFrom(table))
    const one = value === null ? condition(walked, table, plain(column)) : null
    return { query: one === null ? query.where(plain(column), '=', value) : query.where(one), ordered: plain }
  })
}

/** Rows that hold one value, in the order of its table; none that hold one of `before`, which another walk meets. */
function holding(
  store: Store,
  filter: AskedFilter,
  table: string,
  value: Slot,
  before: readonly Slot[],
): Query<any, any> {
  // A cross join, so that the values lead.
  const query = store.db
    .selectFrom(`${filter.valuesTable} as list_value`)
    .crossJoin(table)
    .whereRef(`${table}.id`, '=', 'list_value.id')
    .where('list_value.value', '=', value)
  if (before.length === 0) return query
  return query.where(({ not, exists }) =>
    not(
      exists(
        valuesNamed(filter, before)
          .select(sql.lit(1).as('held'))
          .whereRef('held_value.sort_at', '=', 'list_value.sort_at')
          .whereRef('held_value.uri', '=', 'list_value.uri'),
      ),
    ),
  )
}

/**
 * The matches of one search window, best first where they are ranked, else newest first.
 *
 * Values: the filters by name, `$search`, `$limit`; `$below` (id) but for what begins with the newest; where ranked
 * `$shown` (JSON array of ids that are left out), and within a window that was begun `$bottom` (id).
 *
 * Rows of what is begun also have `lexidex_below` and, where ranked, `lexidex_bottom`: the window that was found, so that
 * nothing has to be asked before. Where nothing matches, that is a row of its own, without `lexidex_id`.
 */
export function compileWindow(store: Store, def: ListDef, view: RowView, shape: WindowShape): Statement {
  if (shape.from === 'within') return prepareQuery(store, windowRows(store, def, view, shape, BOUNDS))
  const { collection } = def
  const newest = store.db.selectFrom(collection.table).select(sql<number>`coalesce(max(id), 0) + 1`.as('lexidex_below'))
  const below = sql`CAST(${shape.from === 'newest' ? sql`(${newest})` : slot('$below')} AS bigint)`
  const end = fragment(store.reads.searchWindowEnd(collection), [slot('$search'), sql.ref('begun.lexidex_below')])
  const place = shape.ranked
    ? sql`SELECT lexidex_below, coalesce((${end}), 0) AS lexidex_bottom FROM (SELECT ${below} AS lexidex_below) AS begun`
    : sql`SELECT ${below} AS lexidex_below`
  const found = windowRows(store, def, view, shape, {
    below: sql`(SELECT lexidex_below FROM lexidex_place)`,
    bottom: sql`(SELECT lexidex_bottom FROM lexidex_place)`,
  })
  const order = shape.ranked ? sql`lexidex_rank, lexidex_id DESC` : sql`lexidex_id DESC`
  const query = sql`WITH lexidex_place AS MATERIALIZED (${place})
SELECT * FROM lexidex_place LEFT JOIN (${found}) AS found ON true ORDER BY ${order}`
  return prepareQuery(store, { compile: () => query.compile(store.db) })
}

/** Ids that bound a window: slots or expressions. */
interface Bounds {
  readonly below: Expression<any>
  readonly bottom: Expression<any>
}

function windowRows(
  store: Store,
  def: ListDef,
  view: RowView,
  { ranked, filters, hydrated }: WindowShape,
  { below, bottom }: Bounds,
): Query<any, any> {
  const { collection } = def
  const { table } = collection
  const window = ranked
    ? fragment(store.reads.searchRanked(collection), [slot('$search'), below, bottom, slot('$shown')])
    : fragment(store.reads.searchWindow(collection), [slot('$search'), below])
  const query = narrowed(matching(store, table, window), def, filters, (name) => sql.ref(`${table}.${name}`))
  const columns = [...columnsOf(view, { hydrated }).map((name) => `${table}.${name}`), 'lexidex_id']
  const page = (rows: Query<any, any>) => rows.orderBy('lexidex_id', 'desc').limit(slot('$limit'))
  if (!ranked) return page(query.select(columns))
  // All matches are ranked, and few of them shown: the others are sorted without their records.
  const best = page(query.select(['lexidex_id', 'lexidex_rank']).orderBy('lexidex_rank'))
  return store.db
    .selectFrom(best.as('lexidex_best'))
    .crossJoin(table)
    .whereRef(`${table}.id`, '=', 'lexidex_id')
    .select([...columns, 'lexidex_rank'])
    .orderBy('lexidex_rank')
    .orderBy('lexidex_id', 'desc')
}

const BOUNDS: Bounds = { below: slot('$below'), bottom: slot('$bottom') }

/** All rows that are shown, or those that a search finds where they are few. */
function searched(store: Store, { collection }: ListDef, { search }: ListShape): Query<any, any> {
  if (search !== 'seldom') return visible(store.db.selectFrom(collection.table), collection.table)
  return matching(store, collection.table, fragment(store.reads.searchMatches(collection), [slot('$search')]))
}

/** The rows of a search that finds very many: they are asked one by one. */
function tested(store: Store, { collection }: ListDef, { search }: ListShape, query: Query<any, any>): Query<any, any> {
  if (search !== 'often') return query
  return query.where(fragment<boolean>(store.reads.searchCondition(collection), [slot('$search')]))
}

/** The rows of `matches`, which drives: a cross join, so that no index of the table is walked instead. */
function matching(store: Store, table: string, matches: RawBuilder<unknown>): Query<any, any> {
  const query = store.db
    .selectFrom(matches.as('lexidex_match'))
    .crossJoin(table)
    .whereRef(`${table}.id`, '=', 'lexidex_id')
  return visible(query, table)
}

/** Without the rows of hidden accounts. A literal, so that an index on visible rows could serve it. */
function visible(query: Query<any, any>, table: string): Query<any, any> {
  return query.where(`${table}.hidden`, '=', sql.lit(0))
}

function narrowed(
  query: Query<any, any>,
  def: ListDef,
  filters: readonly AskedFilter[],
  column: (name: string) => Expression<any>,
): Query<any, any> {
  const { narrow = (all) => all, collection } = def
  const conditions = filters.map((filter) => condition(filter, collection.table, column(filter.column)))
  return conditions.length === 0 ? narrow(query) : narrow(query).where(allOf(conditions))
}

function keyset(query: Query<any, any>, shape: ListShape, column: Branch['ordered']): Query<any, any> {
  const { sort, part, after, descending } = shape
  const all = part === 'all' ? query : query.where(column(sort), part === 'nulls' ? 'is' : 'is not', null)
  if (!after) return all
  const order = orderOf(shape)
  const position = order.map((name) => new Slot(name === sort && name !== 'sort_at' ? '$sort' : `$${name}`))
  return all.where(
    sql<boolean>`(${sql.join(order.map(column))}) ${sql.raw(descending ? '<' : '>')} (${sql.join(position)})`,
  )
}

/** SQL of a dialect, with slots or expressions in the place of its `?`. */
function fragment<T>(text: string, values: readonly Expression<any>[]) {
  return sql<T>(text.split('?') as unknown as TemplateStringsArray, ...values)
}
