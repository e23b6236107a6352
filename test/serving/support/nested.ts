import {
  type App,
  defineGet,
  defineList,
  flag,
  getParams,
  hydrateLimit,
  listParams,
  z,
} from '../../../runtime/index.ts'
import { book, library, person, review } from './library.ts'

const ofBooks = {
  hydrateReviews: hydrateLimit(),
  hydrateReviewsBook: flag(),
  hydratePerson: flag(),
  hydratePersonBooks: hydrateLimit(),
  profiles: flag(),
}

const ofReviews = {
  hydrateBook: flag(),
  hydrateBookReviews: hydrateLimit(),
  hydrateBookPerson: flag(),
  profiles: flag(),
}

const ofPeople = {
  hydrateBooks: hydrateLimit(),
  hydrateBooksReviews: hydrateLimit(),
  hydrateBooksPerson: flag(),
  profiles: flag(),
}

/** The library, with all that can be embedded in its records, and people as the profiles of accounts. */
export const nestedLibrary: App = {
  ...library,
  profiles: [{ collection: person, rkey: 'self' }],
  methods: [
    defineList()({
      nsid: 'test.lib.book.listRecords',
      collection: book,
      params: z.strictObject({ ...listParams, ...ofBooks }),
      filters: {},
      sorts: {},
    }),
    defineGet({
      nsid: 'test.lib.book.getRecord',
      collection: book,
      params: z.strictObject({ ...getParams, ...ofBooks }),
    }),
    defineList()({
      nsid: 'test.lib.review.listRecords',
      collection: review,
      params: z.strictObject({ ...listParams, ...ofReviews }),
      filters: {},
      sorts: {},
    }),
    defineList()({
      nsid: 'test.lib.person.listRecords',
      collection: person,
      params: z.strictObject({ ...listParams, ...ofPeople }),
      filters: {},
      sorts: {},
    }),
  ],
}
