import { dialects } from '../../../generator/dialects/registry.ts'
import type { IndexPlan, SchemaPlan } from '../../../generator/plan/types.ts'
import {
  type App,
  boolean,
  booleanParam,
  type CollectionDef,
  count,
  datetime,
  datetimeParam,
  defineCollection,
  defineGet,
  defineList,
  flag,
  getParams,
  hydrateLimit,
  integer,
  integerParam,
  listParams,
  many,
  type Query,
  search,
  text,
  z,
} from '../../../runtime/index.ts'

// An app with a column of every kind, each nullable, as the generator would emit it.

export const book = defineCollection<any>()({
  name: 'book',
  nsid: 'test.library.book',
  table: 'book',
  searchTable: 'book_search',
  columns: {
    genre: text((r) => r.genre),
    lent: boolean((r) => r.lent),
    owner: text((r) => r.owner),
    pages: integer((r) => r.pages),
    published: datetime((r) => r.published),
    title: text((r) => r.title),
    year: integer((r) => r.year),
  },
  counts: { reviewsCount: 'reviews_count' },
  relations: { reviews: { collection: 'review', column: 'subject_uri', match: 'uri' } },
  references: { person: { collection: 'person', column: 'owner', match: 'did' } },
  validate: 'off',
  discover: true,
})

export const review = defineCollection<any>()({
  name: 'review',
  nsid: 'test.library.review',
  table: 'review',
  columns: { mood: text((r) => r.mood), subject_uri: text((r) => r.subject?.uri) },
  counts: {},
  relations: {},
  references: { book: { collection: 'book', column: 'subject_uri', match: 'uri' } },
  validate: 'off',
  discover: true,
})

export const person = defineCollection<any>()({
  name: 'person',
  nsid: 'test.library.person',
  table: 'person',
  columns: {},
  counts: { booksCount: 'books_count' },
  relations: {
    books: {
      collection: 'book',
      column: 'owner',
      match: 'did',
      // A group whose name is a keyword, and one whose value wants escaping.
      groups: { column: 'genre', values: { parent: 'novel', odd: `it's "odd"` } },
    },
  },
  references: {},
  validate: 'off',
  discover: false,
})

interface Database {
  book: {
    did: string
    genre: string | null
    lent: number | null
    owner: string | null
    pages: number | null
    published: number | null
    title: string | null
    year: number | null
    reviews_count: number
  }
  review: { mood: string | null; subject_uri: string | null }
  person: { books_count: number }
}

export const listBooks = defineList({
  nsid: 'test.lib.book.listRecords',
  collection: book,
  params: z.strictObject({
    ...listParams,
    genre: many(z.string()),
    year: many(integerParam()),
    lent: booleanParam(),
    pagesMin: integerParam(),
    pagesMax: integerParam(),
    publishedMin: datetimeParam(),
    publishedMax: datetimeParam(),
    titleMin: z.string().optional(),
    titleMax: z.string().optional(),
    reviewsCountMin: count(),
    search: search(),
    sort: z.enum(['pages', 'published', 'title', 'reviewsCount']).optional(),
    hydrateReviews: hydrateLimit(),
    hydratePerson: flag(),
  }),
  sorts: { pages: 'pages', published: 'published', title: 'title', reviewsCount: 'reviews_count' },
  where: (q: Query<Database, 'book'>, p) => {
    if (p.genre) q = q.where('genre', 'in', p.genre)
    if (p.year) q = q.where('year', 'in', p.year)
    if (p.lent !== undefined) q = q.where('lent', '=', p.lent)
    if (p.pagesMin !== undefined) q = q.where('pages', '>=', p.pagesMin)
    if (p.pagesMax !== undefined) q = q.where('pages', '<=', p.pagesMax)
    if (p.publishedMin !== undefined) q = q.where('published', '>=', p.publishedMin)
    if (p.publishedMax !== undefined) q = q.where('published', '<=', p.publishedMax)
    if (p.titleMin !== undefined) q = q.where('title', '>=', p.titleMin)
    if (p.titleMax !== undefined) q = q.where('title', '<=', p.titleMax)
    if (p.reviewsCountMin !== undefined) q = q.where('reviews_count', '>=', p.reviewsCountMin)
    return q
  },
})

