import { invalidRequest } from '../../core/errors.ts'
import type { ListDef } from '../define.ts'
import { type AskedFilter, askFilter, DID, type ListFilter, listFilter } from '../params/filters.ts'
import { listFilters } from '../params/params.ts'
import { decodeCursor, fingerprint, type Position } from '../shared/cursor.ts'
import type { Values } from '../shared/slots.ts'
import type { EmbeddedColumn, Row } from '../shared/splice.ts'

/** Rows of one page, and where the next one begins; null on the last. */
export interface PageRows {
  readonly rows: readonly Row[]
  readonly next: Position | null
}

/** A parsed list request: what to match, in which order, from where. */
export interface ListRequest {
  /** That of the account among them, where the list is of one. */
  readonly filters: readonly AskedFilter[]
  /** Values of the filters. */
  readonly values: Values
  readonly limit: number
  /** Column to order by; null: by relevance. */
  readonly sort: string | null
  readonly descending: boolean
  /** Where the page before ended; null on the first. */
  readonly position: Position | null
  readonly search: string | undefined
  /** Whether records are embedded in the rows. */
  readonly hydrated: boolean
  /** What of that is asked for together with the rows. */
  readonly embedded: readonly EmbeddedColumn[]
}

/**
 * The account that a list is of, as it was given: a DID or a handle.
 *
 * @throws {XrpcError} 400 where it is given twice
 */
export function actorOf({ did, actor }: Readonly<Record<string, any>>): string | undefined {
  if (did !== undefined && actor !== undefined) {
    throw invalidRequest('Parameters "did" and "actor" mean the same: give one of them.')
  }
  return did ?? actor
}

/** All filters that a list has, but that of the account. */
export function filtersOf(def: ListDef): ListFilter[] {
  const all = { ...listFilters, ...def.filters }
  return Object.entries(all).flatMap(([name, filter]) =>
    Object.hasOwn(def.params.shape, name) ? [listFilter(def.collection, name, filter)] : [],
  )
}

/**
 * What is asked for, and a fingerprint of it for cursors to be known by. Most lists neither begin nor end with one.
 *
 * @param did of the account that the list is of
 * @param hydrated whether records are embedded in the rows
 * @param embedded what of that is asked for together with them
 */
export function readRequest(
  def: ListDef,
  filters: readonly ListFilter[],
  params: Record<string, any>,
  { did, hydrated, embedded }: Pick<ListRequest, 'hydrated' | 'embedded'> & { readonly did: string | undefined },
): { request: ListRequest; hash(): number } {
  const { asked, values } = askFilters(filters, params, did)
  const { sort, descending } = orderOf(def, params)
  const { limit, search } = params as { limit: number; search: string | undefined }
  const hash = () => {
    const shape = asked.map(({ name, size }) => [name, size])
    return fingerprint(JSON.stringify([def.nsid, sort, descending, search ?? null, shape, values]))
  }
  const position = params.cursor === undefined ? null : decodeCursor(hash(), params.cursor)
  return { hash, request: { filters: asked, values, limit, sort, descending, position, search, hydrated, embedded } }
}

/** An order that is asked for wins over relevance, which is that of a search otherwise. */
function orderOf(def: ListDef, params: Record<string, any>): Pick<ListRequest, 'sort' | 'descending'> {
  const { sort, order, search } = params
  const descending = order !== 'asc'
  if (sort === 'relevance' && !Object.hasOwn(def.sorts, sort)) {
    if (search === undefined) throw invalidRequest('Parameter "sort" may be relevance only where there is a "search".')
    if (!descending) throw invalidRequest('Parameter "order" may not be asc where "sort" is relevance.')
    return { sort: null, descending }
  }
  if (sort === undefined && order === undefined && search !== undefined) return { sort: null, descending }
  return { sort: sort === undefined ? 'sort_at' : def.sorts[sort]!, descending }
}

/** What a request asks of rows, and the values to ask it with. */
export function askFilters(
  filters: readonly ListFilter[],
  params: Readonly<Record<string, unknown>>,
  did: string | undefined,
): { asked: AskedFilter[]; values: Values } {
  const given: [ListFilter, unknown][] = filters.map((filter) => [filter, params[filter.name]])
  if (did !== undefined) given.push([DID, did])
  const asked: AskedFilter[] = []
  const values: Record<string, any> = {}
  for (const [filter, value] of given) {
    // A repeated parameter without a value is none.
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue
    const one = askFilter(filter, value)
    asked.push(one.asked)
    Object.assign(values, one.values)
  }
  return { asked, values }
}
