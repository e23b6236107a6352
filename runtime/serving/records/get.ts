import type { AtUri } from '../../core/at-uri.ts'
import { makeAtUri } from '../../core/at-uri.ts'
import { invalidRequest, XrpcError } from '../../core/errors.ts'
import type { Store } from '../../storage/store.ts'
import type { GetDef } from '../define.ts'
import type { Embed } from '../hydration/embed.ts'
import { parseParams, readQuery } from '../params/params.ts'
import { type AccountSource, createResolveActor } from '../shared/actors.ts'
import type { Answer } from '../shared/answer.ts'
import { prepareOnce } from '../shared/prepare.ts'
import { rowView } from '../shared/splice.ts'

/** `getRecord` of one collection. */
export function createGet(store: Store, def: GetDef, embed: Embed, accounts?: AccountSource): Answer {
  const { collection } = def
  const view = rowView(collection)
  const resolveActor = createResolveActor(store, accounts)
  const byUri = prepareOnce(
    store,
    () =>
      store.db
        .selectFrom(collection.table)
        .select([...view.hydrated])
        .where('uri', '=', '')
        .where('hidden', '=', 0)
        .compile().sql,
  )

  return async (query) => {
    const params: Record<string, any> = parseParams(def.params, readQuery(query))
    const uri: AtUri = params.uri
    if (uri.collection !== collection.nsid) {
      throw invalidRequest(`Parameter "uri" must be of collection ${collection.nsid}, not ${uri.collection}.`)
    }
    embed.check(params, 1)
    const { did, settled } = await resolveActor(uri.authority)
    const rows = await byUri().all([makeAtUri(did, uri.collection, uri.rkey), 0])
    if (rows.length === 0) throw new XrpcError(404, 'RecordNotFound', 'Record not found')
    const { within, beside } = await embed.extras(rows, params)
    return { body: view.toJson(rows[0]!, within[0]! + beside), reads: settled ? embed.reads(params) : null }
  }
}
