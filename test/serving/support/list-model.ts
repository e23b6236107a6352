/** The model that lists are held against: rows in memory, filtered, sorted and cut. */
import fc from 'fast-check'
import { type Params, START_US, uriOf } from './index.ts'
import { book } from './library.ts'

export interface Row {
  readonly did: string
  readonly rkey: string
  readonly sortAt: number
  readonly indexedAt: number
  readonly hidden: boolean
  readonly words: readonly string[]
  readonly columns: {
    readonly genre: string | null
    readonly lent: number | null
    readonly mood: string | null
    readonly pages: number | null
    readonly published: number | null
    /** A JSON array. */
    readonly shelf: string | null
    readonly title: string | null
    readonly year: number | null
    readonly reviews_count: number
  }
}

const DIDS = ['did:plc:alice', 'did:plc:bob', 'did:web:carol.test']
const GENRES = ['novel', 'novella', 'poem', '', 'ünï "q"']
// By UTF-16 units the last two are the other way round.
const TITLES = ['', 'A', 'a', 'ab', 'é', '\uff5e', '\u{1d11e}', '\u{10ffff}', '\u{10ffff}x']
const SHELVES = ['new', 'old', '', 'ünï "q"', '\u{1d11e}']
const WORDS = ['red', 'blue', 'green', 'greenhouse']
const nullable = <T>(values: readonly T[]) => fc.constantFrom<T | null>(null, ...values)

const row: fc.Arbitrary<Omit<Row, 'rkey'>> = fc.record({
  did: fc.constantFrom(...DIDS),
  sortAt: fc.integer({ min: 0, max: 4 }).map((n) => START_US + n),
  indexedAt: fc.integer({ min: 4, max: 7 }).map((n) => START_US + n),
  hidden: fc.constantFrom(false, false, false, true),
  words: fc.array(fc.constantFrom(...WORDS), { maxLength: 3 }),
  columns: fc.record({
    genre: nullable(GENRES),
    lent: nullable([0, 1]),
    mood: nullable(['gay', 'sad']),
    pages: nullable([-1, 0, 1, 2 ** 40]),
    published: nullable([START_US - 1, START_US, START_US + 1]),
    shelf: fc.option(fc.uniqueArray(fc.constantFrom(...SHELVES), { maxLength: 3 }).map((list) => JSON.stringify(list))),
    title: nullable(TITLES),
    year: nullable([1999, 2000, 2001]),
    reviews_count: fc.integer({ min: 0, max: 2 }),
  }),
})

export const rows = fc
  .array(row, { maxLength: 40, size: 'max' })
  .map((list) => list.map((item, i): Row => ({ ...item, rkey: `k${i}` })))

/** Times that parameters give, in µs. */
const TIMES: Record<string, number> = {
  '2026-01-01T00:00:00Z': START_US,
  '2026-01-01T01:00:00.000001+01:00': START_US + 1,
  '2026-01-01T00:00:00.000003Z': START_US + 3,
  '2026-01-01T00:00:00.000005Z': START_US + 5,
  '2025-12-31T23:59:59.999999Z': START_US - 1,
}
const times = fc.constantFrom(...Object.keys(TIMES))
const yesOrNo = fc.constantFrom('true', 'false', '1', '0')
const oneOrMore = <T>(value: fc.Arbitrary<T>, maxLength: number) => fc.array(value, { minLength: 1, maxLength })
// More than one statement merges, and more than are read as gaps.
const years = oneOrMore(fc.oneof(fc.constantFrom(1999, 2000, 2001), fc.integer({ min: 0, max: 99 })), 30)
const genres = oneOrMore(fc.constantFrom(...GENRES), GENRES.length)
const shelves = oneOrMore(fc.oneof(fc.constantFrom(...SHELVES), fc.integer({ min: 0, max: 99 }).map(String)), 30)

const values = {
  did: fc.constantFrom(...DIDS),
  createdAtMin: times,
  createdAtMax: times,
  indexedAtMin: times,
  indexedAtMax: times,
  genre: genres,
  genreNot: genres,
  genrePrefix: fc.constantFrom('n', 'novel', 'novell', 'ünï', 'x'),
  genreExists: yesOrNo,
  year: years,
  yearNot: years,
  lent: yesOrNo,
  lentExists: yesOrNo,
  pagesMin: fc.constantFrom(-1, 0, 1),
  pagesMax: fc.constantFrom(0, 1, 2 ** 41),
  publishedMin: times,
  publishedMax: times,
  publishedExists: yesOrNo,
  titleMin: fc.constantFrom('a', '\uff5e'),
  titleMax: fc.constantFrom('a', '\uff5e'),
  titlePrefix: fc.constantFrom('a', 'A', '\uff5e', '\u{1d11e}', '\u{10ffff}', '\ud7ff'),
  shelf: shelves,
  shelfNot: shelves,
  moodNot: oneOrMore(fc.constantFrom('gay', 'sad', 'x'), 2),
  reviewsCountMin: fc.constantFrom(0, 1, 2),
  reviewsCountMax: fc.constantFrom(0, 1, 2),
} satisfies Record<string, fc.Arbitrary<Params[string]>>

