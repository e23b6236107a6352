import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { defineListQuery, defineQuery } from '../../../generator/index.ts'
import { type App, defineCustomQuery, defineNarrowedList, XrpcError, z } from '../../../runtime/index.ts'
import { insert, type Served, START_US, serveApp, walk } from '../support/index.ts'
import { book, library, listBooks, review } from '../support/library.ts'

const nsid = (name: string) => `test.lib.book.${name}`
const custom = (name: string, query: Parameters<typeof defineCustomQuery>[0]['query']) =>
  defineCustomQuery({ nsid: nsid(name), collection: book, query })
const narrowed = (name: string, query: Parameters<typeof defineNarrowedList>[0]['query']) =>
  defineNarrowedList({ nsid: nsid(name), list: listBooks, query })

const app: App = {
  ...library,
  methods: [
    ...library.methods,
    custom(
      'typed',
      defineQuery<any>()({
        params: z.object({
          ratio: z.number().optional(),
          most: z.number().int().max(10).default(3),
          lent: z.boolean().optional(),
          genre: z.array(z.string()).optional(),
          mood: z.enum(['good', 'bad']).optional(),
        }),
        handler: ({ params }) => ({ params }),
      }),
    ),
    custom('raw', ({ params, headers }) => ({ params, agent: headers.get('user-agent') })),
    custom('rows', async ({ db }) => ({
      rows: await db.selectFrom('book').select(['rkey']).orderBy('rkey').execute(),
    })),
    custom(
      'page',
      async () => new Response('<p>é</p>', { status: 201, headers: { 'content-type': 'text/html', 'x-own': '1' } }),
    ),
    custom('nothing', () => undefined),
    custom('refuse', () => {
      throw new XrpcError(403, 'Forbidden', 'Not for you')
    }),
    custom('alike', async () => {
      throw Object.assign(new Error('Slow down'), { status: 429, error: 'RateLimitExceeded' })
    }),
    custom('broken', async () => {
      throw Object.assign(new Error('secret detail'), { status: 502, error: 'UpstreamFailure' })
    }),
    narrowed(
      'long',
      defineListQuery<any, 'book'>()({
        params: z.object({ least: z.number().int() }),
        handler:
          ({ params }) =>
          (books) =>
            books.where('pages', '>=', params.least),
      }),
    ),
    narrowed('reviewed', async () => (books) => books.innerJoin('review', 'review.subject_uri', 'book.uri')),
    narrowed(
      'half',
      ({ params }) =>
        (books) =>
          books.where((eb) => eb.or([eb('genre', '=', String(params.half)), eb('book.year', '=', 1999)])),
    ),
    narrowed('all', () => (books) => books),
    narrowed('none', () => {
      throw new XrpcError(400, 'InvalidRequest', 'Say which')
    }),
  ],
}

let served: Served
beforeEach(() => {
  served = serveApp(app)
})
afterEach(() => served.close())

describe('a query of the config', () => {
  test('has its parameters by their types', async () => {
    expect(await served.call('book.typed')).toEqual({ params: { most: 3 } })
    expect(
      await served.call('book.typed', { ratio: '-.5', most: 10, lent: 1, genre: ['novel', '1'], mood: 'bad' }),
    ).toEqual({ params: { ratio: -0.5, most: 10, lent: true, genre: ['novel', '1'], mood: 'bad' } })
    expect(await served.call('book.typed', { genre: 'novel', lent: 'false' })).toMatchObject({
      params: { genre: ['novel'], lent: false },
    })
  })

  test.each([
    [{ most: 'many' }, /^Parameter "most": .*number/],
    [{ most: 11 }, /^Parameter "most": .*10/],
    [{ genre: ['a', 'b\0'] }, /"genre" holds a NUL/],
    [{ most: [1, 2] }, /"most" may be given only once/],
    [{ lent: 'maybe' }, /^Parameter "lent"/],
    [{ mood: 'fair' }, /^Parameter "mood"/],
    [{ mots: 1 }, /no parameter "mots"\. Valid parameters: ratio, most, lent, genre, mood/],
  ])('refuses %o', async (params, message) => {
    expect(await served.fail('book.typed', params)).toMatchObject({
      status: 400,
      error: 'InvalidRequest',
      message: expect.stringMatching(message),
    })
  })

  test('without a schema has them as they came', async () => {
    expect(await served.call('book.raw', { a: '1', b: ['x', 'y'] })).toEqual({
      params: { a: '1', b: ['x', 'y'] },
      agent: null,
    })
  })

  test('reads the tables', async () => {
    for (const rkey of ['b', 'a']) insert(served.store, book, { rkey })
    expect(await served.call('book.rows')).toEqual({ rows: [{ rkey: 'a' }, { rkey: 'b' }] })
  })

  test('may give a response of its own, or nothing', async () => {
    const { status, headers, body } = await served.get(`/xrpc/${nsid('page')}`)
    expect([status, headers['content-type'], headers['x-own'], body]).toEqual([201, 'text/html', '1', '<p>é</p>'])
    expect(headers['access-control-allow-origin']).toBe('*')
    expect((await served.get(`/xrpc/${nsid('nothing')}`)).body).toBe('null')
  })

  test('may refuse a request; what else goes wrong is logged and not told', async () => {
    expect(await served.fail('book.refuse')).toEqual({ status: 403, error: 'Forbidden', message: 'Not for you' })
    expect(await served.fail('book.alike')).toEqual({
      status: 429,
      error: 'RateLimitExceeded',
      message: 'Slow down',
    })
    expect(served.errors).toEqual([])
    expect(await served.fail('book.broken')).toMatchObject({ status: 500, error: 'InternalServerError' })
    expect(served.errors).toHaveLength(1)
  })

  test('that the config has lost is told at once', () => {
    expect(() => custom('gone', undefined)).toThrow('The config has no query for test.lib.book.gone')
  })
})

