import dns from 'node:dns'
import http from 'node:http'
import https from 'node:https'
import type { LookupFunction } from 'node:net'
import { isPublicAddress, NOT_PUBLIC_HINT } from '../../core/addresses.ts'
import { FetchError } from '../../core/http.ts'
import type { Transport, TransportAnswer, TransportOptions } from '../../core/platform.ts'

/**
 * By `node:http`. The address is checked where the connection is made, so a name cannot point elsewhere after it was
 * looked at.
 */
export function createTransport({ lookup = dns.lookup }: TransportOptions = {}): Transport {
  const keep = { keepAlive: true, maxFreeSockets: 64 }
  // A socket in a pool was checked when it was connected, so the pools must not mix.
  const open = { http: new http.Agent({ ...keep, lookup }), https: new https.Agent({ ...keep, lookup }) }
  const guarded = new https.Agent({ ...keep, lookup: guardedLookup(lookup) })
  return {
    async get(url, { headers, signal, isPublicOnly }) {
      const agent = isPublicOnly ? guarded : url.protocol === 'https:' ? open.https : open.http
      return toAnswer(await get(url, { agent, signal, headers }))
    },
    close() {
      for (const agent of [open.http, open.https, guarded]) agent.destroy()
    },
  }
}

function get(url: URL, options: http.RequestOptions): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    let isAnswered = false
    const request = (url.protocol === 'https:' ? https : http).get(url, options, (message) => {
      isAnswered = true
      // Whoever reads the body is told of its errors; until someone does they must not end the process.
      message.on('error', () => {})
      resolve(message)
    })
    request.on('error', (error: NodeJS.ErrnoException) => {
      // As when the host closes an idle connection just as it is used again: a new one is never "reused".
      if (request.reusedSocket && error.code === 'ECONNRESET' && !isAnswered) get(url, options).then(resolve, reject)
      else reject(error)
    })
  })
}

function toAnswer(message: http.IncomingMessage): TransportAnswer {
  return {
    status: message.statusCode ?? 500,
    headers: headersOf(message),
    body: message as AsyncIterable<Uint8Array>,
    discard: () => void message.destroy(),
  }
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
        return callback(new FetchError('refused', `${hostname} has ${what}`, { hint: NOT_PUBLIC_HINT }), '')
      }
      if (options.all) return callback(null, addresses)
      callback(null, addresses[0]!.address, addresses[0]!.family)
    })
  }
}