/** A few filters at a time: all together match nothing. */
export const filters = fc
  .tuple(fc.record(values), fc.subarray(Object.keys(values), { maxLength: 3 }))
  .map(([all, names]): Params => Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name))))

/** One filter of each name, by itself. */
export const eachFilter: readonly (readonly [name: string, value: fc.Arbitrary<Params>])[] = Object.entries(values).map(
  ([name, value]) => [name, (value as fc.Arbitrary<Params[string]>).map((given) => ({ [name]: given }))],
)

export const order = fc.record({
  sort: fc.constantFrom(undefined, 'createdAt', 'pages', 'published', 'title', 'reviewsCount'),
  order: fc.constantFrom(undefined, 'asc', 'desc'),
})

export const limit = fc.integer({ min: 1, max: 7 })

/** How many rows count as few: none, some, all. */
export const FEW = [0, 3, 2000] as const
export const few = fc.constantFrom(...FEW)

/** By code point, which is the order of UTF-8 bytes. */
function compare(a: string | number, b: string | number): number {
  if (typeof a === 'number') return a - (b as number)
  return Buffer.compare(Buffer.from(a), Buffer.from(b as string))
}

const isYes = (value: unknown) => value === 'true' || value === '1'

/** Whether a list with parameters `p` has a row in it, by what the parameters are said to do. */
export function matches(row: Row, p: Params): boolean {
  const { genre, lent, mood, pages, published, title, year, reviews_count } = row.columns
  const shelf: string[] = JSON.parse(row.columns.shelf ?? '[]')
  const within = (value: string | number | null, min: any, max: any) =>
    (min === undefined && max === undefined) ||
    (value !== null &&
      (min === undefined || compare(value, min) >= 0) &&
      (max === undefined || compare(value, max) <= 0))
  const anyOf = (name: string, held: readonly unknown[]) =>
    p[name] === undefined || (p[name] as readonly unknown[]).some((value) => held.includes(value))
  const noneOf = (name: string, held: readonly unknown[]) =>
    p[name] === undefined || !(p[name] as readonly unknown[]).some((value) => held.includes(value))
  const exists = (name: string, value: unknown) => p[name] === undefined || isYes(p[name]) === (value !== null)
  const prefix = (name: string, value: string | null) =>
    p[name] === undefined || value?.startsWith(p[name] as string) === true
  const time = (name: string) => TIMES[p[name] as string]
  return (
    !row.hidden &&
    (p.did === undefined || row.did === p.did) &&
    within(row.sortAt, time('createdAtMin'), time('createdAtMax')) &&
    within(row.indexedAt, time('indexedAtMin'), time('indexedAtMax')) &&
    anyOf('genre', [genre]) &&
    noneOf('genreNot', [genre]) &&
    prefix('genrePrefix', genre) &&
    exists('genreExists', genre) &&
    anyOf('year', [year]) &&
    noneOf('yearNot', [year]) &&
    (p.lent === undefined || lent === (isYes(p.lent) ? 1 : 0)) &&
    exists('lentExists', lent) &&
    within(pages, p.pagesMin, p.pagesMax) &&
    within(published, time('publishedMin'), time('publishedMax')) &&
    exists('publishedExists', published) &&
    within(title, p.titleMin, p.titleMax) &&
    prefix('titlePrefix', title) &&
    anyOf('shelf', shelf) &&
    noneOf('shelfNot', shelf) &&
    noneOf('moodNot', [mood]) &&
    within(reviews_count, p.reviewsCountMin, p.reviewsCountMax)
  )
}

/** Rows in the order that `p` asks for: nulls last, then by time and URI, all in one direction. */
export function sorted(list: readonly Row[], p: Params): Row[] {
  const direction = p.order === 'asc' ? 1 : -1
  const key = ({ sortAt, columns }: Row): string | number | null => {
    if (p.sort === undefined || p.sort === 'createdAt') return sortAt
    return p.sort === 'reviewsCount' ? columns.reviews_count : columns[p.sort as 'pages' | 'published' | 'title']
  }
  return [...list].sort((a, b) => {
    const [x, y] = [key(a), key(b)]
    if ((x === null) !== (y === null)) return x === null ? 1 : -1
    const byKey = x === null || y === null ? 0 : compare(x, y)
    return direction * (byKey || a.sortAt - b.sortAt || compare(uriOf(book, a), uriOf(book, b)))
  })
}

export function chunks<T>(list: readonly T[], size: number): T[][] {
  const pages = Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size))
  return pages.length === 0 ? [[]] : pages
}
