import type { XrpcError } from '../../core/errors.ts'

/** A request, as little of it as routing needs; any server can make one. */
export interface ServedRequest {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: { get(name: string): string | null | undefined }
  /** Bytes of the body, read only where a route asks for them; null or absent where there is none. */
  readonly body?: AsyncIterable<Uint8Array> | null | undefined
  /** DID of the account that calls, where whoever hands the request over vouches for it. Never taken from the request itself. */
  readonly caller?: string | undefined
}

/** The answer to a request. A server leaves the body out of the answer to HEAD, and of 204 and 304. */
export interface ServedResponse {
  readonly status: number
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Text is sent as UTF-8. */
  readonly body: string | Uint8Array
}

/** What GET routes allow. */
export const READING = 'GET, HEAD, OPTIONS'

const OPEN = {
  'access-control-allow-origin': '*',
  // What clients wait by, and what they ask again with.
  'access-control-expose-headers': 'retry-after, ratelimit-reset, etag',
}

/** Of whatever is given once: no cache may keep it. */
export const HEADERS = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', ...OPEN }

/** Of answers that caches may keep, where they ask before each use whether it still holds. */
export const KEPT_HEADERS = { ...HEADERS, 'cache-control': 'public, max-age=0, must-revalidate' }

/** Whether a status comes without a body. */
export function isBodiless(status: number): boolean {
  return status === 204 || status === 304
}

export function failure({ status, error, message }: XrpcError): ServedResponse {
  return { status, headers: HEADERS, body: JSON.stringify({ error, message }) }
}

/** @param allow Methods that there are, as the header has them */
export function preflight(allow: string): ServedResponse {
  const headers = {
    'access-control-allow-origin': '*',
    'access-control-allow-methods': allow,
    // `*` stands for every header but this one.
    'access-control-allow-headers': 'authorization, *',
    'access-control-max-age': '86400',
  }
  return { status: 204, headers, body: '' }
}
