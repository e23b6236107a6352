import dns from 'node:dns'
import http from 'node:http'
import https from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import {
  type Fetch,
  FetchError,
  type FetchOptions,
  type FetchStream,
  type StreamedAnswer,
  type StreamOptions,
} from '../core/http.ts'
import { isPublicAddress } from './addresses.ts'
import { createAllowList } from './allow-list.ts'
import { Deadline } from './deadline.ts'

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
  /** The same for long answers. Its limits are those of its caller. */
  readonly stream: FetchStream
  /** Closes idle connections. */
  close(): void
}

/**
 * GET for URLs that strangers chose (PDS endpoints, `did:web`, handles): https only, and only public addresses. The
 * address is checked where the connection is made, so a name cannot point elsewhere after it was looked at; redirects,
 * at most five, are held to the same rules. Bodies come as they are sent: compressed ones are not inflated.
 *
 * @throws LexidexError where an entry of `allowHosts` is no host
 */
export function createGuardedFetch(options: GuardedFetchOptions = {}): GuardedFetch {
  const { timeoutMs = 10_000, maxBytes = 10_000_000, lookup = dns.lookup } = options
  const allowed = createAllowList(options.allowHosts ?? [])
  const keep = { keepAlive: true, maxFreeSockets: 64 }
  // A socket in a pool was checked when it was connected, so the pools must not mix.
  const open = { http: new http.Agent({ ...keep, lookup }), https: new https.Agent({ ...keep, lookup }) }
  const guarded = new https.Agent({ ...keep, lookup: guardedLookup(lookup) })

  function agentFor(url: URL): http.Agent {
    const isHttps = url.protocol === 'https:'
    if (!isHttps && url.protocol !== 'http:') throw refused(url, 'only https is fetched')
    if (url.username !== '' || url.password !== '') throw refused(url, 'it carries credentials')
    if (allowed.has(url)) return isHttps ? open.https : open.http
    if (!isHttps) throw refused(url, 'only https is fetched')
    // Below 1024 sit services that speak something else (mail, shells), and must not be made to hear from us.
    if (url.port !== '' && Number(url.port) < 1024) throw refused(url, `no web server listens on port ${url.port}`)
    // Numbers are connected to without a lookup. URL has brought them all to their usual form.
    const address = url.hostname.replace(/^\[|\]$/g, '')
    if (isIP(address) && !isPublicAddress(address)) throw refused(url, `${address} is not a public address`)
    return guarded
  }

  /** The head of the answer, after redirects. */
  async function reach(target: string, { headers }: FetchOptions, signal: AbortSignal): Promise<http.IncomingMessage> {
    let url = parseUrl(target)
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const message = await get(url, {
        agent: agentFor(url),
        signal,
        headers: { 'user-agent': USER_AGENT, ...headers },
      })
      const { statusCode = 500, headers: answered } = message
      if (statusCode < 300 || statusCode >= 400 || answered.location === undefined) return message
      // Whatever body there is must not be waited for.
      message.destroy()
      url = parseUrl(answered.location, url)
    }
    throw new FetchError('refused', `${target}: more than ${MAX_REDIRECTS} redirects`)
  }

  async function fetch(target: string, options: FetchOptions = {}): Promise<Response> {
    const deadline = new Deadline(target, options.signal, timeoutMs)
    try {
      const message = await reach(target, options, deadline.signal)
      const chunks: Uint8Array[] = []
      for await (const chunk of limited(message, target, maxBytes)) chunks.push(chunk)
      return toResponse(message, Buffer.concat(chunks))
    } catch (error) {
      throw deadline.explain(error)
    } finally {
      deadline.end()
    }
  }

  async function stream(target: string, options: StreamOptions): Promise<StreamedAnswer> {
    const { idleMs } = options
    const deadline = new Deadline(target, options.signal, options.maxMs)

    async function* body(message: http.IncomingMessage): AsyncGenerator<Uint8Array, void> {
      try {
        for await (const chunk of limited(message, target, options.maxBytes)) {
          // How long the reader takes is not the host's doing.
          deadline.pause()
          yield chunk
          deadline.expect(idleMs)
        }
      } catch (error) {
        throw deadline.explain(error)
      } finally {
        deadline.end()
      }
    }

    try {
      deadline.expect(idleMs)
      const message = await reach(target, options, deadline.signal)
      deadline.expect(idleMs)
      return { status: message.statusCode ?? 500, headers: headersOf(message), body: body(message) }
    } catch (error) {
      deadline.end()
      throw deadline.explain(error)
    }
  }

  const close = () => {
    for (const agent of [open.http, open.https, guarded]) agent.destroy()
  }
  return Object.assign(fetch, { stream, close })
}

function get(url: URL, options: http.RequestOptions): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? https : http).get(url, options, (message) => {
      // Whoever reads the body is told of its errors; until someone does they must not end the process.
      message.on('error', () => {})
      resolve(message)
    })
    request.on('error', reject)
  })
}

async function* limited(message: http.IncomingMessage, target: string, maxBytes: number): AsyncGenerator<Buffer, void> {
  let bytes = 0
  for await (const chunk of message as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxBytes) throw new FetchError('too-large', `${target}: more than ${maxBytes} bytes`)
    yield chunk
  }
}

function toResponse(message: http.IncomingMessage, body: Buffer<ArrayBuffer>): Response {
  const { statusCode: status = 500 } = message
  const hasBody = status !== 204 && status !== 205 && status !== 304
  return new Response(hasBody ? body : null, { status, headers: headersOf(message) })
}

function headersOf({ rawHeaders: raw }: http.IncomingMessage): Headers {
  const headers = new Headers()
  for (let i = 0; i + 1 < raw.length; i += 2) headers.append(raw[i]!, raw[i + 1]!)
  return headers
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
