import { type Expression, type ExpressionWrapper, expressionBuilder, type SqlBool, sql } from 'kysely'
import { type AskedFilter, endOf } from '../params/filters.ts'
import { Slot } from '../shared/slots.ts'

const eb = expressionBuilder<any, any>()

type Condition = ExpressionWrapper<any, any, SqlBool> | Expression<SqlBool>

/** A column, as it stands in a condition. */
export type Column = Expression<any>

/** The slots of a filter's values. */
export function slotsOf({ name, size }: AskedFilter): Slot[] {
  return Array.from({ length: size }, (_, i) => new Slot(name, i))
}

/**
 * A filter as a condition on the rows of `table`.
 *
 * @param column The column that it reads; of a list, what it is beside is compared with its table of values
 */
export function condition(filter: AskedFilter, table: string, column: Column): Condition {
  const { operator, name, valuesTable } = filter
  if (valuesTable !== undefined) {
    const held = eb.exists(heldValues(filter, table))
    return operator === 'noneOf' ? eb.not(held) : held
  }
  switch (operator) {
    case 'equal':
      return eb(column, '=', new Slot(name))
    case 'anyOf':
      return eb(column, 'in', slotsOf(filter))
    case 'noneOf':
      return eb.or([eb(column, 'is', null), eb(column, 'not in', slotsOf(filter))])
    case 'prefix':
      return eb.and([eb(column, '>=', new Slot(name)), eb(column, '<', new Slot(endOf(name)))])
    case 'exists':
      return eb(column, filter.size === 1 ? 'is not' : 'is', null)
    case 'min':
      return eb(column, '>=', new Slot(name))
    case 'max':
      return eb(column, '<=', new Slot(name))
  }
}

/** Each AND nests what stands before it one deeper, and D1 takes expressions of 100 levels. */
const AT_ONCE = 32

/** All of the conditions, nested no deeper than it takes. */
export function allOf(conditions: readonly Condition[]): Condition {
  if (conditions.length <= AT_ONCE) return eb.and(conditions)
  const parts = Math.ceil(conditions.length / AT_ONCE)
  return eb.and(Array.from({ length: parts }, (_, i) => eb.and(conditions.slice(i * AT_ONCE, (i + 1) * AT_ONCE))))
}

/** Values of a row of `table` that a filter of a list names. */
function heldValues(filter: AskedFilter, table: string): Expression<any> {
  return valuesNamed(filter, slotsOf(filter))
    .select(sql.lit(1).as('held'))
    .whereRef('held_value.sort_at', '=', `${table}.sort_at`)
    .whereRef('held_value.uri', '=', `${table}.uri`)
}

/** Rows of a list's table of values that hold one of `slots`. */
export function valuesNamed({ valuesTable }: AskedFilter, slots: readonly Slot[]) {
  return eb.selectFrom(`${valuesTable} as held_value`).where('held_value.value', 'in', slots)
}

/** Whether a filter leaves rows of one value, so that an index has them in the order of the list. */
export function isEquality({ operator, size }: AskedFilter): boolean {
  return operator === 'equal' || operator === 'anyOf' || (operator === 'exists' && size === 0)
}

/** Rows that an index alone leads to. */
export interface IndexedRows {
  /** Their ids, as `id`. */
  readonly ids: Expression<any> & { limit(rows: any): any }
  /** The filters that they are already narrowed by. */
  readonly covered: readonly AskedFilter[]
}

/**
 * What the index of a column leads to, by what `filters` ask of that column. Where they only exclude values, the gaps
 * between these are read.
 */
export function indexedRows(filters: readonly AskedFilter[], table: string): IndexedRows {
  const positive = filters.filter(({ operator }) => operator !== 'noneOf')
  const first = positive[0] ?? filters[0]!
  if (first.valuesTable !== undefined) {
    return { ids: valuesNamed(first, slotsOf(first)).select('held_value.id as id'), covered: [first] }
  }
  const rows = () => eb.selectFrom(`${table} as indexed`).select('indexed.id as id')
  const column = sql.ref(`indexed.${first.column}`)
  if (positive.length > 0) {
    const all = eb.and(positive.map((filter) => condition(filter, 'indexed', column)))
    return { ids: rows().where(all), covered: positive }
  }
  const slots = slotsOf(first)
  const gaps = [
    eb(column, 'is', null),
    eb(column, '<', slots[0]!),
    ...slots.slice(1).map((slot, i) => eb.and([eb(column, '>', slots[i]!), eb(column, '<', slot)])),
    eb(column, '>', slots.at(-1)!),
  ]
  const [lowest, ...others] = gaps.map((gap) => rows().where(gap))
  return { ids: others.reduce((all, gap) => all.unionAll(gap), lowest!), covered: [first] }
}
