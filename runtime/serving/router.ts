import type { App } from '../app.ts'
import { XrpcError } from '../core/errors.ts'
import type { RuntimeState } from '../core/liveness.ts'
import type { Logger } from '../core/log.ts'
import type { Route } from '../core/route.ts'
import type { Clock } from '../core/time.ts'
import type { MaybePromise, Store } from '../storage/store.ts'
import type { AccountSource } from './actors.ts'
import { createEmbed } from './embed.ts'
import { createGet } from './get.ts'
import { createGetProfile } from './get-profile.ts'
import { type Answer, createList } from './list.ts'
import { createProfiles } from './profiles.ts'
import { allowedBy, createRouteTable, type FoundRoutes, type RouteTable, readBody } from './routes.ts'
import { createStatus, remembered } from './status.ts'

/** Longest path and query that is answered, in characters. */
export const MAX_URL = 8192

/** A request, as little of it as routing needs; any server can make one. */
export interface ServedRequest {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: { get(name: string): string | null | undefined }
  /** Bytes of the body, read only where a route asks for them; null or absent where there is none. */
  readonly body?: AsyncIterable<Uint8Array> | null | undefined
}

/** The answer to a request. A server leaves the body out of the answer to HEAD. */
export interface ServedResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface Router {
  /** Never throws. */
  handle(request: ServedRequest): MaybePromise<ServedResponse>
  /** The same for Fetch API servers. */
  fetch(request: Request): Promise<Response>
}

export interface RouterOptions {
  readonly app: App
  readonly store: Store
  /** What the process does besides serving, for `/status`. */
  readonly state?: () => RuntimeState
  /** What `/status` says besides; may be some seconds old. */
  readonly status?: () => Promise<object>
  /** Finds accounts, and has them fetched, that the index does not know. Default: they stay unknown. */
  readonly accounts?: AccountSource
  /** What is served besides the app's own queries: procedures, and what an operator asks for. */
  readonly routes?: readonly Route[]
  /** Told of errors that are no fault of the request. Default: the console. */
  readonly logger?: Logger
  readonly clock?: Clock
}

const ALLOW = 'GET, HEAD, OPTIONS'

const HEADERS = {
  'content-type': 'application/json; charset=utf-8',
  'access-control-allow-origin': '*',
  // What clients wait by.
  'access-control-expose-headers': 'retry-after, ratelimit-reset',
}

const PREFLIGHT = preflight(ALLOW)

/** Serves the methods of an app, its health and its status. */
export function createRouter(options: RouterOptions): Router {
  const { app, logger = console } = options
  const others = createRouteTable(options.routes ?? [])
  const routes = createRoutes(options, others)

  async function handle(request: ServedRequest): Promise<ServedResponse> {
    try {
      const { method, url } = request
      if (url.length > MAX_URL) throw new XrpcError(414, 'UriTooLong', `The URL is longer than ${MAX_URL} characters.`)
      const queryAt = url.indexOf('?')
      const path = queryAt === -1 ? url : url.slice(0, queryAt)
      const answer = routes.get(path)
      if (answer === undefined) {
        const found = others.find(path)
        if (found === null) throw notFound(path, app.namespace)
        return await answerRoute(found, request, queryAt === -1 ? '' : url.slice(queryAt))
      }
      if (method === 'OPTIONS') return PREFLIGHT
      if (method !== 'GET' && method !== 'HEAD') return notAllowed(method, ALLOW)
      return { status: 200, headers: HEADERS, body: await answer(queryAt === -1 ? '' : url.slice(queryAt + 1)) }
    } catch (error) {
      if (error instanceof XrpcError) return failure(error)
      logger.error(`${request.method} ${request.url.slice(0, 200)} failed:`, error)
      return failure(new XrpcError(500, 'InternalServerError', 'Something went wrong on the server.'))
    }
  }

  return {
    handle,
    async fetch(request) {
      const { pathname, search } = new URL(request.url)
      const { method, headers } = request
      const body = request.body as AsyncIterable<Uint8Array> | null
      const response = await handle({ method, url: pathname + search, headers, body })
      const hasBody = method !== 'HEAD' && response.status !== 204
      return new Response(hasBody ? response.body : null, { status: response.status, headers: response.headers })
    },
  }
}

