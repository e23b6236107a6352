import { type AskedFilter, roomFor } from '../params/filters.ts'
import type { EmbeddedColumn, RowView } from '../shared/splice.ts'

/**
 * How a list comes to its rows.
 *
 * - `walk`: along the index of the order, testing filters on the way.
 * - `each`: along the index of one column, once for each value that a filter names: in order as well.
 * - `few`: by the index of one column, whose filters leave few rows; they are put in order then.
 * - `free`: as the database sees fit.
 */
export type Path =
  | { readonly by: 'walk' }
  | { readonly by: 'each'; readonly filter: string }
  | { readonly by: 'few'; readonly column: string }
  | { readonly by: 'free' }

/** Which statement a request needs: what is asked for, but no value of it. */
export interface ListShape {
  readonly filters: readonly AskedFilter[]
  readonly path: Path
  /** How a search narrows the list; `often`: its words are in very many records. */
  readonly search: 'none' | 'seldom' | 'often'
  /** Column to order by; the time and the URI come after it. */
  readonly sort: string
  readonly descending: boolean
  /** Null sort values come last in both directions, as a part of their own that is ordered by time. */
  readonly part: 'all' | 'values' | 'nulls'
  /** Whether the page begins behind a position. */
  readonly after: boolean
  /** Whether records are embedded in the rows. */
  readonly hydrated: boolean
  /** What of that is asked for together with the rows. */
  readonly embedded: readonly EmbeddedColumn[]
}

/** Which statement a page by relevance needs. */
export interface WindowShape {
  readonly filters: readonly AskedFilter[]
  readonly ranked: boolean
  /**
   * Where the window lies: it begins with the newest record, or below an id, and its end is found where that matters; or
   * it was begun, and both are known.
   */
  readonly from: 'newest' | 'below' | 'within'
  readonly hydrated: boolean
}

/** The shape of a list as text: made for each request, so put together by hand. */
export function listKey(shape: ListShape): string {
  const { filters, path, search, sort, descending, part, after, hydrated, embedded } = shape
  const together = embedded.map(({ name }) => name).join()
  const way = path.by === 'each' ? `each ${path.filter}` : path.by === 'few' ? `few ${path.column}` : path.by
  return `${sort} ${descending} ${part} ${after} ${hydrated} ${together} ${search} ${way} ${filtersKey(filters)}`
}

export function windowKey({ filters, ranked, from, hydrated }: WindowShape): string {
  return `${ranked} ${from} ${hydrated} ${filtersKey(filters)}`
}

/** What statements of the same filters differ by. Names of parameters and columns hold no space. */
export function filtersKey(filters: readonly AskedFilter[]): string {
  let key = ''
  for (const { name, size } of filters) key += `${name} ${size} `
  return key
}

/**
 * The shape of the statement that serves `shape`: with room for lists of a power of two, so that few statements serve
 * all lists. Walks are not rounded up: each one costs.
 */
export function roomyShape<S extends ListShape | WindowShape>(shape: S): S {
  const walked = 'path' in shape && shape.path.by === 'each' ? shape.path.filter : null
  const filters = shape.filters.map((filter) => {
    const isList = filter.operator === 'anyOf' || filter.operator === 'noneOf'
    return isList && filter.name !== walked ? { ...filter, size: roomFor(filter.size) } : filter
  })
  return { ...shape, filters }
}

/** Columns that every list is ordered by, after what it is sorted by. */
const ORDER = ['sort_at', 'uri'] as const

/** What a list is ordered by, all in one direction. */
export function orderOf({ sort, part }: Pick<ListShape, 'sort' | 'part'>): readonly string[] {
  return sort === 'sort_at' || part === 'nulls' ? ORDER : [sort, ...ORDER]
}

/** Columns of a page's rows, but for those that it is ordered by. */
export function columnsOf(view: RowView, { hydrated }: Pick<ListShape, 'hydrated'>): readonly string[] {
  return hydrated ? view.hydrated : view.columns
}
