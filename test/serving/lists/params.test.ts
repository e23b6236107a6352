import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Params, type Served, serveApp } from '../support/index.ts'
import { library, listBooks } from '../support/library.ts'

let served: Served
beforeAll(() => {
  served = serveApp(library)
})
afterAll(() => served.close())

describe('a parameter that cannot be understood is a 400 that names it and what there is', () => {
  const cases: [Params, string][] = [
    [{ colour: 'red' }, 'There is no parameter "colour".'],
    [{ Genre: 'novel' }, 'There is no parameter "Genre".'],
    [{ limit: 'many' }, 'Parameter "limit" must be an integer from 1 to 200, not "many".'],
    [{ limit: '' }, 'Parameter "limit" must be an integer from 1 to 200, not "".'],
    [{ limit: [1, 2] }, 'Parameter "limit" may be given only once.'],
    [{ order: 'up' }, 'Parameter "order" must be one of asc, desc, not "up".'],
    [
      { sort: 'colour' },
      'Parameter "sort" must be one of createdAt, pages, published, title, reviewsCount, relevance, not "colour".',
    ],
    [{ sort: ['pages', 'title'] }, 'Parameter "sort" may be given only once.'],
    [{ did: 'alice' }, 'Parameter "did" must be a DID or a handle, not "alice".'],
    [{ genreExists: 'yes' }, 'Parameter "genreExists" must be true or false, not "yes".'],
    [{ genrePrefix: '' }, 'Parameter "genrePrefix" must be 1 to 1000 characters, not "".'],
    [{ genrePrefix: ['a', 'b'] }, 'Parameter "genrePrefix" may be given only once.'],
    [{ lent: 'yes' }, 'Parameter "lent" must be true or false, not "yes".'],
    [{ pagesMin: '1.5' }, 'Parameter "pagesMin" must be an integer, not "1.5".'],
    [{ pagesMin: '9007199254740993' }, 'Parameter "pagesMin" must be an integer, not "9007199254740993".'],
    [{ year: [1999, 'MM'] }, 'Parameter "year" must be an integer, not "MM".'],
    [{ year: Array.from({ length: 101 }, (_, i) => i) }, 'Parameter "year" must have at most 100 values.'],
    [
      { publishedMin: 'yesterday' },
      'Parameter "publishedMin" must be a datetime with a time zone, such as 2026-05-01T18:00:00Z, not "yesterday".',
    ],
    [{ reviewsCountMin: -1 }, 'Parameter "reviewsCountMin" must be an integer of 0 or more, not "-1".'],
    [{ hydrateReviews: 51 }, 'Parameter "hydrateReviews" must be an integer from 0 to 50, not "51".'],
    [{ hydratePerson: 'yes' }, 'Parameter "hydratePerson" must be true or false, not "yes".'],
    [{ search: '' }, 'Parameter "search" must be 1 to 1000 characters, not "".'],
    [{ genre: 'a\0b' }, 'Parameter "genre" holds a NUL character.'],
    [{ genre: `${'x'.repeat(500)}`, titleMin: ['a', 'b'] }, 'Parameter "titleMin" may be given only once.'],
  ]
  const valid =
    ' Valid parameters: limit, cursor, order, did, actor, createdAtMin, createdAtMax, indexedAtMin, indexedAtMax, ' +
    'genre, genreNot, genrePrefix, genreExists, year, yearNot, lent, lentExists, pagesMin, pagesMax, publishedMin, ' +
    'publishedMax, publishedExists, titleMin, titleMax, titlePrefix, shelf, shelfNot, moodNot, reviewsCountMin, ' +
    'reviewsCountMax, search, sort, hydrateReviews, hydratePerson.'

  test.each(cases)('%j', async (params, message) => {
    expect(await served.fail('book.listRecords', params)).toEqual({
      status: 400,
      error: 'InvalidRequest',
      message: message + valid,
    })
  })

  test('names that every object has are no parameters', async () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      expect(await served.fail('book.listRecords', { [`${name}`]: 'x' })).toMatchObject({ status: 400 })
      const { status, body } = await served.get(`/xrpc/test.lib.book.listRecords?${name}=x`)
      expect([status, JSON.parse(body).message]).toEqual([400, expect.stringContaining(`no parameter "${name}"`)])
    }
  })

  test('getRecord names its own', async () => {
    const valid = 'Valid parameters: uri, hydrateReviews, hydratePerson.'
    expect((await served.fail('book.getRecord')).message).toBe(`Parameter "uri" is required. ${valid}`)
    expect((await served.fail('book.getRecord', { uri: 'at://x' })).message).toBe(
      `Parameter "uri" must be the at-uri of a record, not "at://x". ${valid}`,
    )
  })
})

test('relevance is of a search, and has one direction', async () => {
  const without = await served.fail('book.listRecords', { sort: 'relevance' })
  expect([without.status, without.message]).toEqual([
    400,
    'Parameter "sort" may be relevance only where there is a "search".',
  ])
  const upwards = await served.fail('book.listRecords', { sort: 'relevance', order: 'asc', search: 'red' })
  expect([upwards.status, upwards.message]).toEqual([
    400,
    'Parameter "order" may not be asc where "sort" is relevance.',
  ])
})

test('one account only: did and actor mean the same', async () => {
  const both = await served.fail('book.listRecords', { did: 'did:plc:alice', actor: 'did:plc:bob' })
  expect(both.message).toMatch(/give one of them/)
})

test('a limit out of range is clamped', async () => {
  for (const limit of [0, -5, 201, '99999999999999999999999']) {
    expect(await served.call('book.listRecords', { limit })).toEqual({ records: [] })
  }
})

test('the plus of a time zone may come unencoded', async () => {
  const { status } = await served.get('/xrpc/test.lib.book.listRecords?publishedMin=2026-01-01T00:00:00+02:00')
  expect(status).toBe(200)
})

test('whatever the query string, it is answered or refused, never an error of ours', async () => {
  const names = fc.constantFrom(...Object.keys(listBooks.params.shape), '__proto__', '', 'x')
  const values = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('1', 'true', 'did:plc:alice', 'alice.test', '"', 'a OR', '2026-01-01T00:00:00Z', 'WzEsMl0'),
  )
  const encoded = fc
    .array(fc.tuple(names, values), { maxLength: 6 })
    .map((pairs) => new URLSearchParams(pairs as [string, string][]).toString())
  const raw = fc.string({ unit: fc.constantFrom(...'%&=+?#;/\\"\u0000\u00e9aZ09_') })
  await fc.assert(
    fc.asyncProperty(fc.oneof(encoded, raw), fc.constantFrom('list', 'get'), async (query, method) => {
      const { status, body } = await served.get(
        `/xrpc/test.lib.book.${method}${method === 'list' ? 'Records' : 'Record'}?${query}`,
      )
      expect([200, 400]).toContain(status)
      JSON.parse(body)
    }),
    { numRuns: 1000 },
  )
  expect(served.errors).toEqual([])
})
