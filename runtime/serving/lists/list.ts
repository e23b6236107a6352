import type { Store } from '../../storage/store.ts'
import type { ListDef } from '../define.ts'
import type { Embed } from '../hydration/embed.ts'
import { parseParams, readQuery } from '../params/params.ts'
import { type AccountSource, createPrepareActor } from '../shared/actors.ts'
import type { Answer } from '../shared/answer.ts'
import { encodeCursor } from '../shared/cursor.ts'
import { rowView } from '../shared/splice.ts'
import { actorOf, filtersOf, readRequest } from './request.ts'
import { createSearch } from './search.ts'
import { createSortedPages } from './sorted.ts'

/** Statements that are kept prepared per method. */
const MAX_STATEMENTS = 200

/** `listRecords` of one collection. */
export function createList(store: Store, def: ListDef, embed: Embed, accounts?: AccountSource): Answer {
  const { collection } = def
  const view = rowView(collection)
  const resolveActor = createPrepareActor(store, collection.nsid, accounts)
  const filters = filtersOf(def)
  const search = collection.searchTable === undefined ? null : createSearch(store, def, view, MAX_STATEMENTS)
  const sortedPage = createSortedPages(store, def, view, { filters, search, maxStatements: MAX_STATEMENTS })

  return async (query) => {
    const params: Record<string, any> = parseParams(def.params, readQuery(query))
    embed.check(params, params.limit)
    const actor = actorOf(params)
    const account = actor === undefined ? undefined : await resolveActor(actor)
    const { hash, request } = readRequest(def, filters, params, {
      did: account?.did,
      hydrated: embed.isHydrated(params),
      embedded: embed.columns(params),
    })
    const { rows, next } = request.sort === null ? await search!.page(request) : await sortedPage(request, request.sort)
    const { within, beside } = await embed.extras(rows, params)
    let records = ''
    for (let i = 0; i < rows.length; i++) records += (i === 0 ? '' : ',') + view.toJson(rows[i]!, within[i]!)
    const cursor = next === null ? '' : `,"cursor":"${encodeCursor(hash(), next)}"`
    const body = `{"records":[${records}]${cursor}${beside}}`
    return { body, reads: account?.settled === false ? null : embed.reads(params) }
  }
}
