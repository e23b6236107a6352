import type { Route } from '../../core/route.ts'
import type { Store } from '../../storage/store.ts'
import type { NarrowedDef } from '../define.ts'
import type { Embed } from '../hydration/embed.ts'
import { createList } from '../lists/list.ts'
import { type RawParams, readQuery, refuseOthers } from '../params/params.ts'
import type { AccountSource } from '../shared/actors.ts'
import { Lru } from '../shared/lru.ts'
import { callUserCode } from './custom.ts'
import { narrowing } from './narrowing.ts'
import { ownParams } from './own-params.ts'

/** Statements that are kept prepared per method. */
const MAX_STATEMENTS = 100

/** A list of the config: `listRecords` of its collection, narrowed anew for each request. */
export function narrowedRoute(
  store: Store,
  { nsid, list, query }: NarrowedDef,
  embed: Embed,
  accounts?: AccountSource,
): Route {
  const own = ownParams(query.params)
  const ofList = list.params.shape
  const valid = own.shape === null ? null : { ...ofList, ...own.shape }
  const preparing = withStatements(store)
  return {
    method: 'GET',
    path: `/xrpc/${nsid}`,
    async answer({ params, headers, caller }) {
      const raw = readQuery(params.toString())
      if (valid !== null) refuseOthers(raw, valid)
      const { mine, others } = split(raw, ofList)
      const narrow = await callUserCode(() => query.handler({ db: store.db, params: own.read(mine), headers, caller }))
      const def = {
        ...list,
        // A cursor belongs to a list and its parameters, those of the config among them.
        nsid: `${nsid} ${JSON.stringify(Object.entries(mine).sort(([a], [b]) => (a < b ? -1 : 1)))}`,
        narrow: narrowing(store.db, list.collection.table, narrow),
      }
      const { body } = await createList(preparing, def, embed, accounts)(others)
      return { status: 200, content: body }
    },
  }
}

/** The parameters of the config's query, and those of the list as a query string. */
function split(raw: RawParams, ofList: object): { mine: RawParams; others: string } {
  const mine: RawParams = Object.create(null)
  const others = new URLSearchParams()
  for (const [name, value] of Object.entries(raw)) {
    if (Object.hasOwn(ofList, name)) for (const one of [value].flat()) others.append(name, one)
    else mine[name] = value
  }
  return { mine, others: others.toString() }
}

/** The store, with statements of the same text prepared once. */
function withStatements(store: Store): Store {
  const statements = new Lru<ReturnType<Store['prepare']>>(MAX_STATEMENTS)
  const prepare = (sql: string) => statements.get(sql, () => store.prepare(sql))
  return new Proxy(store, {
    get(target, key) {
      if (key === 'prepare') return prepare
      const value = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
