import type { App } from '../app.ts'
import { databaseUnavailable, isProgrammingError, XrpcError } from '../core/errors.ts'
import type { RuntimeState } from '../core/liveness.ts'
import type { Logger } from '../core/log.ts'
import type { Page } from '../core/page.ts'
import type { Route, RouteAnswer } from '../core/route.ts'
import type { Clock } from '../core/time.ts'
import type { MaybePromise, Store } from '../storage/store.ts'
import { AnswerCache, type CacheOptions } from './http/cache.ts'
import { frontPage } from './http/front-page.ts'
import {
  failure,
  HEADERS,
  isBodiless,
  preflight,
  READING,
  type ServedRequest,
  type ServedResponse,
} from './http/messages.ts'
import { allowedBy, createRouteTable, type FoundRoutes, readBody } from './http/route-table.ts'
import { createEmbeds } from './hydration/embed.ts'
import { createMethods } from './methods.ts'
import { OPENAPI, openApiRoute } from './openapi/route.ts'
import { configRoutes } from './queries/config-routes.ts'
import type { AccountSource } from './shared/actors.ts'
import type { Answered } from './shared/answer.ts'
import { systemRoutes } from './system/system-routes.ts'

/** Longest path and query that is answered, in characters. */
const MAX_URL = 8192

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
  /** What is served besides the app's own queries: procedures, pages, and what an operator asks for. */
  readonly routes?: readonly Route[]
  /** What browsers get at `/`. Default: what everyone gets there. */
  readonly page?: Page | undefined
  /** Memory for answers that are asked for again and again. `false`: none, and no tags either. Default: 64 MB. */
  readonly cache?: CacheOptions | false | undefined
  /** Told of errors that are no fault of the request. Default: the console. */
  readonly logger?: Logger
  readonly clock?: Clock
}

/** Serves the methods of an app, its health and its status. */
export function createRouter(options: RouterOptions): Router {
  const { app, store, logger = console } = options
  const cache = options.cache === false ? null : new AnswerCache(store, app, options.cache)
  const embeds = createEmbeds(app, store, options.accounts)
  const methods = createMethods(app, store, embeds, options.accounts)
  const listed = [
    ...systemRoutes(options),
    ...configRoutes(app, store, embeds, options.accounts),
    ...(options.routes ?? []),
  ]
  const endpoints = [...new Set([...listed.map(({ path }) => path), ...methods.keys(), OPENAPI])]
  const front = frontPage({ status: 'ok', namespace: app.namespace, endpoints }, options.page)
  const routes = createRouteTable([...listed, openApiRoute(app, endpoints), front])

  async function answer(request: ServedRequest): Promise<ServedResponse> {
    const { method, url } = request
    if (url.length > MAX_URL) throw new XrpcError(414, 'UriTooLong', `The URL is longer than ${MAX_URL} characters.`)
    const queryAt = url.indexOf('?')
    const path = queryAt === -1 ? url : url.slice(0, queryAt)
    const query = queryAt === -1 ? '' : url.slice(queryAt + 1)
    const ask = methods.get(path)
    if (ask === undefined) {
      const found = routes.find(path)
      if (found === null) throw notFound(path, app.namespace)
      return answerRoute(found, request, query)
    }
    if (method === 'OPTIONS') return preflight(READING)
    if (method !== 'GET' && method !== 'HEAD') return notAllowed(method, READING)
    return kept(request, () => ask(query))
  }

  async function answerRoute(found: FoundRoutes, request: ServedRequest, query: string): Promise<ServedResponse> {
    const { method, headers, caller } = request
    const allow = allowedBy(found)
    if (method === 'OPTIONS') return preflight(allow)
    const route = found.methods.get(method === 'HEAD' ? 'GET' : method)
    if (route === undefined) return notAllowed(method, allow)
    const params = new URLSearchParams(query)
    for (const [name, value] of Object.entries(found.named)) params.set(name, value)
    const ask = () => route.answer({ params, headers, caller, body: () => readBody(request.body ?? null) })
    if (route.kept) {
      return kept(request, async () => {
        const answer = await ask()
        return { body: bodyOf(answer), reads: answer.reads ?? null }
      })
    }
    const answer = await ask()
    return { status: answer.status, headers: { ...HEADERS, ...answer.headers }, body: bodyOf(answer) }
  }

  /** Answers from memory, or anew. */
  async function kept(request: ServedRequest, ask: () => Promise<Answered>): Promise<ServedResponse> {
    if (cache === null) return { status: 200, headers: HEADERS, body: (await ask()).body }
    const found = cache.before(request)
    const before = found instanceof Promise ? await found : found
    if (before.response !== null) return before.response
    const answered = await ask()
    return cache.after(request, before, answered) ?? { status: 200, headers: HEADERS, body: answered.body }
  }

  async function handle(request: ServedRequest): Promise<ServedResponse> {
    try {
      return await answer(request)
    } catch (error) {
      if (error instanceof XrpcError) return failure(error)
      logger.error(`${request.method} ${request.url.slice(0, 200)} failed:`, error)
      if (!isProgrammingError(error) && store.isTransient(error)) return failure(databaseUnavailable())
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
      const hasBody = method !== 'HEAD' && !isBodiless(response.status)
      const sent = hasBody ? (response.body as string | Uint8Array<ArrayBuffer>) : null
      return new Response(sent, { status: response.status, headers: response.headers })
    },
  }
}

function bodyOf({ content, body }: RouteAnswer): string | Uint8Array {
  return content ?? JSON.stringify(body)
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
