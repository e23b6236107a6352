/**
 * A search finds the same records on every database, and those that it is said to find: words in every script, `prefix*`,
 * `"phrase"`, `OR`, `-not`; without case and accents.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { XrpcError } from '../../runtime/index.ts'
import type { Store } from '../../runtime/storage/store.ts'
import { insertAll, type Served, serveAppOn, walk } from '../serving/support/index.ts'
import { book, library } from '../serving/support/library.ts'
import { databases } from '../storage/databases.ts'
import { searchCase, searchModel } from './support/search-model.ts'
import { cases, patience } from './support/settings.ts'

describe.each(databases)('$name', (database) => {
  let served: Served<Store>
  beforeAll(async () => {
    served = await serveAppOn(database, library)
  })
  afterAll(() => served?.close())

  async function store(fields: readonly (readonly [title: string, blurb: string])[]): Promise<void> {
    await served.store.db.deleteFrom('book').execute()
    const rows = fields.map(([title, blurb], i) => ({ rkey: `k${i}`, record: { title, blurb } }))
    await insertAll(served.store, book, rows)
  }

  /** Keys of the records that a search finds: by relevance, and in order of time. */
  async function found(text: string): Promise<string[]> {
    const [byRelevance, byTime] = await Promise.all(
      [{}, { order: 'asc' }].map(async (more) => {
        const pages = await walk(served, 'book.listRecords', { search: text, ...more, limit: 20 })
        return pages.flatMap((page) => page.map((record) => record.rkey as string)).sort()
      }),
    )
    expect(byRelevance).toEqual(byTime)
    return byTime!
  }

  test(
    'a search finds what it is said to find',
    async () => {
      await fc.assert(
        fc.asyncProperty(searchCase, async ({ texts, searches }) => {
          await store(texts)
          for (const one of searches) {
            const matches = matcherOf(one)
            if (matches === null) {
              expect(await served.fail('book.listRecords', { search: one })).toMatchObject({ status: 400 })
              continue
            }
            const expected = texts.flatMap((fields, i) => (matches(fields) ? [`k${i}`] : []))
            expect(await found(one), JSON.stringify(one)).toEqual(expected.sort())
          }
        }),
        { ...cases(60 * database.share), endOnFailure: false },
      )
    },
    patience(60_000),
  )
})

/** Null where it is refused: it cannot be understood, or holds a NUL, as no parameter does. */
function matcherOf(text: string) {
  if (text.includes('\0')) return null
  try {
    return searchModel(text)
  } catch (error) {
    if (error instanceof XrpcError) return null
    throw error
  }
}
