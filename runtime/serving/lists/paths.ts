import { sql } from 'kysely'
import type { CollectionDef } from '../../core/collection.ts'
import type { Store } from '../../storage/store.ts'
import { type AskedFilter, roomFor } from '../params/filters.ts'
import { Lru } from '../shared/lru.ts'
import { prepareQuery, type Statement } from '../shared/prepare.ts'
import type { Values } from '../shared/slots.ts'
import { indexedRows, isEquality } from './conditions.ts'
import { filtersKey, type Path } from './shapes.ts'

/** Chooses the path of a request. */
export type ChoosePath = (filters: readonly AskedFilter[], sort: string, values: Values) => Promise<Path>

/** Most index walks that one statement merges, where no database says less. */
const MAX_WALKS = 16

/** Most values of a negation that are read as gaps. */
const MAX_GAPS = 8

/** How long it is remembered whether few rows match: to count them takes longer than to read a page. */
const REMEMBER_MS = 60_000

const MAX_REMEMBERED = 1000

/**
 * No statistics are kept, so whether an index helps is asked, at a bounded cost: how many rows does it lead to? Where
 * that is few it is taken. Where all filters leave many rows, a page is found soon on the way along the order.
 *
 * @param indexed Columns that have an index
 */
export function createChoosePath(store: Store, collection: CollectionDef, indexed: ReadonlySet<string>): ChoosePath {
  const { table } = collection
  const { planning } = store.reads
  const selects = planning?.selects ?? MAX_WALKS

  /** Whether each of a filter's values is a walk in order. */
  const isWalkable = (filter: AskedFilter) => isEquality(filter) && filter.size <= selects

  /** Whether an index alone leads to the rows that the filters of a column leave. */
  function isCountable(group: readonly AskedFilter[]): boolean {
    if (group.some(({ operator }) => operator !== 'noneOf')) return true
    const { valuesTable, size } = group[0]!
    // A gap below the values, one between each two, one above, and what has no value.
    return valuesTable === undefined && size <= MAX_GAPS && roomFor(size) + 2 <= selects
  }

  const statements = new Lru<Statement>(MAX_REMEMBERED)
  const counted = new Lru<{ rows?: number }>(MAX_REMEMBERED)

  async function countOf(filters: readonly AskedFilter[], values: Values, most: number): Promise<number> {
    const shape = filtersKey(filters)
    const asked = JSON.stringify(filters.map(({ name }) => values[name]))
    const known = counted.get(`${Math.floor(Date.now() / REMEMBER_MS)} ${shape} ${asked}`, () => ({}))
    if (known.rows === undefined) {
      const count = statements.get(shape, () => {
        const rows = indexedRows(filters, table).ids.limit(most)
        return prepareQuery(store, store.db.selectFrom(rows.as('matching')).select(sql`count(*)`.as('rows')))
      })
      known.rows = Number((await count.all(values))[0]!.rows)
    }
    return known.rows
  }

  return async (filters, sort, values) => {
    if (filters.length === 0) return { by: 'walk' }
    const groups = [...Map.groupBy(filters, ({ column }) => column)].map(([column, group]) => ({ column, group }))
    const inOrder = ({ column, group }: (typeof groups)[number]): Path | null => {
      if (column === sort) return { by: 'walk' }
      const walked = sort === 'sort_at' ? group.find(isWalkable) : undefined
      return walked === undefined ? null : { by: 'each', filter: walked.name }
    }
    const ordered = groups.map(inOrder).find((path) => path !== null)
    if (groups.length === 1 && ordered !== undefined) return ordered
    if (planning === undefined) return { by: 'free' }
    let fewest: { rows: number; path: Path } = { rows: planning.few, path: ordered ?? { by: 'walk' } }
    for (const { column, group } of groups) {
      if (!isCountable(group) || !indexed.has(column)) continue
      const rows = await countOf(group, values, planning.few)
      if (rows < fewest.rows) fewest = { rows, path: inOrder({ column, group }) ?? { by: 'few', column } }
    }
    return fewest.path
  }
}
