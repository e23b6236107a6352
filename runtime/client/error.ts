/**
 * A call failed: the service answered with an error, with something that is not XRPC, or not at all.
 *
 * @see https://atproto.com/specs/xrpc#error-responses
 */
export class XrpcClientError extends Error {
  /** HTTP status; 0 where no complete response came. */
  readonly status: number
  /**
   * Name of the error as the service states it, for example `InvalidRequest`. Else `NetworkError` (no
   * complete response; `cause` tells why), `InvalidResponse` (success, but not the JSON expected) or
   * `UnknownError` (an error without a name, such as a proxy's page).
   */
  readonly error: string
  /** Headers of the response; empty where none came. */
  readonly headers: Headers

  constructor(status: number, error: string, message: string, options: { headers?: Headers; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'XrpcClientError'
    this.status = status
    this.error = error
    this.headers = options.headers ?? new Headers()
  }
}

/** The error that a response of status 400 or above carries. */
export function errorOf(response: Response, body: string): XrpcClientError {
  const { status, headers } = response
  const stated = parseObject(body)
  if (typeof stated?.error === 'string' && stated.error !== '') {
    const message = typeof stated.message === 'string' && stated.message !== '' ? stated.message : stated.error
    return new XrpcClientError(status, stated.error, message, { headers })
  }
  return new XrpcClientError(status, 'UnknownError', describe(response, body), { headers })
}

/** A response that claims success but is not what the method returns. */
export function invalidResponse(response: Response, body: string): XrpcClientError {
  const message = `Expected a JSON object, got ${describe(response, body)}`
  return new XrpcClientError(response.status, 'InvalidResponse', message, { headers: response.headers })
}

/** The JSON object that `text` holds; null where it holds anything else. */
export function parseObject(text: string): Record<string, unknown> | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null
}

/** The response in one line: status, type, and how the body starts. */
function describe(response: Response, body: string): string {
  const start = body.slice(0, 200).replace(/\s+/g, ' ').trim()
  const status = ['HTTP', response.status, response.statusText].join(' ').trimEnd()
  const type = response.headers.get('content-type') ?? 'no content type'
  return `${status} (${type})${start && `: ${start}`}`
}
