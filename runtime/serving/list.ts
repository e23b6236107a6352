import { invalidRequest } from '../core/errors.ts'
import type { Store } from '../storage/store.ts'
import { type AccountSource, createResolveActor, known, type ResolveActor } from './actors.ts'
import type { Answer } from './answer.ts'
import type { ListDef } from './define.ts'
import type { Embed } from './embed.ts'
import { type AskedFilter, askFilter, DID, type ListFilter, listFilter } from './filters.ts'
import { decodeCursor, encodeCursor, fingerprint } from './page.ts'
import { listFilters, parseParams, readQuery } from './params.ts'
import type { ListRequest } from './request.ts'
import { createSearch } from './search.ts'
import { createSortedPages } from './sorted.ts'
import { rowView } from './splice.ts'

/** Statements that are kept prepared per method. */
const MAX_STATEMENTS = 200

/** `listRecords` of one collection. */
export function createList(store: Store, def: ListDef, embed: Embed, accounts?: AccountSource): Answer {
  const { collection } = def
  const view = rowView(collection)
  const inIndex = createResolveActor(store)
  const resolveActor =
    accounts === undefined ? inIndex : async (actor: string) => known(await accounts.prepare(actor, collection.nsid))
  const filters = filtersOf(def)
  const search = collection.searchTable === undefined ? null : createSearch(store, def, view, MAX_STATEMENTS)
  const sortedPage = createSortedPages(store, def, view, { filters, search, maxStatements: MAX_STATEMENTS })

  return async (query) => {
    const params: Record<string, any> = parseParams(def.params, readQuery(query))
    embed.check(params, params.limit)
    const account = await accountOf(params, resolveActor)
    const { hash, request } = readRequest(def, filters, params, account?.did)
    const { rows, next } = request.sort === null ? await search!.page(request) : await sortedPage(request, request.sort)
    const { within, beside } = await embed.extras(rows, params)
    let records = ''
    for (let i = 0; i < rows.length; i++) records += (i === 0 ? '' : ',') + view.toJson(rows[i]!, within[i]!)
    const cursor = next === null ? '' : `,"cursor":"${encodeCursor(hash, next)}"`
    const body = `{"records":[${records}]${cursor}${beside}}`
    return { body, reads: account?.settled === false ? null : embed.reads(params) }
  }
}

/** All filters that a list has, but that of the account. */
function filtersOf(def: ListDef): ListFilter[] {
  const all = { ...listFilters, ...def.filters }
  return Object.entries(all).flatMap(([name, filter]) =>
    Object.hasOwn(def.params.shape, name) ? [listFilter(def.collection, name, filter)] : [],
  )
}

/** What is asked for, and a fingerprint of it for cursors to be known by. */
function readRequest(
  def: ListDef,
  filters: readonly ListFilter[],
  params: Record<string, any>,
  did: string | undefined,
): { hash: number; request: ListRequest } {
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
  const { sort, descending } = orderOf(def, params)
  const shape = asked.map(({ name, size }) => [name, size])
  const hash = fingerprint(JSON.stringify([def.nsid, sort, descending, params.search ?? null, shape, values]))
  const position = params.cursor === undefined ? null : decodeCursor(hash, params.cursor)
  const { limit, search } = params as { limit: number; search: string | undefined }
  return { hash, request: { filters: asked, values, limit, sort, descending, position, search } }
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

async function accountOf(params: Record<string, any>, resolveActor: ResolveActor) {
  if (params.did !== undefined && params.actor !== undefined) {
    throw invalidRequest('Parameters "did" and "actor" mean the same: give one of them.')
  }
  const actor = params.did ?? params.actor
  return actor === undefined ? undefined : resolveActor(actor)
}
