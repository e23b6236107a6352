import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { insert, type Served, START_US, serveApp } from '../support/index.ts'
import { book, library, person, review } from '../support/library.ts'

let served: Served
beforeEach(() => {
  served = serveApp(library)
})
afterEach(() => served.close())

/** Reviews `r0` … of a book, each newer than the one before. */
function insertReviews(subject: string, rkeys: readonly string[], hidden = false): void {
  rkeys.forEach((rkey, i) => {
    insert(served.store, review, {
      rkey,
      did: 'did:plc:critic',
      sortAt: START_US + i,
      hidden,
      record: { subject: { uri: subject } },
      columns: { subject_uri: subject },
    })
  })
}

const rkeys = (records: any[]) => records.map((record) => record.rkey)

describe('children', () => {
  test('each parent has its own newest ones, however busy the others are', async () => {
    const busy = insert(served.store, book, { rkey: 'busy', sortAt: START_US + 3 })
    const quiet = insert(served.store, book, { rkey: 'quiet', sortAt: START_US + 2 })
    insert(served.store, book, { rkey: 'alone', sortAt: START_US + 1 })
    insertReviews(
      busy,
      Array.from({ length: 100 }, (_, i) => `b${i}`),
    )
    insertReviews(quiet, ['q0', 'q1'])
    const { records } = await served.call('book.listRecords', { hydrateReviews: 3 })
    expect(records.map((record: any) => [record.rkey, record.reviewsCount, rkeys(record.reviews)])).toEqual([
      ['busy', 100, ['b99', 'b98', 'b97']],
      ['quiet', 2, ['q1', 'q0']],
      ['alone', undefined, []],
    ])
    expect(records[1].reviews[0]).toEqual({
      uri: 'at://did:plc:critic/test.library.review/q1',
      cid: 'bafyq1',
      value: { subject: { uri: quiet } },
      did: 'did:plc:critic',
      collection: 'test.library.review',
      rkey: 'q1',
      time_us: START_US + 1,
    })
  })

  test('of equal time, the greater uri is the newer', async () => {
    const uri = insert(served.store, book, { rkey: 'one' })
    for (const rkey of ['b', 'c', 'a']) {
      insert(served.store, review, { rkey, columns: { subject_uri: uri } })
    }
    const { reviews } = await served.call('book.getRecord', { uri, hydrateReviews: 2 })
    expect(rkeys(reviews)).toEqual(['c', 'b'])
  })

  test('hidden ones are left out; 0 asks for none', async () => {
    const uri = insert(served.store, book, { rkey: 'one' })
    insertReviews(uri, ['seen'])
    insertReviews(uri, ['unseen'], true)
    expect(rkeys((await served.call('book.getRecord', { uri, hydrateReviews: 50 })).reviews)).toEqual(['seen'])
    expect(await served.call('book.getRecord', { uri, hydrateReviews: 0 })).not.toHaveProperty('reviews')
    expect(await served.call('book.getRecord', { uri })).not.toHaveProperty('reviews')
  })

  test('groups come by their short names, each with its own limit, and only those with children', async () => {
    const add = (rkey: string, did: string, sortAt: number) => insert(served.store, person, { rkey, did, sortAt })
    add('self', 'did:plc:ann', START_US + 3)
    add('self', 'did:plc:bob', START_US + 2)
    add('self', 'did:plc:cyd', START_US + 1)
    const own = (rkey: string, owner: string, genre: string, i: number) =>
      insert(served.store, book, { rkey, sortAt: START_US + i, columns: { owner, genre } })
    own('n1', 'did:plc:ann', 'novel', 1)
    own('n2', 'did:plc:ann', 'novel', 2)
    own('n3', 'did:plc:ann', 'novel', 3)
    own('o1', 'did:plc:ann', `it's "odd"`, 0)
    own('o2', 'did:plc:bob', `it's "odd"`, 0)
    own('x1', 'did:plc:cyd', 'neither', 0)
    const { records } = await served.call('person.listRecords', { hydrateBooks: 2 })
    const groups = records.map((record: any) =>
      Object.fromEntries(Object.entries(record.books).map(([group, list]) => [group, rkeys(list as any[])])),
    )
    expect(groups).toEqual([{ parent: ['n3', 'n2'], odd: ['o1'] }, { odd: ['o2'] }, {}])
  })

  test('children carry their own counts', async () => {
    insert(served.store, person, { rkey: 'self', did: 'did:plc:ann' })
    const uri = insert(served.store, book, { rkey: 'n1', columns: { owner: 'did:plc:ann', genre: 'novel' } })
    insertReviews(uri, ['r0', 'r1'])
    const { records } = await served.call('person.listRecords', { hydrateBooks: 1 })
    expect(records[0]).toMatchObject({ booksCount: 1, books: { parent: [{ rkey: 'n1', reviewsCount: 2 }] } })
  })

  test('the limits hold for any tree', async () => {
    const tree = fc.array(fc.array(fc.record({ at: fc.nat(3), hidden: fc.boolean() }), { maxLength: 8 }), {
      maxLength: 6,
    })
    await fc.assert(
      fc.asyncProperty(tree, fc.integer({ min: 1, max: 4 }), async (books, limit) => {
        const own = serveApp(library)
        const expected: string[][] = []
        books.forEach((reviews, b) => {
          const uri = insert(own.store, book, { rkey: `b${b}`, sortAt: START_US - b })
          const inserted = reviews.map(({ at, hidden }, r) => {
            const rkey = `b${b}r${r}`
            insert(own.store, review, { rkey, sortAt: at, hidden, columns: { subject_uri: uri } })
            return { rkey, at, hidden }
          })
          const visible = inserted.filter(({ hidden }) => !hidden)
          visible.sort((x, y) => y.at - x.at || (x.rkey < y.rkey ? 1 : -1))
          expected.push(visible.slice(0, limit).map(({ rkey }) => rkey))
        })
        const { records } = await own.call('book.listRecords', { hydrateReviews: limit })
        own.close()
        expect(records.map((record: any) => rkeys(record.reviews))).toEqual(expected)
      }),
      { numRuns: 40 },
    )
  })
})

