import { sql } from 'kysely'
import type { App } from '../../app.ts'
import { isDid, isHandle } from '../../core/at-uri.ts'
import type { CollectionDef } from '../../core/collection.ts'
import { XrpcError } from '../../core/errors.ts'
import type { Route, RouteAnswer } from '../../core/route.ts'
import type { Clock } from '../../core/time.ts'
import type { Store } from '../../storage/store.ts'
import {
  type AccountSource,
  createPrepareActor,
  createResolveActor,
  type FoundActor,
  type ResolveActor,
} from '../shared/actors.ts'
import { ACCOUNTS } from '../shared/answer.ts'
import { decodeCursor, encodeCursor, fingerprint, type Position } from '../shared/cursor.ts'
import { Lru } from '../shared/lru.ts'
import { prepareOnce, prepareQuery, type Statement } from '../shared/prepare.ts'
import { slot } from '../shared/slots.ts'
import type { Row } from '../shared/splice.ts'
import { type CursorView, remembered } from './status.ts'

const MAX_LIMIT = 100
/** All that a collection has. */
const MAX_STATEMENTS = 6

export interface RestOptions {
  readonly app: App
  readonly store: Store
  readonly accounts?: AccountSource | undefined
  readonly clock?: Clock | undefined
  readonly cursor: () => Promise<CursorView | null>
}

/** Collections by their NSIDs, without XRPC: records, accounts and how much there is of them. */
export function restRoutes({ app, store, accounts, clock, cursor }: RestOptions): readonly Route[] {
  const served = new Map(app.collections.map((def) => [def.nsid, serveCollection(store, def, { accounts, clock })]))
  const resolveActor = createResolveActor(store, accounts)
  const jobs = prepareOnce(store, () => 'SELECT status FROM lexidex_job WHERE did = ? AND collection = ?')

  const collection = (params: URLSearchParams) => {
    const found = served.get(params.get('collection') ?? '')
    if (found !== undefined) return found
    throw new XrpcError(404, 'Collection not tracked', 'No such collection is indexed here. GET /status lists them.')
  }
  const account = async (params: URLSearchParams, resolve: ResolveActor) => {
    const actor = params.get('did')
    if (actor === null) return null
    if (!isDid(actor) && !isHandle(actor)) throw invalid('did', 'a DID or a handle')
    return resolve(actor)
  }
  const get = (path: string, answer: (params: URLSearchParams) => Promise<RouteAnswer>, kept = false): Route => ({
    method: 'GET',
    path,
    kept,
    answer: ({ params }) => answer(params),
  })

  return [
    get(
      '/records/{collection}',
      async (params) => {
        const { prepareActor, records } = collection(params)
        return records(params, await account(params, prepareActor))
      },
      true,
    ),
    get('/users/{collection}', async (params) => collection(params).users(params), true),
    get('/stats/{collection}', async (params) => ({ status: 200, body: await collection(params).stats() })),
    get('/backfill/{collection}/{did}', async (params) => {
      const { nsid } = collection(params)
      const { did } = (await account(params, resolveActor))!
      const [job] = await jobs().all([did, nsid])
      return { status: 200, body: { did, collection: nsid, status: statusOf(job?.status) } }
    }),
    get('/cursor', async () => ({ status: 200, body: (await cursor()) ?? { cursor: null } })),
  ]
}