describe('a list of the config', () => {
  const rkeys = (records: any[]) => records.map(({ rkey }) => rkey)
  beforeEach(() => {
    for (let i = 0; i < 20; i++) {
      const columns = { pages: i * 10, genre: i % 2 ? 'novel' : 'poem', year: i === 4 ? 1999 : 2000, title: `t${i}` }
      const uri = insert(served.store, book, {
        rkey: `b${i}`,
        sortAt: START_US + i,
        columns,
        record: { title: `t${i}` },
      })
      if (i < 3)
        for (const r of ['x', 'y']) insert(served.store, review, { rkey: `${r}${i}`, columns: { subject_uri: uri } })
    }
  })

  test('is narrowed, and takes all that listRecords does', async () => {
    expect(rkeys((await served.call('book.long', { least: 170 })).records)).toEqual(['b19', 'b18', 'b17'])
    const params = { least: 100, genre: ['novel', 'none'], sort: 'pages', order: 'asc', limit: 2 }
    expect((await walk(served, 'book.long', params)).map(rkeys)).toEqual([['b11', 'b13'], ['b15', 'b17'], ['b19']])
    expect(rkeys((await served.call('book.long', { least: 100, search: 't1' })).records)).toEqual([])
    const { records } = await served.call('book.long', { least: 0, pagesMax: 0, hydrateReviews: 5 })
    expect(records).toMatchObject([{ rkey: 'b0', reviewsCount: 2, reviews: [{ rkey: 'y0' }, { rkey: 'x0' }] }])
  })

  test('joins give each record once', async () => {
    expect((await walk(served, 'book.reviewed', { limit: 2 })).map(rkeys)).toEqual([['b2', 'b1'], ['b0']])
    expect(rkeys((await served.call('book.reviewed', { genre: ['novel', 'poem'] })).records)).toEqual([
      'b2',
      'b1',
      'b0',
    ])
  })

  test('a condition holds as a whole beside the filters', async () => {
    expect(rkeys((await served.call('book.half', { half: 'novel', pagesMax: 50 })).records)).toEqual([
      'b5',
      'b4',
      'b3',
      'b1',
    ])
    expect(rkeys((await served.call('book.half', { half: 'novel', pagesMax: 50, genre: 'poem' })).records)).toEqual([
      'b4',
    ])
  })

  test('may leave the list as it is', async () => {
    expect(await served.call('book.all', { limit: 7 })).toMatchObject({
      records: (await served.call('book.listRecords', { limit: 7 })).records,
    })
  })

  test('a cursor belongs to the list and its own parameters', async () => {
    const { cursor } = await served.call('book.long', { least: 10, limit: 1 })
    expect((await served.call('book.long', { least: 10, limit: 1, cursor })).records).toMatchObject([{ rkey: 'b18' }])
    const other = { status: 400, message: expect.stringContaining('another query') }
    expect(await served.fail('book.long', { least: 20, limit: 1, cursor })).toMatchObject(other)
    expect(await served.fail('book.all', { cursor })).toMatchObject(other)
  })

  test('refuses what neither it nor listRecords knows, and what it needs', async () => {
    expect(await served.fail('book.long', { least: 1, leats: 1 })).toMatchObject({
      status: 400,
      message: expect.stringMatching(/no parameter "leats".*limit.*least/),
    })
    expect(await served.fail('book.long')).toMatchObject({ status: 400, message: 'Parameter "least" is required.' })
    expect(await served.fail('book.long', { least: 1, limit: 'x' })).toMatchObject({ status: 400 })
    expect(await served.fail('book.none')).toMatchObject({ status: 400, message: 'Say which' })
    expect(served.errors).toEqual([])
  })
})

test('queries are among the endpoints', async () => {
  const { body } = await served.get('/')
  expect(JSON.parse(body).endpoints).toEqual(
    expect.arrayContaining([`/xrpc/${nsid('typed')}`, `/xrpc/${nsid('long')}`]),
  )
})

test('whatever is asked of them, it is answered or refused, never an error of ours', async () => {
  const names = ['typed', 'raw', 'rows', 'long', 'half', 'all', 'reviewed'].map(nsid)
  const params = [
    'ratio',
    'most',
    'lent',
    'genre',
    'mood',
    'least',
    'half',
    'limit',
    'cursor',
    'search',
    'sort',
    '__proto__',
  ]
  const values = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('1', '-1.5e3', 'true', 'bad', 'pages', '\0', ''),
  )
  const pairs = fc.array(fc.tuple(fc.oneof(fc.constantFrom(...params), fc.string()), values), { maxLength: 5 })
  insert(served.store, book, { rkey: 'one', columns: { pages: 5, genre: 'novel' } })
  let answered = 0
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...names), pairs, async (name, given) => {
      const { status } = await served.get(`/xrpc/${name}?${new URLSearchParams(given)}`)
      expect([200, 400]).toContain(status)
      if (status === 200) answered++
    }),
    { numRuns: 500 },
  )
  expect(served.errors).toEqual([])
  expect(answered).toBeGreaterThan(50)
})
