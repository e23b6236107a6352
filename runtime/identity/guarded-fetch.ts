import { platform } from '#platform'
import { isAddress, isPublicAddress, NOT_PUBLIC_HINT } from '../core/addresses.ts'
import { concat } from '../core/bytes.ts'
import {
  type Fetch,
  FetchError,
  type FetchOptions,
  type FetchStream,
  type StreamedAnswer,
  type StreamOptions,
} from '../core/http.ts'
import type { TransportAnswer, TransportOptions } from '../core/platform.ts'
import { createAllowList } from './allow-list.ts'
import { Deadline } from './deadline.ts'

const MAX_REDIRECTS = 5
/** Names that mean the machine itself on every network. */
const LOCAL = /(?:^|\.)localhost\.?$/
const USER_AGENT = 'lexidex (an index of AT Protocol records)'

export interface GuardedFetchOptions extends TransportOptions {
  /**
   * Hosts that may be fetched from whatever their address, and over plain http: `host` for every port,
   * `host:port` for one.
   */
  readonly allowHosts?: readonly string[] | undefined
  /** ms for a whole request with its redirects and body. Default 10 000. */
  readonly timeoutMs?: number | undefined
  /** Bytes of a body. Default 10 MB. */
  readonly maxBytes?: number | undefined
}

export interface GuardedFetch extends Fetch {
  /** The same for long answers. Its limits are those of its caller. */
  readonly stream: FetchStream
  /** Closes idle connections. */
  close(): void
}

/**
 * GET for URLs that strangers chose (PDS endpoints, `did:web`, handles): https only, and only public addresses; redirects,
 * at most five, are held to the same rules. On Node the address is checked where the connection is made, so a name cannot
 * point elsewhere after it was looked at, and bodies come as they are sent: compressed ones are not inflated. Workers show
 * no addresses: what names lead to is left to their network, from which no private one can be reached.
 *
 * @throws LexidexError where an entry of `allowHosts` is no host
 */
export function createGuardedFetch(options: GuardedFetchOptions = {}): GuardedFetch {
  const { timeoutMs = 10_000, maxBytes = 10_000_000, lookup } = options
  const allowed = createAllowList(options.allowHosts ?? [])
  const transport = platform.createTransport({ lookup })

  /** Whether only public addresses may be connected to. */
  function isPublicOnly(url: URL): boolean {
    const isHttps = url.protocol === 'https:'
    if (!isHttps && url.protocol !== 'http:') throw refused(url, 'only https is fetched')
    if (url.username !== '' || url.password !== '') throw refused(url, 'it carries credentials')
    if (allowed.has(url)) return false
    if (!isHttps) throw refused(url, 'only https is fetched')
    // Below 1024 sit services that speak something else (mail, shells), and must not be made to hear from us.
    if (url.port !== '' && Number(url.port) < 1024) throw refused(url, `no web server listens on port ${url.port}`)
    // Numbers are connected to without a lookup. URL has brought them all to their usual form.
    const address = url.hostname.replace(/^\[|\]$/g, '')
    if (isAddress(address) && !isPublicAddress(address)) throw refused(url, `${address} is not a public address`)
    if (LOCAL.test(url.hostname)) throw refused(url, `${url.hostname} is this machine`)
    return true
  }

  /** The head of the answer, after redirects. */
  async function reach(target: string, { headers }: FetchOptions, signal: AbortSignal): Promise<TransportAnswer> {
    let url = parseUrl(target)
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const answer = await transport.get(url, {
        isPublicOnly: isPublicOnly(url),
        signal,
        headers: { 'user-agent': USER_AGENT, ...headers },
      })
      const location = answer.headers.get('location')
      if (answer.status < 300 || answer.status >= 400 || location === null) return answer
      // Whatever body there is must not be waited for.
      answer.discard()
      url = parseUrl(location, url)
    }
    throw new FetchError('refused', `${target}: more than ${MAX_REDIRECTS} redirects`)
  }

  async function fetch(target: string, options: FetchOptions = {}): Promise<Response> {
    const deadline = new Deadline(target, options.signal, timeoutMs)
    try {
      const answer = await reach(target, options, deadline.signal)
      const chunks: Uint8Array[] = []
      for await (const chunk of limited(answer, target, maxBytes)) chunks.push(chunk)
      return toResponse(answer, concat(chunks))
    } catch (error) {
      throw deadline.explain(error)
    } finally {
      deadline.end()
    }
  }

  async function stream(target: string, options: StreamOptions): Promise<StreamedAnswer> {
    const { idleMs } = options
    const deadline = new Deadline(target, options.signal, options.maxMs)

    async function* body(answer: TransportAnswer): AsyncGenerator<Uint8Array, void> {
      try {
        for await (const chunk of limited(answer, target, options.maxBytes)) {
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
      const answer = await reach(target, options, deadline.signal)
      deadline.expect(idleMs)
      return { status: answer.status, headers: answer.headers, body: body(answer) }
    } catch (error) {
      deadline.end()
      throw deadline.explain(error)
    }
  }

  return Object.assign(fetch, { stream, close: transport.close })
}

async function* limited({ body }: TransportAnswer, target: string, maxBytes: number): AsyncGenerator<Uint8Array, void> {
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > maxBytes) throw new FetchError('too-large', `${target}: more than ${maxBytes} bytes`)
    yield chunk
  }
}

function toResponse({ status, headers }: TransportAnswer, body: Uint8Array<ArrayBuffer>): Response {
  const hasBody = status !== 204 && status !== 205 && status !== 304
  return new Response(hasBody ? body : null, { status, headers })
}

function refused(url: URL, why: string): FetchError {
  return new FetchError('refused', `${url.href} is not fetched: ${why}`, { hint: NOT_PUBLIC_HINT })
}

function parseUrl(target: string, base?: URL): URL {
  if (!URL.canParse(target, base)) throw new FetchError('refused', `Not a URL: ${target}`)
  return new URL(target, base)
}
