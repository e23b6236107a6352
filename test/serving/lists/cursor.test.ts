import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { decodeCursor, encodeCursor, fingerprint } from '../../../runtime/serving/shared/cursor.ts'
import { insert, type Params, type Served, START_US, serveApp } from '../support/index.ts'
import { book, library } from '../support/library.ts'

let served: Served
beforeAll(() => {
  served = serveApp(library)
  for (let i = 0; i < 10; i++) {
    insert(served.store, book, {
      rkey: `k${i}`,
      sortAt: START_US + i,
      record: { title: 'red' },
      columns: { genre: 'novel', pages: i < 5 ? i : null, title: 'red' },
    })
  }
})
afterAll(() => served.close())

const QUERIES: Params[] = [
  {},
  { order: 'asc' },
  { sort: 'pages' },
  { sort: 'pages', order: 'asc' },
  { sort: 'title' },
  { genre: 'novel' },
  { genre: ['novel', 'poem'] },
  { genreNot: ['poem'] },
  { genrePrefix: 'nov' },
  { genreExists: true },
  { createdAtMin: '2026-01-01T00:00:00Z' },
  { pagesMin: 0 },
  { pagesMin: 0, pagesMax: 4 },
  { did: 'did:plc:alice' },
  { search: 'red' },
  { search: 'red', sort: 'pages' },
  { search: 'red -blue' },
]

test('a cursor of one query is refused by every other', async () => {
  for (const from of QUERIES) {
    const { cursor } = await served.call('book.listRecords', { ...from, limit: 3 })
    expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/)
    for (const to of QUERIES) {
      if (to === from) continue
      expect(await served.fail('book.listRecords', { ...to, limit: 3, cursor })).toEqual({
        status: 400,
        error: 'InvalidRequest',
        message: expect.stringMatching(/^The cursor belongs to another query/),
      })
    }
    const elsewhere = await served.fail('review.listRecords', { cursor })
    expect(elsewhere.message).toMatch(/belongs to another query/)
  }
})

test('the same query may be said in other words', async () => {
  const sames: [Params, Params][] = [
    [{}, { order: 'desc' }],
    [{}, { sort: 'createdAt' }],
    [{ genre: ['novel', 'poem'] }, { genre: ['poem', 'novel', 'poem'] }],
    [{ search: 'red' }, { search: 'red', sort: 'relevance' }],
    [{ did: 'did:plc:alice' }, { actor: 'did:plc:alice' }],
    [{ lentExists: false }, { lentExists: '0' }],
  ]
  for (const [from, to] of sames) {
    const { cursor } = await served.call('book.listRecords', { ...from, limit: 3 })
    expect((await served.call('book.listRecords', { ...to, limit: 3, cursor })).records).toHaveLength(3)
  }
})

test('page size and hydration may change between pages', async () => {
  const first = await served.call('book.listRecords', { limit: 3 })
  const second = await served.call('book.listRecords', { limit: 7, hydrateReviews: 1, cursor: first.cursor })
  expect(second.records).toHaveLength(7)
  expect(second.cursor).toBeUndefined()
})

test('what is no cursor, or has a position of another kind, is a 400', async () => {
  const hashOf = async (params: Params) => {
    const { cursor } = await served.call('book.listRecords', { ...params, limit: 3 })
    return JSON.parse(Buffer.from(cursor, 'base64url').toString())[0] as number
  }
  const forged: [Params, unknown][] = [
    [{}, ['x', 'at://x']],
    [{}, [null, 'at://x']],
    [{}, [1.5, 'at://x']],
    [{}, [1]],
    [{}, []],
    [{}, [1, 2]],
    [{}, [1, 'at://x', 3]],
    [{ sort: 'pages' }, [1, 'at://x']],
    [{ sort: 'pages' }, ['1', 1, 'at://x']],
    [{ sort: 'pages' }, [1, '1', 'at://x']],
    [{ sort: 'pages' }, [1, null, 'at://x']],
    [{ sort: 'pages' }, [1, 1, 1]],
    [{ sort: 'title' }, [1, 1, 'at://x']],
    [{ sort: 'reviewsCount' }, [null, 1, 'at://x']],
    [{ search: 'red' }, [1, 'at://x']],
    [{ search: 'red' }, [-1, 0, 1]],
    [{ search: 'red' }, [1, 0, 2]],
  ]
  for (const [params, position] of forged) {
    const cursor = encodeCursor(await hashOf(params), position as never)
    const answer = await served.fail('book.listRecords', { ...params, cursor })
    expect([position, answer.status, answer.message]).toEqual([position, 400, expect.stringMatching(/malformed/)])
  }
  for (const cursor of ['', '!', 'e30', 'W10', 'WyJ4Il0', 'W1tdXQ', Buffer.from('[1').toString('base64url')]) {
    expect((await served.fail('book.listRecords', { cursor })).message).toMatch(/malformed|belongs to another/)
  }
})

test('a cursor gives back its position, whatever the text in it', () => {
  const scalar = fc.oneof(fc.integer(), fc.constant(null), fc.string({ unit: 'grapheme' }))
  fc.assert(
    fc.property(fc.string(), fc.array(scalar), (query, position) => {
      const hash = fingerprint(query)
      expect(decodeCursor(hash, encodeCursor(hash, position))).toEqual(position)
    }),
  )
})
