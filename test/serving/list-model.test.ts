/** Lists against a model: the same filter, sort and slice over the rows in memory. */
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import type { Store } from '../../runtime/storage/store.ts'
import { databases } from '../storage/databases.ts'
import { insertAll, type Params, type Served, START_US, serveAppOn, uriOf, walk } from './support/index.ts'
import { book, library } from './support/library.ts'

interface Row {
  readonly did: string
  readonly rkey: string
  readonly sortAt: number
  readonly hidden: boolean
  readonly words: readonly string[]
  readonly columns: {
    readonly genre: string | null
    readonly lent: number | null
    readonly pages: number | null
    readonly published: number | null
    readonly title: string | null
    readonly year: number | null
    readonly reviews_count: number
  }
}

const DIDS = ['did:plc:alice', 'did:plc:bob', 'did:web:carol.test']
const GENRES = ['novel', 'poem', '', 'ünï "q"']
// By UTF-16 units the last two are the other way round.
const TITLES = ['', 'A', 'a', 'é', '\uff5e', '\u{1d11e}']
const WORDS = ['red', 'blue', 'green', 'greenhouse']
const nullable = <T>(values: readonly T[]) => fc.constantFrom<T | null>(null, ...values)

const row: fc.Arbitrary<Omit<Row, 'rkey'>> = fc.record({
  did: fc.constantFrom(...DIDS),
  sortAt: fc.integer({ min: 0, max: 4 }).map((n) => START_US + n),
  hidden: fc.constantFrom(false, false, false, true),
  words: fc.array(fc.constantFrom(...WORDS), { maxLength: 3 }),
  columns: fc.record({
    genre: nullable(GENRES),
    lent: nullable([0, 1]),
    pages: nullable([-1, 0, 1, 2 ** 40]),
    published: nullable([START_US - 1, START_US, START_US + 1]),
    title: nullable(TITLES),
    year: nullable([1999, 2000, 2001]),
    reviews_count: fc.integer({ min: 0, max: 2 }),
  }),
})

const rows = fc
  .array(row, { maxLength: 40, size: 'max' })
  .map((list) => list.map((item, i): Row => ({ ...item, rkey: `k${i}` })))

const values = {
  did: fc.constantFrom(...DIDS),
  genre: fc.uniqueArray(fc.constantFrom(...GENRES), { minLength: 1 }),
  // Repeats, and more than one statement merges.
  year: fc.array(fc.oneof(fc.constantFrom(1999, 2000, 2001), fc.integer({ min: 0, max: 99 })), {
    minLength: 1,
    maxLength: 30,
  }),
  lent: fc.constantFrom('true', 'false', '1', '0'),
  pagesMin: fc.constantFrom(-1, 0, 1),
  pagesMax: fc.constantFrom(0, 1, 2 ** 41),
  publishedMin: fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-01T01:00:00.000001+01:00'),
  publishedMax: fc.constantFrom('2025-12-31T23:59:59.999999Z', '2026-01-01T00:00:00Z'),
  titleMin: fc.constantFrom('a', '\uff5e'),
  titleMax: fc.constantFrom('a', '\uff5e'),
  reviewsCountMin: fc.constantFrom(0, 1, 2),
}

// Few at a time: all together match nothing.
const filters = fc
  .tuple(fc.record(values), fc.subarray(Object.keys(values), { maxLength: 2 }))
  .map(([all, names]): Params => Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name))))

const order = fc.record({
  sort: fc.constantFrom(undefined, 'pages', 'published', 'title', 'reviewsCount'),
  order: fc.constantFrom(undefined, 'asc', 'desc'),
})

const limit = fc.integer({ min: 1, max: 7 })

/** By code point, which is the order of UTF-8 bytes. */
function compare(a: string | number, b: string | number): number {
  if (typeof a === 'number') return a - (b as number)
  return Buffer.compare(Buffer.from(a), Buffer.from(b as string))
}

const TIMES: Record<string, number> = {
  '2026-01-01T00:00:00Z': START_US,
  '2026-01-01T01:00:00.000001+01:00': START_US + 1,
  '2025-12-31T23:59:59.999999Z': START_US - 1,
}

function matches(row: Row, p: Params): boolean {
  const { genre, lent, pages, published, title, year, reviews_count } = row.columns
  const within = (value: string | number | null, min: any, max: any) =>
    (min === undefined && max === undefined) ||
    (value !== null &&
      (min === undefined || compare(value, min) >= 0) &&
      (max === undefined || compare(value, max) <= 0))
  return (
    !row.hidden &&
    (p.did === undefined || row.did === p.did) &&
    (p.genre === undefined || (p.genre as readonly unknown[]).includes(genre)) &&
    (p.year === undefined || (p.year as readonly unknown[]).includes(year)) &&
    (p.lent === undefined || lent === (p.lent === 'true' || p.lent === '1' ? 1 : 0)) &&
    within(pages, p.pagesMin, p.pagesMax) &&
    within(published, TIMES[p.publishedMin as string], TIMES[p.publishedMax as string]) &&
    within(title, p.titleMin, p.titleMax) &&
    within(reviews_count, p.reviewsCountMin, undefined)
  )
}

