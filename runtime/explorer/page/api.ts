/** Calls to the index that serves this page. */

/** Path of the page with a slash at the end: the index may be mounted below any. */
export const BASE = location.pathname.replace(/\/*$/, '/')

/** URL of the index, as its users write it: without a slash at the end. */
export const SERVICE = `${location.origin}${BASE}`.replace(/\/$/, '')

export interface Answer {
  readonly status: number
  readonly ok: boolean
  /** The body as it came. */
  readonly text: string
  /** The body, where it is JSON; else null. */
  readonly body: any
  /** From the request to the end of its answer. */
  readonly ms: number
  /** Of the body. */
  readonly bytes: number
}

export interface Call {
  readonly method?: 'GET' | 'POST' | undefined
  /** Becomes JSON. */
  readonly input?: unknown
  /** Sent as a bearer token. */
  readonly secret?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** An answer other than success, or none. */
export class CallError extends Error {
  /** 0 where no answer came. */
  readonly status: number
  /** For example `InvalidRequest`. */
  readonly error: string

  constructor(status: number, error: string, message: string) {
    super(message)
    this.status = status
    this.error = error
  }
}

/** @param path below the page's own, without a slash in front */
export async function send(path: string, { method = 'GET', input, secret, signal }: Call = {}): Promise<Answer> {
  const headers: Record<string, string> = { accept: 'application/json' }
  if (input !== undefined) headers['content-type'] = 'application/json'
  if (secret !== undefined) headers.authorization = `Bearer ${secret}`
  const began = performance.now()
  let response: Response
  let text: string
  try {
    const body = input === undefined ? null : JSON.stringify(input)
    response = await fetch(BASE + path, { method, headers, body, signal: signal ?? null })
    text = await response.text()
  } catch (error) {
    if (signal?.aborted) throw error
    throw new CallError(0, 'NetworkError', 'The index does not answer. Is it still running?')
  }
  const ms = performance.now() - began
  return { status: response.status, ok: response.ok, text, body: parse(text), ms, bytes: new Blob([text]).size }
}

/**
 * The JSON of a successful answer.
 *
 * @throws CallError
 */
export async function get(path: string, call?: Call): Promise<any> {
  const answer = await send(path, call)
  if (answer.ok && answer.body !== null) return answer.body
  throw errorOf(answer)
}

export function errorOf({ status, body, text }: Answer): CallError {
  const { error, message } = typeof body === 'object' && body !== null ? body : {}
  const name = typeof error === 'string' ? error : 'UnknownError'
  if (typeof message === 'string') return new CallError(status, name, message)
  return new CallError(status, name, body === null ? text.slice(0, 300) : JSON.stringify(body).slice(0, 300))
}

function parse(text: string): any {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
