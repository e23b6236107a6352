import { dialects } from '../../../generator/dialects/registry.ts'
import type { IndexPlan, SchemaPlan, TablePlan } from '../../../generator/plan/types.ts'
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
  prefixParam,
  type RecordColumns,
  search,
  strings,
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
    mood: text((r) => r.mood),
    owner: text((r) => r.owner),
    pages: integer((r) => r.pages),
    published: datetime((r) => r.published),
    shelf: strings('book_shelf_values', (r) => r.shelf),
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
  book: RecordColumns & {
    genre: string | null
    lent: number | null
    mood: string | null
    owner: string | null
    pages: number | null
    published: number | null
    shelf: string | null
    title: string | null
    year: number | null
    reviews_count: number
  }
  review: RecordColumns & { mood: string | null; subject_uri: string | null }
  person: RecordColumns & { books_count: number }
}

export const listBooks = defineList<Database['book']>()({
  nsid: 'test.lib.book.listRecords',
  collection: book,
  params: z.strictObject({
    ...listParams,
    genre: many(z.string()),
    genreNot: many(z.string()),
    genrePrefix: prefixParam(),
    genreExists: flag(),
    year: many(integerParam()),
    yearNot: many(integerParam()),
    lent: booleanParam(),
    lentExists: flag(),
    pagesMin: integerParam(),
    pagesMax: integerParam(),
    publishedMin: datetimeParam(),
    publishedMax: datetimeParam(),
    publishedExists: flag(),
    titleMin: z.string().optional(),
    titleMax: z.string().optional(),
    titlePrefix: prefixParam(),
    shelf: many(z.string()),
    shelfNot: many(z.string()),
    moodNot: many(z.string()),
    reviewsCountMin: count(),
    reviewsCountMax: count(),
    search: search(),
    sort: z.enum(['createdAt', 'pages', 'published', 'title', 'reviewsCount', 'relevance']).optional(),
    hydrateReviews: hydrateLimit(),
    hydratePerson: flag(),
  }),
  filters: {
    genre: { anyOf: 'genre' },
    genreNot: { noneOf: 'genre' },
    genrePrefix: { prefix: 'genre' },
    genreExists: { exists: 'genre' },
    year: { anyOf: 'year' },
    yearNot: { noneOf: 'year' },
    lent: { equal: 'lent' },
    lentExists: { exists: 'lent' },
    pagesMin: { min: 'pages' },
    pagesMax: { max: 'pages' },
    publishedMin: { min: 'published' },
    publishedMax: { max: 'published' },
    publishedExists: { exists: 'published' },
    titleMin: { min: 'title' },
    titleMax: { max: 'title' },
    titlePrefix: { prefix: 'title' },
    shelf: { anyOf: 'shelf' },
    shelfNot: { noneOf: 'shelf' },
    moodNot: { noneOf: 'mood' },
    reviewsCountMin: { min: 'reviews_count' },
    reviewsCountMax: { max: 'reviews_count' },
  },
  sorts: {
    createdAt: 'sort_at',
    pages: 'pages',
    published: 'published',
    title: 'title',
    reviewsCount: 'reviews_count',
  },
})

export const getBook = defineGet({
  nsid: 'test.lib.book.getRecord',
  collection: book,
  params: z.strictObject({ ...getParams, hydrateReviews: hydrateLimit(), hydratePerson: flag() }),
})

export const listReviews = defineList<Database['review']>()({
  nsid: 'test.lib.review.listRecords',
  collection: review,
  params: z.strictObject({ ...listParams, mood: many(z.string()), hydrateBook: flag() }),
  filters: { mood: { anyOf: 'mood' } },
  sorts: {},
})

export const listPeople = defineList<Database['person']>()({
  nsid: 'test.lib.person.listRecords',
  collection: person,
  params: z.strictObject({ ...listParams, hydrateBooks: hydrateLimit() }),
  filters: {},
  sorts: {},
})

function indexes(table: string, ...columns: string[][]): IndexPlan[] {
  return columns.map((list) => ({ name: `${table}_by_${list.join('_')}`, columns: list, serves: ['tests'] }))
}

function columnsOf({ columns }: CollectionDef): TablePlan['columns'] {
  return Object.entries(columns).map(([name, { kind }]) => ({ name, type: kind === 'list' ? 'text' : kind }))
}

const plan: SchemaPlan = {
  tables: [
    {
      name: 'book',
      nsid: book.nsid,
      columns: columnsOf(book),
      counts: ['reviews_count'],
      indexes: indexes(
        'book',
        ['did', 'sort_at', 'uri'],
        ['sort_at', 'uri'],
        ['genre', 'sort_at', 'uri'],
        ['year', 'sort_at', 'uri'],
        ['lent', 'sort_at', 'uri'],
        ['indexed_at'],
        ['pages', 'sort_at', 'uri'],
        ['published', 'sort_at', 'uri'],
        ['title', 'sort_at', 'uri'],
        ['reviews_count', 'sort_at', 'uri'],
        ['owner', 'genre', 'sort_at', 'uri'],
      ),
      lists: [{ table: 'book_shelf_values', column: 'shelf', serves: ['tests'] }],
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
      columns: columnsOf(review),
      counts: [],
      indexes: indexes(
        'review',
        ['indexed_at'],
        ['did', 'sort_at', 'uri'],
        ['sort_at', 'uri'],
        ['subject_uri', 'sort_at', 'uri'],
        ['mood', 'sort_at', 'uri'],
      ),
      lists: [],
      search: null,
    },
    {
      name: 'person',
      nsid: person.nsid,
      columns: [],
      counts: ['books_count'],
      indexes: indexes('person', ['did', 'sort_at', 'uri'], ['sort_at', 'uri'], ['indexed_at']),
      lists: [],
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