export const getBook = defineGet({
  nsid: 'test.lib.book.getRecord',
  collection: book,
  params: z.strictObject({ ...getParams, hydrateReviews: hydrateLimit(), hydratePerson: flag() }),
})

export const listReviews = defineList({
  nsid: 'test.lib.review.listRecords',
  collection: review,
  params: z.strictObject({ ...listParams, mood: many(z.string()), hydrateBook: flag() }),
  sorts: {},
  where: (q: Query<Database, 'review'>, p) => {
    if (p.mood) q = q.where('mood', 'in', p.mood)
    return q
  },
})

export const listPeople = defineList({
  nsid: 'test.lib.person.listRecords',
  collection: person,
  params: z.strictObject({ ...listParams, hydrateBooks: hydrateLimit() }),
  sorts: {},
  where: (q: Query<Database, 'person'>) => q,
})

function indexes(table: string, ...columns: string[][]): IndexPlan[] {
  return columns.map((list) => ({ name: `${table}_by_${list.join('_')}`, columns: list }))
}

const plan: SchemaPlan = {
  tables: [
    {
      name: 'book',
      nsid: book.nsid,
      columns: Object.entries(book.columns).map(([name, { kind }]) => ({ name, type: kind })),
      counts: ['reviews_count'],
      indexes: indexes(
        'book',
        ['did', 'sort_at', 'uri'],
        ['sort_at', 'uri'],
        ['genre', 'sort_at', 'uri'],
        ['year', 'sort_at', 'uri'],
        ['lent', 'sort_at', 'uri'],
        ['pages', 'uri'],
        ['published', 'uri'],
        ['title', 'uri'],
        ['reviews_count', 'uri'],
        ['owner', 'genre', 'sort_at', 'uri'],
      ),
      search: {
        table: 'book_search',
        columns: [
          { name: 'title', segments: ['title'] },
          { name: 'blurb', segments: ['blurb'] },
        ],
      },
    },
    {
      name: 'review',
      nsid: review.nsid,
      columns: Object.entries(review.columns).map(([name, { kind }]) => ({ name, type: kind })),
      counts: [],
      indexes: indexes('review', ['did', 'sort_at', 'uri'], ['sort_at', 'uri'], ['subject_uri', 'sort_at', 'uri']),
      search: null,
    },
    {
      name: 'person',
      nsid: person.nsid,
      columns: [],
      counts: ['books_count'],
      indexes: indexes('person', ['did', 'sort_at', 'uri'], ['sort_at', 'uri']),
      search: null,
    },
  ],
  counters: [
    {
      name: 'book_reviews',
      relation: 'reviews',
      parent: 'book',
      child: 'review',
      column: 'subject_uri',
      match: 'uri',
      groupColumn: null,
      distinct: null,
      counts: [{ column: 'reviews_count', group: null }],
    },
    {
      name: 'person_books',
      relation: 'books',
      parent: 'person',
      child: 'book',
      column: 'owner',
      match: 'did',
      groupColumn: null,
      distinct: null,
      counts: [{ column: 'books_count', group: null }],
    },
  ],
}

export const library: App = {
  namespace: 'test.lib',
  collections: [book, person, review] as readonly CollectionDef[],
  methods: [listBooks, getBook, listReviews, listPeople],
  migrations: Object.fromEntries(
    Object.values(dialects).map(({ name, createSchema }) => [
      name,
      [{ name: '0001_init', statements: createSchema(plan).map(({ sql }) => sql) }],
    ]),
  ),
  schemas: [],
  lexicons: [{ lexicon: 1, id: 'test.lib.book.listRecords' }],
  jetstreams: [],
  relays: [],
  plc: 'https://plc.test',
  allowHosts: [],
}
