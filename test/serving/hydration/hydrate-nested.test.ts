import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { insert, type Served, START_US, serveApp } from '../support/index.ts'
import { book, person, review } from '../support/library.ts'
import { nestedLibrary } from '../support/nested.ts'

let served: Served
beforeEach(() => {
  served = serveApp(nestedLibrary)
})
afterEach(() => served.close())

const rkeys = (records: any[]) => records.map((record) => record.rkey)

const addBook = (rkey: string, owner: string | null, i: number, genre = 'novel') =>
  insert(served.store, book, { rkey, sortAt: START_US + i, columns: { owner, genre } })
const addReview = (rkey: string, subject: string, i: number, did = 'did:plc:critic') =>
  insert(served.store, review, { rkey, did, sortAt: START_US + i, columns: { subject_uri: subject } })
const addPerson = (did: string, record: unknown = {}) => insert(served.store, person, { did, rkey: 'self', record })

describe('one level deeper', () => {
  test('what children point at is embedded in each, with its counts', async () => {
    const uri = addBook('one', null, 0)
    addReview('r0', uri, 0)
    addReview('r1', uri, 1)
    const { reviews } = await served.call('book.getRecord', { uri, hydrateReviews: 5, hydrateReviewsBook: true })
    expect(reviews.map((r: any) => [r.rkey, r.book.uri, r.book.cid, r.book.reviewsCount])).toEqual([
      ['r1', uri, 'bafyone', 2],
      ['r0', uri, 'bafyone', 2],
    ])
    expect(reviews[0].book).not.toHaveProperty('reviews')
  })

  test('the children of a target have limits of their own, each with its own limit', async () => {
    const busy = addBook('busy', null, 0)
    const quiet = addBook('quiet', null, 1)
    for (let i = 0; i < 8; i++) addReview(`b${i}`, busy, i)
    addReview('q0', quiet, 9)
    const { records } = await served.call('review.listRecords', { hydrateBook: true, hydrateBookReviews: 2 })
    expect(records.map((r: any) => [r.rkey, r.book.rkey, rkeys(r.book.reviews)])).toEqual([
      ['q0', 'quiet', ['q0']],
      ...['b7', 'b6', 'b5', 'b4', 'b3', 'b2', 'b1', 'b0'].map((rkey) => [rkey, 'busy', ['b7', 'b6']]),
    ])
  })

  test('groups keep their short names, order and limits', async () => {
    addPerson('did:plc:ann')
    for (let i = 0; i < 3; i++) addReview(`r${i}`, addBook(`n${i}`, 'did:plc:ann', i), i)
    addBook('o0', 'did:plc:ann', 0, `it's "odd"`)
    const { records } = await served.call('person.listRecords', { hydrateBooks: 2, hydrateBooksReviews: 1 })
    const [{ books }] = records
    expect(Object.keys(books)).toEqual(['parent', 'odd'])
    expect(books.parent.map((b: any) => [b.rkey, rkeys(b.reviews)])).toEqual([
      ['n2', ['r2']],
      ['n1', ['r1']],
    ])
    expect(books.odd.map((b: any) => [b.rkey, b.reviews])).toEqual([['o0', []]])
  })

  test('0 asks for none, and what is not there is left out', async () => {
    addReview('r0', 'at://did:plc:x/test.library.book/unknown', 0)
    const one = async (params: Record<string, number>) =>
      (await served.call('review.listRecords', params)).records[0] as unknown
    expect(await one({ hydrateBook: 1, hydrateBookReviews: 3 })).not.toHaveProperty('book')
    expect(await one({ hydrateBook: 0, hydrateBookReviews: 3 })).not.toHaveProperty('book')
  })

  test('needs what it is embedded in', async () => {
    expect(await served.fail('review.listRecords', { hydrateBookReviews: 3 })).toMatchObject({
      status: 400,
      message: expect.stringContaining('"hydrateBookReviews" needs "hydrateBook"'),
    })
    expect((await served.call('review.listRecords', { hydrateBookReviews: 0 })).records).toEqual([])
  })

  test('no answer embeds more than 20 000 records', async () => {
    // A page of 200, two groups of 50, and as many again in each.
    const most = { limit: 200, hydrateBooks: 50 }
    expect((await served.call('person.listRecords', most)).records).toEqual([])
    expect(await served.fail('person.listRecords', { ...most, hydrateBooksPerson: true })).toMatchObject({
      status: 400,
      message: expect.stringMatching(
        /^40000 records .* is 20000\. Lower "limit", "hydrateBooks" or "hydrateBooksPerson"/,
      ),
    })
    const deep = { hydrateBooks: 50, hydrateBooksReviews: 50 }
    expect((await served.call('person.listRecords', { ...deep, limit: 3 })).records).toEqual([])
    expect(await served.fail('person.listRecords', { ...deep, limit: 4 })).toMatchObject({ status: 400 })
  })
})

