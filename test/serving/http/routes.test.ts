import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkBearer } from '../../../runtime/core/bearer.ts'
import { XrpcError } from '../../../runtime/core/errors.ts'
import type { Route } from '../../../runtime/core/route.ts'
import { createRouter, type Router } from '../../../runtime/index.ts'
import { type Serving, serve } from '../../../runtime/node/index.ts'
import { type Served, serveApp } from '../support/index.ts'
import { library } from '../support/library.ts'

let served: Served
let router: Router
let serving: Serving
const errors: unknown[][] = []

const routes: readonly Route[] = [
  {
    method: 'POST',
    path: '/xrpc/test.lib.echo',
    answer: async ({ params, headers, body }) => {
      if (headers.get('authorization') === 'no') throw new XrpcError(401, 'AuthRequired', 'No.')
      return { status: 202, body: { params: [...params], text: await body() }, headers: { 'x-echo': 'yes' } }
    },
  },
  { method: 'GET', path: '/xrpc/test.lib.echo', answer: async () => ({ status: 200, body: 'got' }) },
  {
    method: 'GET',
    path: '/xrpc/test.lib.echo/{id}/errors',
    answer: async ({ params }) => ({ status: 200, body: params.get('id') }),
  },
  {
    method: 'POST',
    path: '/xrpc/test.lib.broken',
    answer: async () => {
      throw new TypeError('a mistake')
    },
  },
]

beforeEach(async () => {
  served = serveApp(library)
  errors.length = 0
  const logger = { log: () => {}, warn: () => {}, error: (...args: unknown[]) => errors.push(args) }
  router = createRouter({ app: library, store: served.store, routes, logger })
  serving = await serve(router, { port: 0 })
})
afterEach(async () => {
  await serving.close()
  served.close()
})

/** Both ways to the same router. */
const ways: readonly [string, (path: string, init?: RequestInit) => Promise<Response>][] = [
  ['over HTTP', (path, init) => fetch(serving.url + path, init)],
  ['by fetch', (path, init) => router.fetch(new Request(`http://localhost${path}`, init))],
]

describe.each(ways)('%s', (_way, send) => {
  test('a route gets its query and body, and answers as it likes', async () => {
    const response = await send('/xrpc/test.lib.echo?a=1&a=2', { method: 'POST', body: 'Grüße 𝄞' })
    expect(response.status).toBe(202)
    expect(response.headers.get('x-echo')).toBe('yes')
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    const params = [
      ['a', '1'],
      ['a', '2'],
    ]
    expect(await response.json()).toEqual({ params, text: 'Grüße 𝄞' })
    expect(await (await send('/xrpc/test.lib.echo', { method: 'POST' })).json()).toEqual({ params: [], text: '' })
  })

  test('one path has a route per method', async () => {
    expect(await (await send('/xrpc/test.lib.echo')).json()).toBe('got')
    expect((await send('/xrpc/test.lib.echo', { method: 'HEAD' })).status).toBe(200)
    const refused = await send('/xrpc/test.lib.echo', { method: 'DELETE' })
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'POST, GET, HEAD, OPTIONS'])
    const preflight = await send('/xrpc/test.lib.broken', { method: 'OPTIONS' })
    expect(preflight.headers.get('access-control-allow-methods')).toBe('POST, OPTIONS')
  })

  test('a segment of the path may stand for any one', async () => {
    expect(await (await send('/xrpc/test.lib.echo/4%2F2/errors?id=7')).json()).toBe('4/2')
    expect(await (await send('/xrpc/test.lib.echo/%/errors')).json()).toBe('%')
    for (const path of ['/xrpc/test.lib.echo/42', '/xrpc/test.lib.echo//errors', '/xrpc/test.lib.echo/1/2/errors']) {
      expect((await send(path)).status).toBe(404)
    }
  })

  test('bodies up to 64 kB are read, longer ones refused', async () => {
    const post = (body: string, headers = {}) => send('/xrpc/test.lib.echo', { method: 'POST', body, headers })
    expect((await post('x'.repeat(65_536))).status).toBe(202)
    const refused = await post('x'.repeat(65_537))
    expect([refused.status, await refused.json()]).toEqual([
      413,
      { error: 'PayloadTooLarge', message: 'The body is longer than 65536 bytes.' },
    ])
    // And the connection is good for the next.
    expect((await post('x'.repeat(500_000))).status).toBe(413)
    expect((await post('x'.repeat(500_000), { authorization: 'no' })).status).toBe(401)
    expect((await post('next')).status).toBe(202)
  })

  test('a mistake is told to the log, not to the client', async () => {
    const response = await send('/xrpc/test.lib.broken', { method: 'POST' })
    expect([response.status, (await response.json()).error]).toEqual([500, 'InternalServerError'])
    expect(String(errors[0])).toContain('a mistake')
  })
})

test('routes are among what is served', async () => {
  const overview = await (await fetch(`${serving.url}/`)).json()
  expect(overview.endpoints).toEqual(expect.arrayContaining(routes.map(({ path }) => path)))
})

test('a secret is compared as a whole', async () => {
  const check = (value?: string) => checkBearer(new Headers(value ? { authorization: value } : {}), 'sesame')
  expect(await check('Bearer sesame')).toBe('ok')
  expect(await check('bearer  sesame')).toBe('ok')
  for (const value of ['Bearer sesam', 'Bearer sesame!', 'Bearer Sesame']) expect(await check(value)).toBe('wrong')
  for (const value of [undefined, 'sesame', 'Basic sesame', 'Bearer']) expect(await check(value)).toBe('missing')
})