describe('references', () => {
  test('by uri: the target, nothing where it is unknown or hidden or there is no pointer', async () => {
    const known = insert(served.store, book, { rkey: 'known', record: { title: 'Known' } })
    const hidden = insert(served.store, book, { rkey: 'hidden', hidden: true })
    const pointers = [known, known, hidden, 'at://did:plc:x/test.library.book/unknown', 'not a uri', null]
    pointers.forEach((subject_uri, i) => {
      insert(served.store, review, { rkey: `r${i}`, sortAt: START_US - i, columns: { subject_uri } })
    })
    const { records } = await served.call('review.listRecords', { hydrateBook: true })
    expect(records.map((record: any) => record.book?.rkey)).toEqual(['known', 'known', ...Array(4).fill(undefined)])
    expect(records[0].book).toEqual({
      uri: known,
      cid: 'bafyknown',
      value: { title: 'Known' },
      did: 'did:plc:alice',
      collection: 'test.library.book',
      rkey: 'known',
      time_us: START_US,
      reviewsCount: 2,
    })
    expect(records[2]).not.toHaveProperty('book')
    const without = await served.call('review.listRecords', { hydrateBook: false })
    expect(without.records[0]).not.toHaveProperty('book')
  })

  test("by did: the author's newest visible record", async () => {
    const ann = { did: 'did:plc:ann' }
    insert(served.store, person, { ...ann, rkey: 'old', sortAt: START_US })
    insert(served.store, person, { ...ann, rkey: 'new', sortAt: START_US + 1 })
    insert(served.store, person, { ...ann, rkey: 'newest', sortAt: START_US + 2, hidden: true })
    const uri = insert(served.store, book, { rkey: 'one', columns: { owner: 'did:plc:ann' } })
    const one = await served.call('book.getRecord', { uri, hydratePerson: 1, hydrateReviews: 1 })
    expect(one).toMatchObject({ rkey: 'one', reviews: [], person: { rkey: 'new', did: 'did:plc:ann' } })
  })
})

test('records go out byte for byte, whatever is in them', async () => {
  const awkward = [
    '"quoted" \\ back\\slash',
    'line\u2028paragraph\u2029',
    '\u0000\u001f',
    '\ud800',
    '𝄞 東京',
    '</script>',
  ]
  await fc.assert(
    fc.asyncProperty(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(...awkward), async (json, text) => {
      const own = serveApp(library)
      const record = { title: text, json, [text]: text }
      const uri = insert(own.store, book, { rkey: 'one', record, columns: { owner: 'did:plc:ann' } })
      insert(own.store, review, { rkey: 'r', record, columns: { subject_uri: uri } })
      insert(own.store, person, { rkey: 'self', did: 'did:plc:ann', record })
      const stored = JSON.stringify(record)
      const value = JSON.parse(stored)
      const url = `/xrpc/test.lib.book.listRecords?hydrateReviews=1&hydratePerson=1`
      const { body } = await own.get(url)
      expect(body.split(stored)).toHaveLength(4)
      expect(JSON.parse(body).records).toMatchObject([{ value, reviews: [{ value }], person: { value } }])
      expect((await own.call('book.getRecord', { uri })).value).toEqual(value)
      const { records } = await own.call('review.listRecords', { hydrateBook: true })
      expect(records[0].book.value).toEqual(value)
      own.close()
    }),
    { numRuns: 40 },
  )
})