test('records and pointers go through byte for byte, whatever is in them', async () => {
  // What separates the entries of a list is among it.
  const awkward = ['\u001e', '\u001f', '"\u001f{"', '\\u001f', ']', '\u0000', '𝄞']
  for (const text of awkward) {
    const own = serveApp(nestedLibrary)
    const record = { title: text, [text]: [text] }
    const add = (rkey: string, owner: string) =>
      insert(own.store, book, { rkey, record, columns: { owner, genre: 'novel' } })
    const uri = add('one', 'did:plc:ann')
    insert(own.store, review, { rkey: 'r', record, columns: { subject_uri: uri } })
    insert(own.store, review, { rkey: 's', record, columns: { subject_uri: `${uri}${text}` } })
    insert(own.store, person, { rkey: 'self', did: 'did:plc:ann', record })
    add('two', `did:plc:ann${text}`)
    const value = JSON.parse(JSON.stringify(record))
    const one = await own.call('book.getRecord', {
      uri,
      hydrateReviews: 5,
      hydrateReviewsBook: true,
      hydratePerson: true,
      hydratePersonBooks: 5,
      profiles: true,
    })
    expect(one).toMatchObject({
      value,
      reviews: [{ rkey: 'r', value, book: { uri, value } }],
      person: { value, books: { parent: [{ uri, value }] } },
      profiles: [{ did: 'did:plc:alice' }, { did: 'did:plc:ann', value }],
    })
    expect(one.person.books.parent).toHaveLength(1)
    const { records } = await own.call('review.listRecords', { hydrateBook: true, profiles: true })
    expect(records.map((record: any) => [record.rkey, record.book?.rkey])).toEqual([
      ['s', undefined],
      ['r', 'one'],
    ])
    own.close()
  }
})

test('finished and open entries give the same children', async () => {
  const tree = fc.array(
    fc.record({
      genre: fc.constantFrom('novel', `it's "odd"`, 'neither'),
      at: fc.nat(3),
      hidden: fc.boolean(),
      owner: fc.constantFrom('did:plc:ann', 'did:plc:bob'),
    }),
    { maxLength: 20 },
  )
  await fc.assert(
    fc.asyncProperty(tree, fc.integer({ min: 1, max: 4 }), async (books, hydrateBooks) => {
      const own = serveApp(nestedLibrary)
      for (const did of ['did:plc:ann', 'did:plc:bob']) insert(own.store, person, { did, rkey: 'self' })
      for (const [i, { genre, at, hidden, owner }] of books.entries()) {
        insert(own.store, book, { rkey: `b${i}`, sortAt: at, hidden, columns: { genre, owner } })
      }
      const { records } = await own.call('person.listRecords', { hydrateBooks })
      const withRows = await own.call('person.listRecords', { hydrateBooks, profiles: true })
      own.close()
      expect(withRows.records).toEqual(records)
    }),
    { numRuns: 40 },
  )
})
