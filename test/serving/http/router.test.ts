import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createRouter } from '../../../runtime/index.ts'
import { NOT_FOLLOWING } from '../../../runtime/operations/live/liveness.ts'
import { insert, type Served, send as sendTo, serveApp } from '../support/index.ts'
import { book, library } from '../support/library.ts'

let served: Served
beforeEach(() => {
  served = serveApp(library)
})
afterEach(() => served.close())

const send = (method: string, url: string) => sendTo(served.router, method, url)

describe('getRecord', () => {
  const uri = 'at://did:plc:alice/test.library.book/one'

  test('the record, as a list gives it', async () => {
    insert(served.store, book, { rkey: 'one', record: { title: 'One' } })
    const record = await served.call('book.getRecord', { uri })
    expect(record).toEqual({
      uri,
      cid: 'bafyone',
      value: { title: 'One' },
      did: 'did:plc:alice',
      collection: 'test.library.book',
      rkey: 'one',
      time_us: expect.any(Number),
    })
    expect((await served.call('book.listRecords')).records).toEqual([record])
  })

  test('404 where it is unknown or hidden', async () => {
    insert(served.store, book, { rkey: 'hidden', hidden: true })
    for (const rkey of ['one', 'hidden']) {
      const params = { uri: `at://did:plc:alice/test.library.book/${rkey}` }
      expect(await served.fail('book.getRecord', params)).toEqual({
        status: 404,
        error: 'RecordNotFound',
        message: 'Record not found',
      })
    }
  })

  test('400 where it is of another collection', async () => {
    const params = { uri: 'at://did:plc:alice/test.library.review/one' }
    expect(await served.fail('book.getRecord', params)).toEqual({
      status: 400,
      error: 'InvalidRequest',
      message: 'Parameter "uri" must be of collection test.library.book, not test.library.review.',
    })
  })
})

test('a handle stands for its account; one that is not known is a 400', async () => {
  const { database } = served.store
  database.exec("INSERT INTO lexidex_account (did, handle, first_seen_at) VALUES ('did:plc:alice', 'alice.test', 0)")
  insert(served.store, book, { rkey: 'one' })
  insert(served.store, book, { rkey: 'two', did: 'did:plc:bob' })
  for (const params of [{ actor: 'alice.test' }, { did: 'Alice.Test' }, { actor: 'did:plc:alice' }]) {
    const { records } = await served.call('book.listRecords', params)
    expect(records.map((record: any) => record.rkey)).toEqual(['one'])
  }
  const one = await served.call('book.getRecord', { uri: 'at://alice.test/test.library.book/one' })
  expect(one.uri).toBe('at://did:plc:alice/test.library.book/one')
  const unknown = { status: 400, error: 'InvalidRequest', message: 'Could not resolve actor' }
  expect(await served.fail('book.listRecords', { actor: 'bob.test' })).toEqual(unknown)
  expect(await served.fail('book.getRecord', { uri: 'at://bob.test/test.library.book/two' })).toEqual(unknown)
  expect(await served.call('book.listRecords', { actor: 'did:plc:nobody' })).toEqual({ records: [] })
})

test('health, lexicons and what is served', async () => {
  for (const path of ['/health', '/xrpc/_health']) {
    expect(await served.get(path)).toMatchObject({ status: 200, body: '{"status":"ok"}' })
  }
  expect(await served.call('lexicons')).toEqual({ lexicons: library.lexicons })
  const { endpoints, ...rest } = JSON.parse((await served.get('/')).body)
  expect(rest).toEqual({ status: 'ok', namespace: 'test.lib' })
  for (const endpoint of endpoints) expect((await served.get(endpoint)).status).not.toBe(404)
  expect(endpoints).toContain('/xrpc/test.lib.book.listRecords')
})

