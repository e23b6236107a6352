import type dns from 'node:dns'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { createGuardedFetch, type GuardedFetchOptions } from '../../runtime/identity/guarded-fetch.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

async function serve(listener: RequestListener): Promise<{ url: string; host: string; port: number; server: Server }> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => server.close().closeAllConnections())
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, host: `127.0.0.1:${port}`, port, server }
}

function guarded(options: GuardedFetchOptions = {}) {
  const fetch = createGuardedFetch(options)
  closers.push(fetch.close)
  return fetch
}

/** Answers every name with the given addresses. */
const resolvesTo = (...addresses: string[]) =>
  ((_name: string, _options: unknown, callback: (error: null, found: dns.LookupAddress[]) => void) => {
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  }) as unknown as typeof dns.lookup

const REFUSED = { name: 'FetchError', kind: 'refused' }

describe('URLs that are refused', () => {
  test.each([
    'http://example.com/',
    'ftp://example.com/',
    'file:///etc/passwd',
    'data:text/plain,hello',
    'not a URL',
    'https://user:secret@example.com/',
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0177.0.0.1/',
    'https://127.1/',
    'https://0/',
    'https://10.0.0.1:8443/',
    'https://169.254.169.254/latest/meta-data/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:7f00:1]/',
    'https://[fd00::1]/',
    'https://[fe80::1]/',
    'https://[64:ff9b::7f00:1]/',
    'https://localhost/',
    'https://127.0.0.1./',
    'https://0.0.0.0/',
    'https://0x7f.0.0.1/',
    'https://017700000001/',
    'https://127%2e0%2e0%2e1/',
    'https://127。0。0。1/',
    'https://ⓛocalhost/',
    'https://[::]/',
    'https://[::127.0.0.1]/',
    'https://[2002:7f00:1::]/',
    'https://[fe80::1%25eth0]/',
    'https://[64:ff9b:1::a00:1]/',
    'https://1.1.1.1:22/',
    'https://1.1.1.1:80/',
    'https://example.com:25/',
    'https://user@example.com/',
    'gopher://example.com/',
  ])('%s', async (url) => {
    await expect(guarded()(url)).rejects.toMatchObject(REFUSED)
  })

  test.each([
    [['127.0.0.1']],
    [['10.0.0.7']],
    [['::1']],
    [['::ffff:192.168.0.1']],
    [['93.184.216.34', '127.0.0.1']],
    [['2606:4700::1111', 'fd00::1']],
    [[]],
  ])('a name that leads to %j', async (addresses) => {
    const fetch = guarded({ lookup: resolvesTo(...addresses) })
    await expect(fetch('https://pds.example.com/')).rejects.toMatchObject(REFUSED)
  })

  test('a name that leads elsewhere each time: every connection is looked at', async () => {
    const answers = [['10.0.0.7'], ['127.0.0.1']]
    const looked: string[] = []
    const lookup = ((name: string, options: unknown, callback: () => void) => {
      looked.push(name)
      resolvesTo(...answers.shift()!)(name, options as dns.LookupAllOptions, callback)
    }) as unknown as typeof dns.lookup
    const fetch = guarded({ lookup })
    await expect(fetch('https://rebinding.example.com/')).rejects.toMatchObject(REFUSED)
    await expect(fetch('https://rebinding.example.com/')).rejects.toMatchObject(REFUSED)
    expect(looked).toEqual(['rebinding.example.com', 'rebinding.example.com'])
  })

  test('an open door to a host is none to what its name leads to otherwise', async () => {
    const { port } = await serve((_request, response) => response.end('secret'))
    const fetch = guarded({ allowHosts: [`127.0.0.1:${port}`], lookup: resolvesTo('127.0.0.1') })
    await expect(fetch(`https://elsewhere.example.com:${port}/`)).rejects.toMatchObject(REFUSED)
    await expect(fetch(`https://127.0.0.1:${port + 1}/`)).rejects.toMatchObject(REFUSED)
  })

  test('a name with a dot at its end', async () => {
    const fetch = guarded({ allowHosts: ['pds.internal'], lookup: resolvesTo('127.0.0.1') })
    await expect(fetch('https://localhost./')).rejects.toMatchObject(REFUSED)
    await expect(fetch('https://pds.internal./')).rejects.toMatchObject(REFUSED)
  })

  test('says what to do about a host of our own', async () => {
    const fetch = guarded({ lookup: resolvesTo('10.0.0.7') })
    await expect(fetch('https://pds.internal/')).rejects.toMatchObject({ hint: expect.stringContaining('allowHosts') })
  })
})

describe('allowHosts', () => {
  test('lets a host pass at one port, over http', async () => {
    const { url, host } = await serve((_request, response) => response.end('{"ok":true}'))
    const response = await guarded({ allowHosts: [host] })(`${url}/path`)
    expect([response.status, await response.json()]).toEqual([200, { ok: true }])
    await expect(guarded({ allowHosts: ['127.0.0.1:1'] })(url)).rejects.toMatchObject(REFUSED)
  })

  test('lets a host pass at every port', async () => {
    const { url } = await serve((_request, response) => response.end('hello'))
    expect(await (await guarded({ allowHosts: ['127.0.0.1'] })(url)).text()).toBe('hello')
  })

  test('lets a name pass wherever it leads', async () => {
    const { port } = await serve((request, response) => response.end(request.headers.host))
    const fetch = guarded({ allowHosts: ['pds.internal'], lookup: resolvesTo('127.0.0.1') })
    expect(await (await fetch(`http://pds.internal:${port}/`)).text()).toBe(`pds.internal:${port}`)
  })

  test('is no door to other hosts', async () => {
    const inner = await serve((_request, response) => response.end('secret'))
    const outer = await serve((_request, response) => {
      response.writeHead(302, { location: inner.url }).end()
    })
    await expect(guarded({ allowHosts: [outer.host] })(outer.url)).rejects.toMatchObject(REFUSED)
  })

  test.each(['', 'https://pds.example', 'a/b', 'user@host', 'bad host'])('refuses the entry %j', (entry) => {
    expect(() => guarded({ allowHosts: [entry] })).toThrow('Not a host')
  })
})