function sorted(list: readonly Row[], p: Params): Row[] {
  const direction = p.order === 'asc' ? 1 : -1
  const key = ({ sortAt, columns }: Row): string | number | null => {
    if (p.sort === undefined) return sortAt
    return p.sort === 'reviewsCount' ? columns.reviews_count : columns[p.sort as 'pages' | 'published' | 'title']
  }
  return [...list].sort((a, b) => {
    const [x, y] = [key(a), key(b)]
    if ((x === null) !== (y === null)) return x === null ? 1 : -1
    const byKey = x === null || y === null ? 0 : compare(x, y)
    return direction * (byKey || compare(uriOf(book, a), uriOf(book, b)))
  })
}

function chunks<T>(list: readonly T[], size: number): T[][] {
  const pages = Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size))
  return pages.length === 0 ? [[]] : pages
}

const SEARCHES: Record<string, (words: readonly string[]) => boolean> = {
  red: (w) => w.includes('red'),
  'RED blue': (w) => w.includes('red') && w.includes('blue'),
  'red OR blue': (w) => w.includes('red') || w.includes('blue'),
  'blue -red': (w) => w.includes('blue') && !w.includes('red'),
  'gree*': (w) => w.some((word) => word.startsWith('gree')),
  '"red blue"': (w) => w.some((word, i) => word === 'red' && w[i + 1] === 'blue'),
  'red -"blue green" OR greenhouse': (w) =>
    w.includes('greenhouse') || (w.includes('red') && !w.some((word, i) => word === 'blue' && w[i + 1] === 'green')),
}

describe.each(databases)('$name', (database) => {
  let served: Served<Store> | null = null
  afterEach(async () => {
    await served?.close()
    served = null
  })

  async function withRows(list: readonly Row[], check: (served: Served<Store>) => Promise<void>): Promise<void> {
    const served = await serveAppOn(database, library)
    try {
      const rows = list.map((item) => ({ ...item, record: { title: item.words.join(' '), n: item.rkey } }))
      await insertAll(served.store, book, rows)
      await check(served)
    } finally {
      await served.close()
    }
  }

  test('pages are those of the model, and end exactly', async () => {
    await fc.assert(
      fc.asyncProperty(rows, filters, order, limit, async (list, filter, sort, size) => {
        await withRows(list, async (served) => {
          const params = { ...filter, ...sort }
          const expected = sorted(
            list.filter((item) => matches(item, params)),
            params,
          )
          const pages = await walk(served, 'book.listRecords', { ...params, limit: size })
          expect(pages.map((page) => page.map((record) => record.value.n))).toEqual(
            chunks(expected, size).map((page) => page.map((item) => item.rkey)),
          )
        })
      }),
      { numRuns: Math.ceil(150 * database.share) },
    )
  })

  test('a search finds every match once, by relevance or sorted', async () => {
    const search = fc.constantFrom(...Object.keys(SEARCHES))
    await fc.assert(
      fc.asyncProperty(rows, filters, order, search, limit, async (list, filter, sort, words, size) => {
        await withRows(list, async (served) => {
          const params = { ...filter, ...sort, search: words }
          const found = list.filter((item) => matches(item, params) && SEARCHES[words]!(item.words))
          const pages = await walk(served, 'book.listRecords', { ...params, limit: size })
          const names = pages.flat().map((record) => record.value.n)
          if (sort.sort === undefined && sort.order === undefined) {
            expect([...names].sort()).toEqual(found.map((item) => item.rkey).sort())
          } else {
            expect(names).toEqual(sorted(found, params).map((item) => item.rkey))
          }
        })
      }),
      { numRuns: Math.ceil(150 * database.share) },
    )
  })

  test('a cursor that stood before others were written still partitions what was there', async () => {
    served = await serveAppOn(database, library)
    const old = Array.from({ length: 30 }, (_, i) => ({
      rkey: `old${i}`,
      sortAt: START_US + i,
      record: { title: 'red' },
    }))
    await insertAll(served.store, book, old)
    let written = 0
    for (const params of [{}, { sort: 'pages' }, { search: 'red' }, { order: 'asc' }] as Params[]) {
      const seen: string[] = []
      let cursor: string | undefined
      for (let page = 0; page < 10; page++) {
        const { records, ...rest } = await served.call('book.listRecords', { ...params, limit: 7, cursor })
        seen.push(...records.map((record: any) => record.rkey))
        cursor = rest.cursor
        if (cursor === undefined) break
        const added = { rkey: `new${written++}`, sortAt: START_US + 100, record: { title: 'red red' } }
        await insertAll(served.store, book, [added])
      }
      const first = seen.filter((rkey) => rkey.startsWith('old'))
      expect(new Set(first).size).toBe(30)
      expect(first).toHaveLength(30)
    }
  })
})