describe('getCursor', () => {
  const put = (source: string, cursor: string, updatedAt: number) =>
    served.store.database
      .prepare('INSERT INTO lexidex_cursor (source, epoch, cursor, updated_at) VALUES (?, ?, ?, ?)')
      .run(source, 'e', cursor, updatedAt)

  test('null before anything was read', async () => {
    expect(await served.call('getCursor')).toEqual({ cursor: null })
    put('other', 'opaque', 1)
    expect(await served.call('getCursor')).toEqual({ cursor: null })
  })

  test('the time of the source that moved last', async () => {
    put('old', '1700000000000000', 1)
    put('jetstream', '1767225600000001', 2)
    put('other', 'opaque', 3)
    const cursor = await served.call('getCursor')
    expect(cursor).toEqual({
      time_us: 1767225600000001,
      date: '2026-01-01T00:00:00.000Z',
      seconds_ago: expect.any(Number),
    })
    expect(cursor.seconds_ago).toBe(Math.round(cursor.seconds_ago))
  })
})

describe('status', () => {
  test('counts records, accounts, jobs and refusals', async () => {
    const { database } = served.store
    insert(served.store, book, { rkey: 'one' })
    insert(served.store, book, { rkey: 'two', hidden: true })
    database.exec(`INSERT INTO lexidex_account (did, first_seen_at) VALUES ('did:plc:alice', 0);
      INSERT INTO lexidex_job (did, collection, status, updated_at) VALUES
        ('did:plc:alice', 'a', 'pending', 0), ('did:plc:alice', 'b', 'completed', 0), ('did:plc:alice', 'c', 'completed', 0);
      INSERT INTO lexidex_quarantine VALUES ('at://x', 'a', 'did:plc:alice', 'rev', 'cid', 'reason', '{}', 0)`)
    expect(JSON.parse((await served.get('/status')).body)).toEqual({
      status: 'ok',
      collections: [
        { name: 'book', nsid: 'test.library.book', records: 2 },
        { name: 'person', nsid: 'test.library.person', records: 0 },
        { name: 'review', nsid: 'test.library.review', records: 0 },
      ],
      accounts: 1,
      jobs: { pending: 1, completed: 2, failed: 0 },
      quarantined: 1,
      cursor: null,
    })
  })

  test('counts are taken anew only after some seconds, however many ask', async () => {
    let now = Date.UTC(2026, 0, 1)
    const router = createRouter({
      app: library,
      store: served.store,
      clock: { now: () => now, nowUs: () => now * 1000 },
      state: () => ({ ...NOT_FOLLOWING, state: 'live', connected: true, lastEventAt: now }),
    })
    const status = async () => JSON.parse((await sendTo(router, 'GET', '/status')).body)
    expect(await status()).toMatchObject({
      collections: [{ records: 0 }, {}, {}],
      live: { state: 'live', connected: true, lastEventAt: now },
    })
    insert(served.store, book, { rkey: 'one' })
    now += 4000
    expect((await status()).collections[0].records).toBe(0)
    now += 2000
    expect((await status()).collections[0].records).toBe(1)
  })
})

test('status says what is known besides, and does not ask for it each time', async () => {
  let now = Date.UTC(2026, 0, 1)
  let asked = 0
  const router = createRouter({
    app: library,
    store: served.store,
    clock: { now: () => now, nowUs: () => now * 1000 },
    status: async () => ({ discovery: [], asked: ++asked }),
  })
  const status = async () => JSON.parse((await sendTo(router, 'GET', '/status')).body)
  expect(await status()).toMatchObject({ status: 'ok', accounts: 0, discovery: [], asked: 1 })
  expect((await status()).asked).toBe(1)
  now += 6000
  expect((await status()).asked).toBe(2)
})