describe('redirects', () => {
  test('are followed, five at most', async () => {
    const { url, host } = await serve((request, response) => {
      const left = Number(request.url!.slice(1))
      if (left === 0) response.end('there')
      else response.writeHead(302, { location: `/${left - 1}` }).end()
    })
    const fetch = guarded({ allowHosts: [host] })
    expect(await (await fetch(`${url}/5`)).text()).toBe('there')
    await expect(fetch(`${url}/6`)).rejects.toMatchObject(REFUSED)
  })

  test.each([
    'https://a:b@example.com/',
    'https://example.com:22/',
    'https://2130706433/',
    'https://127.0.0.1:9/',
    'http://example.com/',
    'file:///etc/passwd',
    'https://[::1]/',
    '//10.0.0.1/',
  ])('to %s are refused', async (location) => {
    const { url, host } = await serve((_request, response) => {
      response.writeHead(307, { location }).end()
    })
    await expect(guarded({ allowHosts: [host] })(url)).rejects.toMatchObject(REFUSED)
  })
})

describe('limits', () => {
  test('a body that is too large', async () => {
    const { url, host } = await serve((_request, response) => response.end('x'.repeat(5000)))
    const fetch = guarded({ allowHosts: [host], maxBytes: 4999 })
    await expect(fetch(url)).rejects.toMatchObject({ kind: 'too-large' })
    expect((await (await guarded({ allowHosts: [host], maxBytes: 5000 })(url)).text()).length).toBe(5000)
  })

  test('an answer that does not come', async () => {
    const { url, host } = await serve(() => {})
    await expect(guarded({ allowHosts: [host], timeoutMs: 50 })(url)).rejects.toMatchObject({ kind: 'timeout' })
  })

  test('a body that does not end', async () => {
    const { url, host } = await serve((_request, response) => {
      response.write('drop')
      const timer = setInterval(() => response.write('drop'), 10)
      response.on('close', () => clearInterval(timer))
    })
    await expect(guarded({ allowHosts: [host], timeoutMs: 100 })(url)).rejects.toMatchObject({ kind: 'timeout' })
  })

  test('a connection that is cut', async () => {
    const { url, host } = await serve((request) => request.socket.destroy())
    await expect(guarded({ allowHosts: [host] })(url)).rejects.toMatchObject({ kind: 'network' })
  })

  test('a body that is cut short', async () => {
    const { url, host } = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('half')
      setTimeout(() => response.destroy(), 20)
    })
    await expect(guarded({ allowHosts: [host] })(url)).rejects.toMatchObject({ kind: 'network' })
  })

  test('a body that unpacks to a flood stays packed', async () => {
    const packed = gzipSync('x'.repeat(10_000_000))
    const { url, host } = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed)
    })
    const response = await guarded({ allowHosts: [host], maxBytes: packed.length })(url)
    expect((await response.arrayBuffer()).byteLength).toBe(packed.length)
  })

  test('headers without end', async () => {
    const { url, host } = await serve((_request, response) => {
      response.writeHead(200, { 'x-flood': 'x'.repeat(200_000) }).end()
    })
    await expect(guarded({ allowHosts: [host] })(url)).rejects.toMatchObject({ kind: 'network' })
  })

  test('redirects that take their time count as one request', async () => {
    const { url, host } = await serve((_request, response) => {
      setTimeout(() => response.writeHead(302, { location: '/' }).end(), 60)
    })
    await expect(guarded({ allowHosts: [host], timeoutMs: 100 })(url)).rejects.toMatchObject({ kind: 'timeout' })
  })

  test('a signal', async () => {
    const { url, host } = await serve(() => {})
    const abort = new AbortController()
    const answer = guarded({ allowHosts: [host] })(url, { signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(answer).rejects.toThrow('enough')
  })
})

test('errors of the host are answers', async () => {
  const { url, host } = await serve((_request, response) => {
    response.writeHead(503, { 'retry-after': '7' }).end('busy')
  })
  const response = await guarded({ allowHosts: [host] })(url)
  expect([response.status, response.headers.get('retry-after'), await response.text()]).toEqual([503, '7', 'busy'])
})

test('a connection that the host closes as it is used again is replaced', async () => {
  let connections = 0
  const { url, host, server } = await serve((request, response) => {
    const { socket } = request as { socket: { used?: boolean; destroy(): void } }
    if (socket.used) socket.destroy()
    else response.end('hello')
    socket.used = true
  })
  server.on('connection', () => connections++)
  const fetch = guarded({ allowHosts: [host] })
  for (let i = 0; i < 3; i++) expect(await (await fetch(url)).text()).toBe('hello')
  expect(connections).toBe(3)
})
