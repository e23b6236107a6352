import type { CollectionDef } from '../../core/collection.ts'
import type { Store } from '../../storage/store.ts'
import type { ListDef } from '../define.ts'
import type { ListFilter } from '../params/filters.ts'
import { malformedCursor, type Position } from '../shared/cursor.ts'
import { Lru } from '../shared/lru.ts'
import type { Statement } from '../shared/prepare.ts'
import type { Row, RowView } from '../shared/splice.ts'
import { compileList } from './compile.ts'
import { createChoosePath } from './paths.ts'
import type { ListRequest, PageRows } from './request.ts'
import type { Search } from './search.ts'
import { type ListShape, listKey, orderOf, roomyShape } from './shapes.ts'

/**
 * Pages in the order of a column.
 *
 * @param filters All that the list has
 * @param search null where the collection is not searchable
 */
export function createSortedPages(
  store: Store,
  def: ListDef,
  view: RowView,
  options: { filters: readonly ListFilter[]; search: Search | null; maxStatements: number },
): (request: ListRequest, sort: string) => Promise<PageRows> {
  const { collection } = def
  const { filters, search, maxStatements } = options
  const statements = new Lru<Statement>(maxStatements)
  // A negation needs no index; whatever else reads a column has one, by which the generator stands.
  const indexed = new Set(['did', ...filters.flatMap((f) => (f.operator === 'noneOf' ? [] : [f.column]))])
  const choosePath = createChoosePath(store, collection, indexed)

  function statement(shape: ListShape): Statement {
    const roomy = roomyShape(shape)
    return statements.get(listKey(roomy), () => compileList(store, def, view, roomy))
  }

  return async (request, sort) => {
    const { limit, position, descending, hydrated, embedded } = request
    const values: Record<string, any> = { ...request.values }
    let found: ListShape['search'] = 'none'
    if (search !== null && request.search !== undefined) {
      values.$search = search.compile(request.search)
      found = (await search.isOften(values.$search)) ? 'often' : 'seldom'
    }
    const path = found === 'seldom' ? ({ by: 'free' } as const) : await choosePath(request.filters, sort, values)
    if (position !== null) {
      if (!isPositionOf(collection, sort, position)) throw malformedCursor()
      const [value, sortAt, uri] = sort === 'sort_at' ? [null, ...position] : position
      values.$sort = value
      values.$sort_at = sortAt
      values.$uri = uri
    }
    for (const column of embedded) values[`$${column.name}`] = column.limit
    const rows: Row[] = []
    for (const part of partsOf(collection, sort, request)) {
      const after = position !== null && (part !== 'nulls' || position[0] === null)
      values.$limit = limit + 1 - rows.length
      const shape = { filters: request.filters, path, search: found, sort, descending, part, after, hydrated, embedded }
      rows.push(...(await statement(shape).all(values)))
      if (rows.length > limit) break
    }
    if (rows.length <= limit) return { rows, next: null }
    rows.pop()
    const last = rows.at(-1)!
    return { rows, next: orderOf({ sort, part: 'all' }).map((name) => last[name]) }
  }
}

/** The parts that are left of a list, in order. */
function partsOf(collection: CollectionDef, sort: string, request: ListRequest): readonly ListShape['part'][] {
  // Counts and the time are never null.
  if (!Object.hasOwn(collection.columns, sort)) return ['all']
  const { filters, position } = request
  const own = filters.filter(({ column, operator }) => column === sort && operator !== 'noneOf')
  const absent = own.some(({ operator, size }) => operator === 'exists' && size === 0)
  if (absent || (position !== null && position[0] === null)) return ['nulls']
  // Whatever else is asked of what is sorted by leaves no nulls.
  return own.length > 0 ? ['values'] : ['values', 'nulls']
}

function isPositionOf(collection: CollectionDef, sort: string, position: Position): boolean {
  const values = sort === 'sort_at' ? [0, ...position] : position
  const [value, sortAt, uri] = values
  if (values.length !== 3 || !Number.isSafeInteger(sortAt) || typeof uri !== 'string') return false
  const column = collection.columns[sort]
  if (column === undefined) return Number.isSafeInteger(value)
  return value === null || (column.kind === 'text' ? typeof value === 'string' : Number.isSafeInteger(value))
}
