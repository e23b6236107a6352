import type { CollectionDef } from '../../../runtime/core/collection.ts'
import type { ColumnValue } from '../../../runtime/core/operation.ts'
import {
  type App,
  createRouter,
  type Router,
  type RouterOptions,
  type ServedRequest,
  type ServedResponse,
} from '../../../runtime/index.ts'
import { createSqliteStore, type SqliteStore } from '../../../runtime/storage/sqlite/index.ts'
import type { MaybePromise, Store } from '../../../runtime/storage/store.ts'
import type { TestDatabase } from '../../storage/databases.ts'

export const START_US = Date.UTC(2026, 0, 1) * 1000

/** An answer whose body is text, however it came. */
export type TextResponse = ServedResponse & { readonly body: string }

/** Sends a request without headers, unless there are some. */
export async function send(
  router: Router,
  method: string,
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<TextResponse> {
  const request: ServedRequest = { method, url, headers: { get: (name) => headers[name] ?? null } }
  const response = await router.handle(request)
  const { body } = response
  return { ...response, body: typeof body === 'string' ? body : new TextDecoder().decode(body) }
}

/** A router over an index in memory, and what it said that was no fault of a request. */
export interface Served<S extends Store = SqliteStore> {
  readonly store: S
  readonly router: Router
  readonly errors: unknown[][]
  get(path: string): Promise<TextResponse>
  /** A method of the app, which must answer 200. */
  call(method: string, params?: Params): Promise<any>
  /** The same, answering an error. */
  fail(method: string, params?: Params): Promise<{ status: number; error: string; message: string }>
  close(): MaybePromise<void>
}

export type Params = Record<string, string | number | boolean | readonly (string | number)[] | undefined>

/**
 * @param options of the router
 * @param few see `withFew`
 */
export function serveApp(app: App, options: Partial<RouterOptions> = {}, few?: number): Served {
  const opened = createSqliteStore(':memory:')
  const store = few === undefined ? opened : withFew(opened, few)
  store.migrate(app.migrations.sqlite!)
  store.use(app.collections)
  return serveStore(app, store, () => store.close(), options)
}

/** The same, over a new index in any database. */
export async function serveAppOn({ open }: TestDatabase, app: App): Promise<Served<Store>> {
  const database = await open()
  const store = await database.connect()
  await store.migrate(app.migrations[database.dialect]!)
  await store.use(app.collections)
  return serveStore(app, store, () => database.drop())
}

/** What is served already, by a router of its own for which so many rows are few: see `withFew`. */
export function serveWithFew(app: App, { store, close }: Served<Store>, few: number): Served<Store> {
  return serveStore(app, withFew(store, few), close)
}

/** A store for which so many rows are few to what is made of it from now on: what leads to the rows of a list. */
export function withFew<S extends Store>(store: S, few: number): S {
  const { planning } = store.reads
  if (planning === undefined) return store
  return Object.defineProperty(store, 'reads', {
    value: { ...store.reads, planning: { ...planning, few } },
    configurable: true,
  })
}

function serveStore<S extends Store>(
  app: App,
  store: S,
  close: () => MaybePromise<void>,
  options: Partial<RouterOptions> = {},
): Served<S> {
  const errors: unknown[][] = []
  const router = createRouter({
    app,
    store,
    logger: { log: () => {}, warn: () => {}, error: (...args) => errors.push(args) },
    ...options,
  })
  const get = (url: string) => send(router, 'GET', url)
  const xrpc = (method: string, params: Params = {}) => get(`/xrpc/${app.namespace}.${method}?${encode(params)}`)
  return {
    store,
    router,
    errors,
    get,
    async call(method, params) {
      const { status, body } = await xrpc(method, params)
      if (status !== 200) throw new Error(`${status} ${body} ${errors.at(-1) ?? ''}`)
      return JSON.parse(body)
    },
    async fail(method, params) {
      const { status, body } = await xrpc(method, params)
      return { status, ...JSON.parse(body) }
    },
    close,
  }
}

function encode(params: Params): URLSearchParams {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item !== undefined) query.append(name, String(item))
    }
  }
  return query
}

/** A row to insert; what is left out gets a value that does not matter. */
export interface RowInput {
  readonly did?: string
  readonly rkey: string
  readonly sortAt?: number
  /** Default: `sortAt`. */
  readonly indexedAt?: number
  readonly hidden?: boolean
  readonly record?: unknown
  /** Columns beyond those of every table. */
  readonly columns?: Readonly<Record<string, ColumnValue>>
}

export function uriOf(collection: CollectionDef, { did = 'did:plc:alice', rkey }: RowInput): string {
  return `at://${did}/${collection.nsid}/${rkey}`
}

/** Straight into the table, so that tests can have any value in any column. */
export function insert(store: SqliteStore, collection: CollectionDef, input: RowInput): string {
  const row = rowOf(collection, input)
  const names = Object.keys(row)
  const sql = `INSERT INTO ${collection.table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`
  store.database.prepare(sql).run(...Object.values(row))
  return uriOf(collection, input)
}

/** The same for many rows of equal columns, in any database. */
export async function insertAll(store: Store, collection: CollectionDef, inputs: readonly RowInput[]): Promise<void> {
  if (inputs.length === 0) return
  const rows = inputs.map((input) => rowOf(collection, input))
  await store.db.insertInto(collection.table).values(rows).execute()
}

function rowOf(collection: CollectionDef, input: RowInput): Record<string, ColumnValue> {
  const { did = 'did:plc:alice', rkey, sortAt = START_US, hidden = false, record = {}, columns = {} } = input
  const { indexedAt = sortAt } = input
  return {
    uri: uriOf(collection, input),
    did,
    rkey,
    cid: `bafy${rkey}`,
    rev: '3aaaaaaaaaaaa',
    indexed_at: indexedAt,
    sort_at: sortAt,
    hidden: hidden ? 1 : 0,
    record: JSON.stringify(record),
    ...columns,
  }
}

/** Every page of a list, first to last. */
export async function walk(served: Pick<Served, 'call'>, method: string, params: Params = {}): Promise<any[][]> {
  const pages: any[][] = []
  let cursor: string | undefined
  do {
    const page = await served.call(method, { ...params, cursor })
    pages.push(page.records)
    cursor = page.cursor
    if (pages.length > 1000) throw new Error('The list does not end')
  } while (cursor !== undefined)
  return pages
}
