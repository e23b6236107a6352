/** Hydration against a model: the same children, targets and profiles, picked from plain lists in memory. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { databases } from '../../storage/databases.ts'
import { insertAll, type Params, type RowInput, START_US, serveAppOn, uriOf, walk } from '../support/index.ts'
import { book, person, review } from '../support/library.ts'
import { nestedLibrary } from '../support/nested.ts'

const DIDS = ['did:plc:ann', 'did:plc:bob', 'did:plc:cyd'] as const
const someone = fc.constantFrom(...DIDS)
const sortAt = fc.nat(3).map((n) => START_US + n)
const hidden = fc.constantFrom(false, false, false, true)

const bookUri = (i: number) => uriOf(book, { did: DIDS[0], rkey: `b${i}` })

const shelves = fc.record({
  book: fc
    .array(
      fc.record({
        sortAt,
        hidden,
        columns: fc.record({
          owner: fc.option(someone),
          genre: fc.constantFrom('novel', `it's "odd"`, 'neither', null),
        }),
      }),
      { maxLength: 15 },
    )
    .map((list) => list.map((input, i): RowInput => ({ ...input, did: DIDS[0], rkey: `b${i}` }))),
  review: fc
    .array(
      fc.record({
        did: someone,
        sortAt,
        hidden,
        columns: fc.record({ subject_uri: fc.option(fc.nat(16).map(bookUri)) }),
      }),
      { maxLength: 30 },
    )
    .map((list) => list.map((input, i): RowInput => ({ ...input, rkey: `r${i}` }))),
  person: fc
    .array(fc.record({ did: someone, sortAt, hidden, rkey: fc.constantFrom('self', 'other') }), { maxLength: 5 })
    .map((list) => list.filter((row, i) => list.findIndex((r) => r.did === row.did && r.rkey === row.rkey) === i)),
})

type Name = 'book' | 'review' | 'person'
const COLLECTIONS = { book, review, person }

const limit = fc.nat(3)
const flag = fc.boolean()
const asked: Readonly<Record<Name, fc.Arbitrary<Params>>> = {
  book: fc.record({
    hydrateReviews: limit,
    hydrateReviewsBook: flag,
    hydratePerson: flag,
    hydratePersonBooks: limit,
    profiles: flag,
  }),
  review: fc.record({ hydrateBook: flag, hydrateBookReviews: limit, hydrateBookPerson: flag, profiles: flag }),
  person: fc.record({ hydrateBooks: limit, hydrateBooksReviews: limit, hydrateBooksPerson: flag, profiles: flag }),
}

/** A record as it is answered by itself, and the columns by which others find it. */
interface Held {
  readonly view: any
  readonly columns: Readonly<Record<string, unknown>>
}

class Model {
  readonly #held: Readonly<Record<Name, readonly Held[]>>
  readonly authors = new Set<string>()

  constructor(held: Readonly<Record<Name, readonly Held[]>>) {
    this.#held = held
  }

  /** The view with what is asked for in it. */
  embed(name: Name, { view, columns }: Held, params: Params, prefix = 'hydrate'): any {
    this.authors.add(view.did)
    const extra: any = {}
    const wanted = (param: string) => Number(params[prefix + param] ?? 0)
    const inner = (to: Name, param: string) => (held: Held) => this.embed(to, held, params, prefix + param)
    if (name === 'book') {
      if (wanted('Reviews') > 0) {
        const children = this.#newest('review', ({ columns }) => columns.subject_uri === view.uri)
        extra.reviews = children.slice(0, wanted('Reviews')).map(inner('review', 'Reviews'))
      }
      const [owner] = this.#newest('person', (held) => held.view.did === columns.owner)
      if (wanted('Person') > 0 && owner !== undefined) extra.person = inner('person', 'Person')(owner)
    }
    if (name === 'review' && wanted('Book') > 0) {
      const [target] = this.#newest('book', (held) => held.view.uri === columns.subject_uri)
      if (target !== undefined) extra.book = inner('book', 'Book')(target)
    }
    if (name === 'person' && wanted('Books') > 0) {
      extra.books = {}
      for (const [group, genre] of Object.entries({ parent: 'novel', odd: `it's "odd"` })) {
        const children = this.#newest('book', (b) => b.columns.owner === view.did && b.columns.genre === genre)
        const some = children.slice(0, wanted('Books')).map(inner('book', 'Books'))
        if (some.length > 0) extra.books[group] = some
      }
    }
    return { ...view, ...extra }
  }

  profiles(): Set<string> {
    const own = (did: string) => this.#held.person.find(({ view }) => view.did === did && view.rkey === 'self')
    return new Set([...this.authors].map((did) => own(did)?.view.uri ?? did))
  }

  #newest(name: Name, keep: (held: Held) => boolean): Held[] {
    const found = this.#held[name].filter(keep)
    return found.sort((a, b) => b.view.time_us - a.view.time_us || (a.view.uri < b.view.uri ? 1 : -1))
  }
}

describe.each(databases)('$name', (database) => {
  test('what is embedded is what the model embeds', async () => {
    const questions = fc.array(
      fc.constantFrom<Name>('book', 'review', 'person').chain((name) => fc.tuple(fc.constant(name), asked[name])),
      { minLength: 8, maxLength: 8 },
    )
    await fc.assert(
      fc.asyncProperty(shelves, questions, async (rows, questions) => {
        const served = await serveAppOn(database, nestedLibrary)
        try {
          const held = {} as Record<Name, Held[]>
          for (const name of ['person', 'book', 'review'] as const) {
            await insertAll(served.store, COLLECTIONS[name], rows[name])
          }
          // As they are without parameters, counts included.
          for (const name of ['person', 'book', 'review'] as const) {
            const byUri = new Map(rows[name].map((input) => [uriOf(COLLECTIONS[name], input), input]))
            const views = (await walk(served, `${name}.listRecords`, { limit: 200 })).flat()
            held[name] = views.map((view) => ({ view, columns: (byUri.get(view.uri) as RowInput).columns ?? {} }))
          }
          for (const [name, params] of questions) {
            const given = Object.fromEntries(Object.entries(params).filter(([param]) => isServed(param, params)))
            const model = new Model(held)
            const expected = held[name].map((one) => model.embed(name, one, given))
            const page = await served.call(`${name}.listRecords`, { ...given, limit: 200 })
            expect(page.records, JSON.stringify([name, given])).toEqual(expected)
            if (params.profiles) {
              expect(new Set(page.profiles.map((entry: any) => entry.uri ?? entry.did))).toEqual(model.profiles())
            } else expect(page).not.toHaveProperty('profiles')
          }
        } finally {
          await served.close()
        }
      }),
      { numRuns: Math.max(2, Math.round(40 * database.share)) },
    )
  })
})

/** Without what it is embedded in, a parameter is refused. */
function isServed(param: string, params: Params): boolean {
  return Object.keys(params).every((outer) => !param.startsWith(outer) || param === outer || Number(params[outer]) > 0)
}
