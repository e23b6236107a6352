/** What the page knows of the index that serves it. */
import { CallError, get } from './api.ts'
import { type Method, readMethods, usualParams } from './lexicon.ts'
import { formatPlace, type Params } from './place.ts'
import type { Status } from './status.ts'

export interface IndexInfo {
  readonly namespace: string
  readonly methods: readonly Method[]
  /** Paths of everything that is served. */
  readonly endpoints: readonly string[]
  /** Short names of collections, by NSID. */
  readonly collections: ReadonlyMap<string, string>
  /** As it was when the page was opened. */
  readonly status: Status
}

export async function loadIndex(): Promise<IndexInfo> {
  const overview = await get('')
  const namespace = String(overview.namespace)
  const [{ lexicons }, status] = await Promise.all([get(`xrpc/${namespace}.lexicons`), get('status')])
  if (!Array.isArray(status.collections))
    throw new CallError(200, 'InvalidResponse', 'The status names no collections.')
  return {
    namespace,
    methods: readMethods(lexicons, namespace),
    endpoints: Array.isArray(overview.endpoints) ? overview.endpoints.map(String) : [],
    collections: new Map(status.collections.map(({ nsid, name }: Status['collections'][number]) => [nsid, name])),
    status,
  }
}

export function findMethod({ methods }: IndexInfo, id: string): Method | undefined {
  return methods.find((method) => method.id === id)
}

/** The place of a method as it is entered. */
export function placeOfMethod(method: Method, params: Params = []): string {
  return formatPlace({ view: method.id, params: [...params, ...usualParams(method)] })
}

/** The place where a record is shown, if the index has its collection. */
export function placeOfRecord(index: IndexInfo, uri: string): string | null {
  const collection = index.collections.get(uri.split('/')[3] ?? '')
  if (collection === undefined) return null
  const method = findMethod(index, `${collection}.getRecord`)
  return method === undefined ? null : placeOfMethod(method, [['uri', uri]])
}

/** The place that lists an account's records of a collection, given as NSID. */
export function placeOfAccount(index: IndexInfo, did: string, nsid: string): string | null {
  const method = findMethod(index, `${index.collections.get(nsid)}.listRecords`)
  const param = ['actor', 'did'].find((name) => method?.params.some((param) => param.name === name))
  return method === undefined || param === undefined ? null : placeOfMethod(method, [[param, did]])
}
