/** Search by relevance over more matches than one window holds. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { insert, type Served, START_US, serveApp, walk } from '../support/index.ts'
import { book, library } from '../support/library.ts'

const COMMON = 12_000
const SOME = 2_500
const RARE = 700

let served: Served
beforeAll(() => {
  served = serveApp(library)
  served.store.database.exec('BEGIN')
  for (let i = 0; i < COMMON; i++) {
    insert(served.store, book, {
      rkey: `k${i}`,
      did: i % RARE === 7 ? 'did:plc:rare' : 'did:plc:alice',
      // Neither order says anything of the other.
      sortAt: START_US + ((i * 7919) % COMMON),
      record: { title: i % 5 === 0 && i < SOME * 5 ? 'common some' : 'common', n: i },
      columns: { pages: i % 3 === 0 ? null : i },
    })
  }
  insert(served.store, book, { rkey: 'long', record: { title: 'wine', blurb: `of ${'many words '.repeat(50)}` } })
  insert(served.store, book, { rkey: 'short', record: { title: 'wine wine wine', blurb: 'wine' } })
  insert(served.store, book, { rkey: 'aside', record: { title: 'beer', blurb: `${'many words '.repeat(90)} wine` } })
  served.store.database.exec('COMMIT')
})
afterAll(() => served.close())

test('the best match comes first', async () => {
  const { records } = await served.call('book.listRecords', { search: 'wine' })
  expect(records.map((record: any) => record.rkey)).toEqual(['short', 'long', 'aside'])
})

test('windows follow each other from the newest, and every match comes once', async () => {
  const pages = await walk(served, 'book.listRecords', { search: 'some', limit: 200 })
  const ids = pages.flat().map((record) => record.value.n as number)
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids).toHaveLength(COMMON / 5)
  expect(Math.min(...ids.slice(0, 1000))).toBeGreaterThan(Math.max(...ids.slice(1000)))
  expect(pages.slice(0, -1).every((page) => page.length === 200)).toBe(true)
})

test('words in very many records come newest first, every match once', async () => {
  const pages = await walk(served, 'book.listRecords', { search: 'common', limit: 200 })
  const ids = pages.flat().map((record) => record.value.n as number)
  expect(ids).toEqual(Array.from({ length: COMMON }, (_, i) => COMMON - 1 - i))
})

test('a filter that drops nearly all makes short pages, not long requests', async () => {
  for (const search of ['common', 'common -nothing', 'common OR wine']) {
    const pages = await walk(served, 'book.listRecords', { search, did: 'did:plc:rare', limit: 10 })
    const rare = Array.from({ length: COMMON }, (_, i) => COMMON - 1 - i).filter((n) => n % RARE === 7)
    expect(pages.flat().map((record) => record.value.n)).toEqual(rare)
    expect(pages[0]!.length).toBeLessThan(10)
    expect(pages.length).toBeLessThanOrEqual(5)
  }
})

test('a sort wins over relevance, for rare words and for common ones', async () => {
  const byTime = (a: any, b: any) => b.time_us - a.time_us
  for (const search of ['some', 'common']) {
    const { records, cursor } = await served.call('book.listRecords', { search, order: 'desc', limit: 200 })
    expect(records).toEqual([...records].sort(byTime))
    const next = await served.call('book.listRecords', { search, order: 'desc', limit: 200, cursor })
    expect(byTime(records.at(-1), next.records[0])).toBeLessThanOrEqual(0)
  }
  const nulls = await walk(served, 'book.listRecords', { search: 'some', sort: 'pages', order: 'asc', limit: 200 })
  const ids = nulls.flat().map((record) => record.value.n as number)
  const withPages = ids.filter((n) => n % 3 !== 0)
  expect(ids).toHaveLength(COMMON / 5)
  expect(ids.slice(0, withPages.length)).toEqual([...withPages].sort((a, b) => a - b))
})

test('a search that cannot be understood is a 400', async () => {
  for (const params of [{}, { sort: 'pages' }]) {
    expect(await served.fail('book.listRecords', { ...params, search: '"open' })).toEqual({
      status: 400,
      error: 'InvalidRequest',
      message:
        'The search cannot be understood: a quotation mark is missing. ' +
        'It takes words, prefix*, "a phrase", OR, and -excluded words.',
    })
  }
})

test('no match is an empty last page', async () => {
  expect(await served.call('book.listRecords', { search: 'nothing' })).toEqual({ records: [] })
})
