import fc from 'fast-check'
import { createXrpcClient, XrpcClientError } from 'lexidex/client'
import { describe, expect, it } from 'vitest'
import { encodeParams } from '../../runtime/client/params.ts'
import { reply, serve, thrown } from './server.ts'

const NSID = 'com.example.event.listRecords'

describe('request', () => {
  it('asks for the method below the service and returns its output', async () => {
    const server = await serve(reply(200, { records: [] }))
    expect(await createXrpcClient(server.url).query(NSID)).toEqual({ records: [] })
    expect(server.requests[0]?.url.pathname).toBe(`/xrpc/${NSID}`)
    expect(server.requests[0]?.url.search).toBe('')
    expect(server.requests[0]?.headers.accept).toBe('application/json')
  })

  it.each(['', '/', '/api', '/api/'])('takes a service at the path "%s"', async (path) => {
    const server = await serve(reply(200, {}))
    await createXrpcClient(new URL(server.url + path)).query(NSID)
    expect(server.requests[0]?.url.pathname).toBe(`${path.replace(/\/$/, '')}/xrpc/${NSID}`)
  })

  it.each([
    '',
    'index.example.com',
    '/api',
    'ftp://a.example',
    'https://me:secret@a.example',
    'https://a.example/?x=1',
  ])('refuses the service "%s"', (service) => {
    expect(() => createXrpcClient(service)).toThrow(expect.objectContaining({ name: 'LexidexError' }))
  })

  it('sends through the fetch it is given', async () => {
    const asked: string[] = []
    const client = createXrpcClient('https://a.example', {
      fetch: async (url, init) => {
        const request = new Request(url, init)
        asked.push(`${request.method} ${request.url} ${request.headers.get('accept')}`)
        return Response.json({ ok: true })
      },
    })
    expect(await client.query(NSID, { limit: 1 })).toEqual({ ok: true })
    expect(asked).toEqual([`GET https://a.example/xrpc/${NSID}?limit=1 application/json`])
  })
})

describe('params', () => {
  it('leaves out undefined, repeats arrays, writes booleans, numbers and dates', async () => {
    const server = await serve(reply(200, {}))
    await createXrpcClient(server.url).query(NSID, {
      cursor: undefined,
      mode: ['a b', 'c&d=e', undefined],
      none: [],
      hydrateEvent: true,
      profiles: false,
      limit: 0,
      empty: '',
      startsAtMin: new Date(0),
    })
    expect([...(server.requests[0]?.url.searchParams ?? [])]).toEqual([
      ['mode', 'a b'],
      ['mode', 'c&d=e'],
      ['hydrateEvent', 'true'],
      ['profiles', 'false'],
      ['limit', '0'],
      ['empty', ''],
      ['startsAtMin', '1970-01-01T00:00:00.000Z'],
    ])
  })

  it('carries every name and text', () => {
    const text = fc.string({ unit: 'grapheme' })
    fc.assert(
      fc.property(fc.dictionary(text, fc.oneof(text, fc.array(text))), (params) => {
        const parsed = new URL(`https://a.example/?${encodeParams(params)}`).searchParams
        for (const [name, value] of Object.entries(params)) expect(parsed.getAll(name)).toEqual([value].flat())
      }),
    )
  })

  it.each([[null], [Number.NaN], [Number.POSITIVE_INFINITY], [{}], [[['nested']]], [new Date('never')], [() => 1]])(
    'refuses %s and says which parameter it was',
    async (value) => {
      const error = await thrown(createXrpcClient('https://a.example').query(NSID, { wrong: value }))
      expect(error).toMatchObject({ name: 'LexidexError', message: expect.stringContaining('wrong') })
    },
  )
})