async function answerRoute(found: FoundRoutes, request: ServedRequest, query: string): Promise<ServedResponse> {
  const { method, headers } = request
  const allow = allowedBy(found)
  if (method === 'OPTIONS') return preflight(allow)
  const route = found.methods.get(method === 'HEAD' ? 'GET' : method)
  if (route === undefined) return notAllowed(method, allow)
  const params = new URLSearchParams(query)
  for (const [name, value] of Object.entries(found.named)) params.set(name, value)
  const answer = await route.answer({ params, headers, body: () => readBody(request.body ?? null) })
  return { status: answer.status, headers: { ...HEADERS, ...answer.headers }, body: JSON.stringify(answer.body) }
}

function createRoutes(options: RouterOptions, others: RouteTable): ReadonlyMap<string, Answer> {
  const { app, store, state, clock, accounts } = options
  const { status, cursor } = createStatus(app, store, { state, clock })
  const more = remembered(options.status ?? (async () => ({})), clock)
  const ok = async () => '{"status":"ok"}'
  const lexicons = JSON.stringify({ lexicons: app.lexicons })
  const routes = new Map<string, Answer>([
    ['/health', ok],
    ['/xrpc/_health', ok],
    ['/status', async () => JSON.stringify({ ...(await status()), ...(await more()) })],
    [`/xrpc/${app.namespace}.getCursor`, async () => JSON.stringify((await cursor()) ?? { cursor: null })],
    [`/xrpc/${app.namespace}.lexicons`, async () => lexicons],
  ])
  const profiles = app.profiles === undefined ? null : createProfiles(store, app.profiles, accounts)
  if (profiles !== null) routes.set(`/xrpc/${app.namespace}.getProfile`, createGetProfile(store, profiles, accounts))
  for (const def of app.methods) {
    const embed = createEmbed(store, app, def.collection, profiles)
    const answer =
      def.kind === 'list' ? createList(store, def, embed, accounts) : createGet(store, def, embed, accounts)
    routes.set(`/xrpc/${def.nsid}`, answer)
  }
  const endpoints = [...routes.keys(), ...others.paths]
  const overview = JSON.stringify({ status: 'ok', namespace: app.namespace, endpoints })
  return routes.set('/', async () => overview)
}

/**
 * 404, not 501: by the XRPC specification 501 is for an endpoint that is known and not implemented, 404 for one that
 * the server does not support.
 */
function notFound(path: string, namespace: string): XrpcError {
  const hint = `GET / lists what is served here; methods begin with /xrpc/${namespace}.`
  return path.startsWith('/xrpc/')
    ? new XrpcError(404, 'MethodNotFound', `There is no such method. ${hint}`)
    : new XrpcError(404, 'NotFound', `There is nothing at this path. ${hint}`)
}

function notAllowed(method: string, allow: string): ServedResponse {
  const response = failure(new XrpcError(405, 'MethodNotAllowed', `${method} is not allowed here, only ${allow}.`))
  return { ...response, headers: { ...response.headers, allow } }
}

function preflight(allow: string): ServedResponse {
  const headers = {
    'access-control-allow-origin': '*',
    'access-control-allow-methods': allow,
    // `*` stands for every header but this one.
    'access-control-allow-headers': 'authorization, *',
    'access-control-max-age': '86400',
  }
  return { status: 204, headers, body: '' }
}

function failure({ status, error, message }: XrpcError): ServedResponse {
  return { status, headers: HEADERS, body: JSON.stringify({ error, message }) }
}
