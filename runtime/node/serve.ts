import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { LexidexError, messageOf } from '../core/errors.ts'
import { isBodiless, type ServedRequest } from '../serving/http/messages.ts'
import type { Router } from '../serving/router.ts'

export interface ServeOptions {
  /** Default 3000; 0 takes any that is free. */
  readonly port?: number
  /** Address to listen on. Default 127.0.0.1: this machine only. 0.0.0.0 is every IPv4 address. */
  readonly host?: string
  /** Closes the server. */
  readonly signal?: AbortSignal
}

/** A server that listens. */
export interface Serving {
  /** Where, without a slash at the end. */
  readonly url: string
  /** Lets requests that are under way finish, for 5 s at most. Resolves when no connection is left. */
  close(): Promise<void>
}

const CLOSE_TIMEOUT_MS = 5000

/**
 * Serves an indexer, or a router of one, over HTTP.
 *
 * @example
 * const { url, close } = await serve(indexer, { port: 3000 })
 *
 * @throws LexidexError where the port cannot be taken
 */
export async function serve(service: Pick<Router, 'handle'>, options: ServeOptions = {}): Promise<Serving> {
  const { port = 3000, host = '127.0.0.1', signal } = options
  let closing: Promise<void> | null = null
  const underWay = new Set<ServerResponse>()
  // One function for all responses: `this` is the one that closes.
  function ended(this: ServerResponse): void {
    underWay.delete(this)
    if (closing !== null && underWay.size === 0) server.closeAllConnections()
  }
  const server = createServer((request, response) => {
    underWay.add(response)
    response.on('close', ended)
    answer(service, request, response, () => closing !== null).catch((error) => response.destroy(error))
  })
  // Longer than the idle time of common proxies, which else reuse a connection that is just being closed.
  server.keepAliveTimeout = 65_000
  await listen(server, port, host)

  const { address, family, port: bound } = server.address() as AddressInfo
  const close = () => {
    closing ??= closeServer(server, underWay)
    return closing
  }
  if (signal?.aborted) await close()
  else signal?.addEventListener('abort', close, { once: true })
  return { url: `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`, close }
}

/** Straight from Node's request: building Fetch API objects costs as much as a small query. */
class NodeRequest implements ServedRequest {
  readonly method: string
  readonly url: string
  readonly headers: ServedRequest['headers']
  readonly #request: IncomingMessage
  #isBodyRead = false

  constructor(request: IncomingMessage) {
    this.method = request.method!
    this.url = request.url!
    this.headers = { get: (name) => request.headers[name.toLowerCase()]?.toString() }
    this.#request = request
  }

  /** A body that is too long is left unread, and its sender answered all the same. */
  get body(): AsyncIterable<Uint8Array> {
    this.#isBodyRead = true
    return this.#request.iterator({ destroyOnReturn: false })
  }

  /** What is left of a body must not stay in the connection. Node itself sees to one that was not begun. */
  leaveRest(): void {
    if (this.#isBodyRead) this.#request.resume()
  }
}

async function answer(
  service: Pick<Router, 'handle'>,
  request: IncomingMessage,
  response: ServerResponse,
  isClosing: () => boolean,
): Promise<void> {
  const asked = new NodeRequest(request)
  const { status, headers, body } = await service.handle(asked)
  asked.leaveRest()
  if (isClosing()) response.setHeader('connection', 'close')
  const length = { 'content-length': Buffer.byteLength(body) }
  response.writeHead(status, isBodiless(status) ? headers : { ...headers, ...length })
  // Node leaves the body out where the method is HEAD.
  response.end(body)
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(cannotListen(port, host, cause)))
    server.listen(port, host, () => {
      server.removeAllListeners('error')
      resolve()
    })
  })
}

function cannotListen(port: number, host: string, cause: NodeJS.ErrnoException): LexidexError {
  const hints: Record<string, string> = {
    EADDRINUSE: 'Another process listens there: stop it, or choose another `port`.',
    EACCES: 'Ports below 1024 need special rights: choose a higher `port`.',
    EADDRNOTAVAIL: 'This machine does not have that address: choose another `host`.',
    ENOTFOUND: 'The name of the `host` is not known: give an address.',
  }
  const hint = hints[cause.code ?? '']
  return new LexidexError(`Cannot listen on ${host}:${port}: ${messageOf(cause)}`, {
    cause,
    ...(hint === undefined ? {} : { hint }),
  })
}

function closeServer(server: Server, underWay: ReadonlySet<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), CLOSE_TIMEOUT_MS)
    server.close(() => {
      clearTimeout(force)
      resolve()
    })
    // Node does not count a connection as idle that has not sent anything yet.
    if (underWay.size === 0) server.closeAllConnections()
    else server.closeIdleConnections()
  })
}