function serveCollection(
  store: Store,
  { nsid, table }: CollectionDef,
  { accounts, clock }: Pick<RestOptions, 'accounts' | 'clock'>,
) {
  const statements = new Lru<Statement>(MAX_STATEMENTS)
  const list = (hasDid: boolean, isAfter: boolean) =>
    statements.get(`list ${hasDid} ${isAfter}`, () => listStatement(store, table, hasDid, isAfter))
  const ranked = (isAfter: boolean) => statements.get(`ranked ${isAfter}`, () => rankedStatement(store, isAfter))
  // Adds up a row for each account: that may take a share of the time, and no more.
  const totals = remembered(async () => {
    const [row] = await store.db
      .selectFrom('lexidex_author')
      .select([sql`count(*)`.as('users'), sql`coalesce(sum(records), 0)`.as('records')])
      .where('name', '=', table)
      .execute()
    return { users: Number(row!.users), records: Number(row!.records) }
  }, clock)

  return {
    nsid,
    prepareActor: createPrepareActor(store, nsid, accounts),
    async records(params: URLSearchParams, account: FoundActor | null): Promise<RouteAnswer> {
      const limit = readLimit(params)
      const hash = fingerprint(`records ${nsid} ${account?.did}`)
      const position = readCursor(params, hash)
      const rows = await list(account !== null, position !== null).all({
        $limit: limit + 1,
        ...(account !== null && { $did: account.did }),
        ...(position !== null && { $sort: position[0], $uri: position[1] }),
      })
      const { page, cursor } = cut(rows, limit, hash, (row) => [row.sort_at, row.uri])
      // The stored text goes in as it is.
      const records = page.map(
        (row) =>
          `{"uri":"${row.uri}","did":"${row.did}","collection":"${nsid}","rkey":"${row.rkey}","cid":"${row.cid}","record":${row.record},"time_us":${row.sort_at}}`,
      )
      return {
        status: 200,
        content: `{"records":[${records.join(',')}]${cursor === null ? '' : `,"cursor":"${cursor}"`}}`,
        reads: account?.settled === false ? null : [table, ACCOUNTS],
      }
    },
    async users(params: URLSearchParams): Promise<RouteAnswer> {
      const limit = readLimit(params)
      const hash = fingerprint(`users ${nsid}`)
      const position = readCursor(params, hash)
      const rows = await ranked(position !== null).all({
        $name: table,
        $limit: limit + 1,
        ...(position !== null && { $records: position[0], $did: position[1] }),
      })
      const { page, cursor } = cut(rows, limit, hash, (row) => [Number(row.records), row.did])
      const users = page.map(({ did, records }) => ({ did, record_count: Number(records) }))
      return { status: 200, body: { users, ...(cursor !== null && { cursor }) }, reads: [table] }
    },
    async stats() {
      const { users, records } = await totals()
      const [newest] = await list(false, false).all({ $limit: 1 })
      return {
        collection: nsid,
        unique_users: users,
        total_records: records,
        last_record_time_us: newest === undefined ? null : Number(newest.sort_at),
      }
    },
  }
}

/** Newest first. Values: `$did` and the position `$sort`, `$uri`, where there are any; `$limit`. */
function listStatement(store: Store, table: string, hasDid: boolean, isAfter: boolean): Statement {
  let query = store.db
    .selectFrom(table)
    .select(['uri', 'did', 'rkey', 'cid', 'record', 'sort_at'])
    .where('hidden', '=', sql.lit(0))
  if (hasDid) query = query.where('did', '=', slot('$did'))
  if (isAfter) {
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(refTuple('sort_at', 'uri'), '<', tuple(slot('$sort'), slot('$uri'))),
    )
  }
  return prepareQuery(store, query.orderBy('sort_at', 'desc').orderBy('uri', 'desc').limit(slot('$limit')))
}

/** The most records first. Values: the table's `$name`; the position `$records`, `$did`, where it is `after` one; `$limit`. */
function rankedStatement(store: Store, after: boolean): Statement {
  let query = store.db.selectFrom('lexidex_author').select(['did', 'records']).where('name', '=', slot('$name'))
  if (after) {
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(refTuple('records', 'did'), '<', tuple(slot('$records'), slot('$did'))),
    )
  }
  return prepareQuery(store, query.orderBy('records', 'desc').orderBy('did', 'desc').limit(slot('$limit')))
}

function cut(rows: readonly Row[], limit: number, hash: number, positionOf: (row: Row) => Position) {
  const page = rows.slice(0, limit)
  return { page, cursor: rows.length <= limit ? null : encodeCursor(hash, positionOf(page.at(-1)!)) }
}

/** 1 to 100, default 50; more is 100. */
function readLimit(params: URLSearchParams): number {
  const text = params.get('limit')
  if (text === null) return 50
  if (!/^\d{1,15}$/.test(text) || Number(text) < 1) throw invalid('limit', 'an integer from 1 to 100')
  return Math.min(MAX_LIMIT, Number(text))
}

function readCursor(params: URLSearchParams, hash: number): readonly [number, string] | null {
  const text = params.get('cursor')
  if (text === null) return null
  let position: Position
  try {
    position = decodeCursor(hash, text)
  } catch (error) {
    if (error instanceof XrpcError) throw invalid('cursor', 'the one that came with the page before')
    throw error
  }
  const [number, last] = position
  if (position.length !== 2 || !Number.isSafeInteger(number) || typeof last !== 'string') {
    throw invalid('cursor', 'the one that came with the page before')
  }
  return [number as number, last]
}

function invalid(name: string, expected: string): XrpcError {
  return new XrpcError(400, `Invalid ${name} parameter`, `Parameter "${name}" must be ${expected}.`)
}

/** How the history of an account in a collection stands; `failed`: given up after many tries. */
function statusOf(job: string | undefined): 'unknown' | 'in_progress' | 'complete' | 'failed' {
  if (job === undefined) return 'unknown'
  if (job === 'completed') return 'complete'
  return job === 'failed' ? 'failed' : 'in_progress'
}