describe('headers', () => {
  it('sends those of the client and those of the call, the latter over the former', async () => {
    const server = await serve(reply(200, {}))
    const client = createXrpcClient(server.url, { headers: { Authorization: 'client', 'x-app': 'calendar' } })
    await client.query(NSID, {}, { headers: { authorization: 'call', accept: 'application/json;v=2' } })
    expect(server.requests[0]?.headers).toMatchObject({
      authorization: 'call',
      'x-app': 'calendar',
      accept: 'application/json;v=2',
    })
  })

  it('makes new ones for every attempt, as a token may be used once', async () => {
    const server = await serve(reply(429, {}, { 'retry-after': '0' }), reply(200, {}))
    let made = 0
    const headers = async (nsid: string) => ({ authorization: `Bearer ${nsid} ${++made}` })
    await createXrpcClient(server.url, { headers }).query(NSID)
    expect(server.requests.map((r) => r.headers.authorization)).toEqual([`Bearer ${NSID} 1`, `Bearer ${NSID} 2`])
  })

  it('asks for a service auth token of every request, for its method and this service', async () => {
    const server = await serve(reply(503, {}, { 'retry-after': '0' }), reply(200, {}))
    const asked: unknown[] = []
    const serviceAuth = async (request: { aud: string; lxm: string }) => `token${asked.push(request)}`
    const client = createXrpcClient(server.url, { serviceAuth })
    await client.query(NSID)
    await client.procedure('com.example.notifyOfUpdate', {})
    await client.query(NSID, {}, { headers: { Authorization: 'Bearer own' } })
    const aud = `did:web:127.0.0.1%3A${new URL(server.url).port}`
    const lxm = 'com.example.notifyOfUpdate'
    expect(asked).toEqual([
      { aud, lxm: NSID },
      { aud, lxm: NSID },
      { aud, lxm },
    ])
    const sent = server.requests.map(({ headers }) => headers.authorization)
    expect(sent).toEqual(['Bearer token1', 'Bearer token2', 'Bearer token3', 'Bearer own'])

    await createXrpcClient(server.url, { serviceAuth, serviceDid: 'did:web:a.example' }).query(NSID)
    expect(asked.at(-1)).toEqual({ aud: 'did:web:a.example', lxm: NSID })
  })

  it('passes on what the function throws, without a request', async () => {
    const server = await serve(reply(200, {}))
    const failure = new Error('logged out')
    const client = createXrpcClient(server.url, { headers: () => Promise.reject(failure) })
    expect(await thrown(client.query(NSID))).toBe(failure)
    expect(server.requests).toEqual([])
  })
})

describe('errors', () => {
  it('carries what the service states', async () => {
    const body = { error: 'RecordNotFound', message: 'There is no such record.' }
    const server = await serve(reply(404, body, { 'x-request': '7' }))
    const error = await thrown(createXrpcClient(server.url).query(NSID))
    expect(error).toBeInstanceOf(XrpcClientError)
    expect(error).toMatchObject({ name: 'XrpcClientError', status: 404, ...body })
    expect((error as XrpcClientError).headers.get('x-request')).toBe('7')
    expect(server.requests).toHaveLength(1)
  })

  it('takes the name for the message where there is none', async () => {
    const server = await serve(reply(401, { error: 'unauthorized' }))
    const error = await thrown(createXrpcClient(server.url).query(NSID))
    expect(error).toMatchObject({ status: 401, error: 'unauthorized', message: 'unauthorized' })
  })

  it.each([
    ['a page', '<h1>Bad\n gateway</h1>', '<h1>Bad gateway</h1>'],
    ['nothing', '', 'HTTP 502 Bad Gateway (text/html)'],
    ['an array', ['error'], '["error"]'],
    ['null', null, 'null'],
    ['other fields', { error: { code: 7 } }, '{"error":{"code":7}}'],
  ])('describes an error whose body is %s', async (_name, body, part) => {
    const server = await serve(reply(502, body))
    const error = await thrown(createXrpcClient(server.url).query(NSID))
    expect(error).toMatchObject({ status: 502, error: 'UnknownError', message: expect.stringContaining(part) })
    expect(error).toMatchObject({ message: expect.stringContaining('HTTP 502') })
  })

  it.each([['<h1>Log in to the network</h1>'], [''], [[1, 2]], [null]])(
    'does not take %j for the output of a method',
    async (body) => {
      const server = await serve(reply(200, body))
      const error = await thrown(createXrpcClient(server.url).query(NSID))
      expect(error).toMatchObject({ name: 'XrpcClientError', status: 200, error: 'InvalidResponse' })
      expect(server.requests).toHaveLength(1)
    },
  )
})
