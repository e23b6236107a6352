import dns from 'node:dns'
import http from 'node:http'
import https from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { LexidexError } from '../core/errors.ts'
import { type Fetch, FetchError, type FetchOptions } from '../core/http.ts'
import { isPublicAddress } from './addresses.ts'

const MAX_REDIRECTS = 5
const USER_AGENT = 'lexidex (an index of AT Protocol records)'

export interface GuardedFetchOptions {
  /**
   * Hosts that may be fetched from whatever their address, and over plain http: `host` for every port,
   * `host:port` for one.
   */
  readonly allowHosts?: readonly string[] | undefined
  /** ms for a whole request with its redirects and body. Default 10 000. */
  readonly timeoutMs?: number | undefined
  /** Bytes of a body. Default 10 MB. */
  readonly maxBytes?: number | undefined
  /** How names become addresses. Default: the system's way. */
  readonly lookup?: typeof dns.lookup | undefined
}

export interface GuardedFetch extends Fetch {
  /** Closes idle connections. */
  close(): void
}

/**
 * GET for URLs that strangers chose (PDS endpoints, `did:web`): https only, and only public addresses. The address is
 * checked where the connection is made, so a name cannot point elsewhere after it was looked at; redirects, at most
 * five, are held to the same rules.
 *
 * @throws LexidexError where an entry of `allowHosts` is no host
 */
export function createGuardedFetch(options: GuardedFetchOptions = {}): GuardedFetch {
  const { timeoutMs = 10_000, maxBytes = 10_000_000, lookup = dns.lookup } = options
  const allowed = new Set((options.allowHosts ?? []).map(readAllowed))
  const keep = { keepAlive: true, maxFreeSockets: 64 }
  // A socket in a pool was checked when it was connected, so the pools must not mix.
  const open = { http: new http.Agent({ ...keep, lookup }), https: new https.Agent({ ...keep, lookup }) }
  const guarded = new https.Agent({ ...keep, lookup: guardedLookup(lookup) })

  function agentFor(url: URL): http.Agent {
    const isHttps = url.protocol === 'https:'
    if (!isHttps && url.protocol !== 'http:') throw refused(url, 'only https is fetched')
    if (url.username !== '' || url.password !== '') throw refused(url, 'it carries credentials')
    const port = url.port || (isHttps ? '443' : '80')
    if (allowed.has(url.hostname) || allowed.has(`${url.hostname}:${port}`)) return isHttps ? open.https : open.http
    if (!isHttps) throw refused(url, 'only https is fetched')
    // Numbers are connected to without a lookup. URL has brought them all to their usual form.
    const address = url.hostname.replace(/^\[|\]$/g, '')
    if (isIP(address) && !isPublicAddress(address)) throw refused(url, `${address} is not a public address`)
    return guarded
  }

  async function fetch(target: string, { signal, headers }: FetchOptions = {}): Promise<Response> {
    signal?.throwIfAborted()
    const deadline = new AbortController()
    const timer = setTimeout(() => deadline.abort(), timeoutMs)
    const stop = () => deadline.abort()
    signal?.addEventListener('abort', stop)
    try {
      let url = parseUrl(target)
      for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
        const request = {
          agent: agentFor(url),
          signal: deadline.signal,
          headers: { 'user-agent': USER_AGENT, ...headers },
        }
        const answer = await get(url, request, maxBytes)
        if (answer instanceof Response) return answer
        url = parseUrl(answer.location, url)
      }
      throw new FetchError('refused', `${target}: more than ${MAX_REDIRECTS} redirects`)
    } catch (error) {
      signal?.throwIfAborted()
      if (deadline.signal.aborted) throw new FetchError('timeout', `${target}: no answer in ${timeoutMs} ms`)
      if (error instanceof FetchError) throw error
      throw new FetchError('network', `${target}: ${reasonOf(error)}`, { cause: error })
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
    }
  }

  const close = () => {
    for (const agent of [open.http, open.https, guarded]) agent.destroy()
  }
  return Object.assign(fetch, { close })
}

function get(url: URL, options: http.RequestOptions, maxBytes: number): Promise<Response | { location: string }> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? https : http).get(url, options, (message) => {
      const { statusCode = 500, headers } = message
      if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined) {
        // Whatever body there is must not be waited for.
        message.destroy()
        return resolve({ location: headers.location })
      }
      const chunks: Buffer[] = []
      let bytes = 0
      message.on('error', reject)
      message.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        chunks.push(chunk)
        if (bytes > maxBytes) message.destroy(new FetchError('too-large', `${url.href}: more than ${maxBytes} bytes`))
      })
      message.on('end', () => resolve(toResponse(statusCode, message.rawHeaders, Buffer.concat(chunks))))
    })
    request.on('error', reject)
  })
}

function toResponse(status: number, raw: readonly string[], body: Buffer<ArrayBuffer>): Response {
  const headers = new Headers()
  for (let i = 0; i + 1 < raw.length; i += 2) headers.append(raw[i]!, raw[i + 1]!)
  const hasBody = status !== 204 && status !== 205 && status !== 304
  return new Response(hasBody ? body : null, { status, headers })
}

function guardedLookup(lookup: typeof dns.lookup): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '')
      // One private address among public ones is a trap, not a choice.
      const hidden = addresses.find(({ address }) => !isPublicAddress(address))
      if (hidden !== undefined || addresses.length === 0) {
        const what = hidden === undefined ? 'no address' : `${hidden.address}, which is not a public address`
        return callback(new FetchError('refused', `${hostname} has ${what}`, { hint: HINT }), '')
      }
      if (options.all) return callback(null, addresses)
      callback(null, addresses[0]!.address, addresses[0]!.family)
    })
  }
}

const HINT = 'If the host is your own, name it in `allowHosts`.'

function refused(url: URL, why: string): FetchError {
  return new FetchError('refused', `${url.href} is not fetched: ${why}`, { hint: HINT })
}

function parseUrl(target: string, base?: URL): URL {
  if (!URL.canParse(target, base)) throw new FetchError('refused', `Not a URL: ${target}`)
  return new URL(target, base)
}

/** `host` or `host:port` as `URL` writes it. */
function readAllowed(entry: string): string {
  const url = URL.canParse(`http://${entry}/`) ? new URL(`http://${entry}/`) : null
  if (url === null || entry === '' || /[/@?#]/.test(entry)) {
    throw new LexidexError(`Not a host: ${JSON.stringify(entry)}`, {
      hint: 'Write entries of allowHosts as host or host:port, without a scheme.',
    })
  }
  // `URL` drops a port 80 as it is the usual one.
  return /:80$/.test(entry) ? `${url.hostname}:80` : url.host
}

/** Failed attempts at several addresses come as an error without a message of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  return error instanceof Error ? error.message || String((error as NodeJS.ErrnoException).code) : String(error)
}
