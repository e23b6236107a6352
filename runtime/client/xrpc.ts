import { LexidexError, messageOf } from '../core/errors.ts'
import { errorOf, invalidResponse, parseObject, XrpcClientError } from './error.ts'
import type { CallOptions, ClientOptions } from './options.ts'
import { encodeParams } from './params.ts'
import { retryDelay, sleep } from './retry.ts'
import type { Page } from './views.ts'

/** Calls the methods of one service. Emitted clients give each method its types. */
export interface XrpcClient {
  /**
   * Calls a query (GET).
   *
   * 429, 503 and network errors are retried: after the time that the service asks for, else with
   * growing pauses. A service that asks for more than 30 s is not waited for.
   *
   * @param nsid name of the method
   * @param params own properties: strings, numbers, booleans, Dates, arrays of these. `undefined`, like
   *   an empty array, sends nothing, and so does not filter.
   * @throws {XrpcClientError} when the call failed, retries included
   * @throws the signal's reason (an `AbortError`, unless stated otherwise) when it is aborted
   */
  query<T>(nsid: string, params?: object, call?: CallOptions): Promise<T>

  /**
   * Calls a procedure (POST) with a JSON body.
   *
   * 429 and 503 are retried as by `query`. Network errors are not: nobody knows whether the request arrived.
   *
   * @param input becomes JSON
   * @throws as `query`
   */
  procedure<T>(nsid: string, input: object, call?: CallOptions): Promise<T>

  /**
   * Every record of a list query, page after page; `limit` is the size of a page.
   * The next page is fetched when the last record of the page before was taken.
   *
   * @throws as `query`, and an `InvalidResponse` when the service repeats a cursor
   */
  iterate<T>(nsid: string, params?: object, call?: CallOptions): AsyncGenerator<T, void, undefined>
}

/**
 * A client for the service at `service`.
 *
 * @param service its URL; methods are at `xrpc/{nsid}` below it
 * @throws {LexidexError} where `service` is not an http(s) URL
 */
export function createXrpcClient(service: string | URL, options: ClientOptions = {}): XrpcClient {
  const base = serviceUrl(service)
  const { retries = 3, fetch: send = (url, init) => fetch(url, init) } = options

  /** Sends the request once. */
  async function request<T>(nsid: string, url: string, init: RequestInit): Promise<T> {
    let response: Response
    let body: string
    try {
      response = await send(url, init)
      body = await response.text()
    } catch (cause) {
      if (init.signal?.aborted) throw init.signal.reason
      if (cause instanceof Error && cause.name === 'AbortError') throw cause
      throw new XrpcClientError(0, 'NetworkError', `No response to ${nsid} from ${base}: ${messageOf(cause)}`, {
        cause,
      })
    }
    if (!response.ok) throw errorOf(response, body)
    const output = parseObject(body)
    if (output === null) throw invalidResponse(response, body)
    return output as T
  }

  /** Sends the request until it is answered, or must not be sent again. */
  async function perform<T>(nsid: string, search: string, body: string | null, call: CallOptions): Promise<T> {
    const url = `${base}/xrpc/${nsid}${search && `?${search}`}`
    const signal = eitherSignal(options.signal, call.signal)
    for (let attempt = 0; ; attempt++) {
      signal?.throwIfAborted()
      const headers = await makeHeaders(nsid, base, options, call)
      if (body !== null) headers.set('content-type', 'application/json')
      signal?.throwIfAborted()
      try {
        return await request<T>(nsid, url, {
          headers,
          ...(body !== null && { method: 'POST', body }),
          ...(signal && { signal }),
        })
      } catch (error) {
        // Whether it arrived is unknown, and a procedure may change something.
        const unknown = body !== null && error instanceof XrpcClientError && error.status === 0
        const delay = attempt < retries && !unknown ? retryDelay(error, attempt, Date.now()) : null
        if (delay === null) throw error
        await sleep(delay, signal)
      }
    }
  }

  async function query<T>(nsid: string, params: object = {}, call: CallOptions = {}): Promise<T> {
    return perform<T>(nsid, encodeParams(params).toString(), null, call)
  }

  async function procedure<T>(nsid: string, input: object, call: CallOptions = {}): Promise<T> {
    return perform<T>(nsid, '', JSON.stringify(input), call)
  }

  async function* iterate<T>(nsid: string, params: object = {}, call: CallOptions = {}): AsyncGenerator<T, void> {
    const signal = eitherSignal(options.signal, call.signal)
    let cursor = 'cursor' in params ? params.cursor : undefined
    const seen = new Set([cursor])
    for (;;) {
      const page = await query<Page<T>>(nsid, { ...params, cursor }, call)
      if (!Array.isArray(page.records)) {
        throw new XrpcClientError(200, 'InvalidResponse', `${nsid} did not return a list of records.`)
      }
      for (const record of page.records) {
        signal?.throwIfAborted()
        yield record
      }
      if (!page.cursor) return
      cursor = page.cursor
      if (seen.has(cursor)) {
        throw new XrpcClientError(200, 'InvalidResponse', `${nsid} repeats the cursor ${cursor}; its list has no end.`)
      }
      seen.add(cursor)
    }
  }

  return { query, procedure, iterate }
}

/** The service's URL as text, without a slash at its end. */
function serviceUrl(service: string | URL): string {
  const hint = 'Give the URL of the service, for example https://index.example.com.'
  let url: URL
  try {
    url = new URL(service)
  } catch (cause) {
    throw new LexidexError(`Not a URL: ${service}`, { hint, cause })
  }
  if (!/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) {
    throw new LexidexError(`Not the URL of a service: ${service}`, {
      hint: `${hint} Credentials belong into the option headers.`,
    })
  }
  return url.href.replace(/\/+$/, '')
}

async function makeHeaders(nsid: string, base: string, options: ClientOptions, call: CallOptions): Promise<Headers> {
  const own = typeof options.headers === 'function' ? await options.headers(nsid) : options.headers
  const headers = new Headers({ accept: 'application/json' })
  for (const [name, value] of [...Object.entries(own ?? {}), ...Object.entries(call.headers ?? {})]) {
    headers.set(name, value)
  }
  if (options.serviceAuth !== undefined && !headers.has('authorization')) {
    const aud = options.serviceDid ?? `did:web:${encodeURIComponent(new URL(base).host)}`
    headers.set('authorization', `Bearer ${await options.serviceAuth({ aud, lxm: nsid })}`)
  }
  return headers
}

function eitherSignal(a: AbortSignal | undefined, b: AbortSignal | undefined): AbortSignal | undefined {
  return a && b ? AbortSignal.any([a, b]) : (a ?? b)
}
