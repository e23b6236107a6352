import type { CollectionDef } from '../core/collection.ts'
import { invalidRequest } from '../core/errors.ts'
import type { Store } from '../storage/store.ts'
import { type AccountSource, createResolveActor, known, type ResolveActor } from './actors.ts'
import type { Answer } from './answer.ts'
import { compileList, type ListShape, roomyShape, type Statement, shapeKey } from './compile.ts'
import type { ListDef } from './define.ts'
import type { Embed } from './embed.ts'
import { Lru } from './lru.ts'
import { decodeCursor, encodeCursor, fingerprint, malformedCursor, type Position } from './page.ts'
import { listParams, parseParams, readQuery } from './params.ts'
import type { ListRequest, PageRows } from './request.ts'
import { createSearch } from './search.ts'
import { type Row, rowView } from './splice.ts'

/** Statements that are kept prepared per method. */
const MAX_STATEMENTS = 200

/** `listRecords` of one collection. */
export function createList(store: Store, def: ListDef, embed: Embed, accounts?: AccountSource): Answer {
  const { collection } = def
  const view = rowView(collection)
  const inIndex = createResolveActor(store)
  const resolveActor =
    accounts === undefined ? inIndex : async (actor: string) => known(await accounts.prepare(actor, collection.nsid))
  const notFilters = new Set([...Object.keys(listParams), 'search', 'sort', ...embed.params])
  const filterNames = Object.keys(def.params.shape).filter((name) => !notFilters.has(name))
  const search = collection.searchTable === undefined ? null : createSearch(store, def, view, MAX_STATEMENTS)
  const statements = new Lru<Statement>(MAX_STATEMENTS)

  function statement(shape: ListShape): Statement {
    const roomy = roomyShape(shape)
    return statements.get(shapeKey(roomy), () => compileList(store, def, view, roomy))
  }

  async function sortedPage(request: ListRequest, params: Record<string, any>): Promise<PageRows> {
    const { limit, position } = request
    const sort = params.sort === undefined ? 'sort_at' : def.sorts[params.sort]!
    const values: Record<string, any> = { ...request.values }
    let often = false
    if (search !== null && request.search !== undefined) {
      values.$search = search.compile(request.search)
      often = await search.isOften(values.$search)
    }
    const shape = {
      filters: request.filters,
      did: values.$did !== undefined,
      search: values.$search === undefined ? 'none' : often ? 'often' : 'seldom',
      sort,
      descending: params.order !== 'asc',
    } as const
    if (position !== null) {
      if (!isPositionOf(collection, sort, position)) throw malformedCursor()
      values.$sort = position[0]
      values.$uri = position[1]
    }
    const rows: Row[] = []
    for (const part of partsOf(collection, sort, params, position)) {
      const after = position !== null && (part !== 'nulls' || position[0] === null)
      values.$limit = limit + 1 - rows.length
      rows.push(...(await statement({ ...shape, part, after }).all(values)))
      if (rows.length > limit) break
    }
    if (rows.length <= limit) return { rows, next: null }
    rows.pop()
    const last = rows.at(-1)!
    return { rows, next: [last[sort], last.uri] }
  }

  return async (query) => {
    const params: Record<string, any> = parseParams(def.params, readQuery(query))
    embed.check(params, params.limit)
    const account = await accountOf(params, resolveActor)
    const did = account?.did
    const filters: [string, number][] = []
    const values: Record<string, any> = {}
    let belongsTo = `${def.nsid} ${params.sort} ${params.order} ${params.search} ${did}`
    for (const name of filterNames) {
      const value = params[name]
      if (value === undefined) continue
      values[name] = value
      filters.push([name, Array.isArray(value) ? value.length : 0])
      belongsTo += ` ${name} ${JSON.stringify(value)}`
    }
    if (did !== undefined) values.$did = did
    const hash = fingerprint(belongsTo)
    const position = params.cursor === undefined ? null : decodeCursor(hash, params.cursor)
    const request: ListRequest = { filters, values, limit: params.limit, position, search: params.search }
    // An order that is asked for wins over relevance.
    const byRelevance = params.search !== undefined && params.sort === undefined && params.order === undefined
    const { rows, next } =
      byRelevance && search !== null ? await search.page(request) : await sortedPage(request, params)
    const { within, beside } = await embed.extras(rows, params)
    let records = ''
    for (let i = 0; i < rows.length; i++) records += (i === 0 ? '' : ',') + view.toJson(rows[i]!, within[i]!)
    const cursor = next === null ? '' : `,"cursor":"${encodeCursor(hash, next)}"`
    const body = `{"records":[${records}]${cursor}${beside}}`
    return { body, reads: account?.settled === false ? null : embed.reads(params) }
  }
}

async function accountOf(params: Record<string, any>, resolveActor: ResolveActor) {
  if (params.did !== undefined && params.actor !== undefined) {
    throw invalidRequest('Parameters "did" and "actor" mean the same: give one of them.')
  }
  const actor = params.did ?? params.actor
  return actor === undefined ? undefined : resolveActor(actor)
}

/** The parts that are left of a list, in order. */
function partsOf(
  collection: CollectionDef,
  sort: string,
  params: Readonly<Record<string, unknown>>,
  position: Position | null,
): readonly ListShape['part'][] {
  // Counts and the time are never null.
  if (!Object.hasOwn(collection.columns, sort)) return ['all']
  if (position !== null && position[0] === null) return ['nulls']
  // A bound on what is sorted by leaves no nulls.
  const bounded = params[`${params.sort}Min`] !== undefined || params[`${params.sort}Max`] !== undefined
  return bounded ? ['values'] : ['values', 'nulls']
}

function isPositionOf(collection: CollectionDef, sort: string, position: Position): boolean {
  const [value, uri, ...rest] = position
  if (rest.length > 0 || typeof uri !== 'string') return false
  const column = collection.columns[sort]
  if (column === undefined) return Number.isSafeInteger(value)
  return value === null || (column.kind === 'text' ? typeof value === 'string' : Number.isSafeInteger(value))
}