describe('HTTP', () => {
  test('every answer may be read by any site', async () => {
    for (const url of ['/health', '/nowhere', '/xrpc/test.lib.book.listRecords?x']) {
      const { headers } = await send('GET', url)
      expect(headers).toMatchObject({
        'access-control-allow-origin': '*',
        'content-type': 'application/json; charset=utf-8',
        'access-control-expose-headers': 'retry-after, ratelimit-reset, etag',
      })
    }
  })

  test('OPTIONS answers a preflight', async () => {
    expect(await send('OPTIONS', '/xrpc/test.lib.book.listRecords')).toEqual({
      status: 204,
      headers: expect.objectContaining({
        'access-control-allow-origin': '*',
        'access-control-allow-methods': 'GET, HEAD, OPTIONS',
        'access-control-allow-headers': 'authorization, *',
      }),
      body: '',
    })
  })

  test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'BREW'])('%s is not allowed', async (method) => {
    const { status, headers, body } = await send(method, '/xrpc/test.lib.book.listRecords')
    expect([status, headers.allow, JSON.parse(body).error]).toEqual([405, 'GET, HEAD, OPTIONS', 'MethodNotAllowed'])
  })

  test.each([
    ['/xrpc/test.lib.book.nothing', 'MethodNotFound'],
    ['/xrpc/', 'MethodNotFound'],
    ['/xrpc/test.lib.book.listRecords/', 'MethodNotFound'],
    ['/nowhere', 'NotFound'],
    ['', 'NotFound'],
    ['*', 'NotFound'],
    ['/__proto__', 'NotFound'],
  ])('%s is not there', async (url, error) => {
    for (const method of ['GET', 'POST', 'OPTIONS']) {
      const { status, body } = await send(method, url)
      expect([status, JSON.parse(body)]).toEqual([404, { error, message: expect.stringContaining('GET / lists') }])
    }
  })

  test('a URL beyond measure is refused', async () => {
    const { status, body } = await send('GET', `/xrpc/test.lib.book.listRecords?genre=${'x'.repeat(8192)}`)
    expect([status, JSON.parse(body).error]).toEqual([414, 'UriTooLong'])
  })

  test('an error of ours is told to the log, not to the client', async () => {
    served.store.database.exec('DROP TABLE book_search')
    const { status, body } = await send('GET', '/xrpc/test.lib.book.listRecords?search=red')
    expect([status, JSON.parse(body)]).toEqual([
      500,
      { error: 'InternalServerError', message: 'Something went wrong on the server.' },
    ])
    expect(String(served.errors[0])).toMatch(/GET .*search=red failed.*no such table: book_search/)
  })

  test('a database that cannot be used for the moment is no error of ours: clients ask again', async () => {
    served.store.database.exec('DROP TABLE book_search')
    vi.spyOn(served.store, 'isTransient').mockReturnValue(true)
    const { status, body } = await send('GET', '/xrpc/test.lib.book.listRecords?search=red')
    expect([status, JSON.parse(body).error]).toEqual([503, 'DatabaseUnavailable'])
    expect(served.errors).toHaveLength(1)
  })

  test('whatever the method and path, it is answered', async () => {
    const path = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.webPath(),
      fc.constantFrom('/xrpc/test.lib.book.listRecords?', '/xrpc/test.lib.book.getRecord?uri=at://', '/status?'),
    )
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('GET', 'HEAD', 'POST', 'OPTIONS', ''), path, path, async (method, a, b) => {
        const { status, body } = await send(method, a + b)
        expect([200, 204, 400, 404, 405, 414]).toContain(status)
        if (status !== 204) JSON.parse(body)
      }),
      { numRuns: 500 },
    )
    expect(served.errors).toEqual([])
  })
})

describe('fetch', () => {
  test('answers as handle does', async () => {
    insert(served.store, book, { rkey: 'one', record: { title: '東京' } })
    const url = 'http://localhost:1/xrpc/test.lib.book.listRecords?limit=1'
    const response = await served.router.fetch(new Request(url))
    expect(response.status).toBe(200)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(await response.json()).toEqual(await served.call('book.listRecords', { limit: 1 }))
  })

  test('without a body where there is none', async () => {
    const head = await served.router.fetch(new Request('http://localhost/health', { method: 'HEAD' }))
    expect([head.status, await head.text()]).toEqual([200, ''])
    const preflight = await served.router.fetch(new Request('http://localhost/health', { method: 'OPTIONS' }))
    expect([preflight.status, await preflight.text()]).toEqual([204, ''])
  })
})
