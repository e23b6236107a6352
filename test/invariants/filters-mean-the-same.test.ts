/**
 * Invariant 8: a filter means the same in the SQL of every database, in the matcher of rows at hand, and as it is said to
 * mean.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createMatcher, XrpcError } from '../../runtime/index.ts'
import type { Store } from '../../runtime/storage/store.ts'
import { insertAll, type Params, type Served, serveAppOn, walk } from '../serving/support/index.ts'
import { book, library, listBooks } from '../serving/support/library.ts'
import { eachFilter, filters, matches, rows } from '../serving/support/list-model.ts'
import { databases } from '../storage/databases.ts'

const oneFilter = fc.oneof(...eachFilter.map(([, filter]) => filter))

function queryOf(params: Params): string {
  const pairs = Object.entries(params).flatMap(([name, given]) => [given].flat().map((value) => [name, String(value)]))
  return new URLSearchParams(pairs as [string, string][]).toString()
}

describe.each(databases)('$name', (database) => {
  let served: Served<Store>
  beforeAll(async () => {
    served = await serveAppOn(database, library)
  })
  afterAll(() => served?.close())

  test('a list has the rows that the matcher takes, and those only', async () => {
    await fc.assert(
      fc.asyncProperty(
        rows,
        fc.array(fc.oneof(oneFilter, filters), { minLength: 8, maxLength: 8 }),
        async (list, all) => {
          const { db } = served.store
          await db.deleteFrom('book').execute()
          await insertAll(
            served.store,
            book,
            list.map((item) => ({ ...item, record: { n: item.rkey } })),
          )
          const stored = await db.selectFrom('book').selectAll().execute()
          for (const params of all) {
            const taken = stored.filter(createMatcher(listBooks, queryOf(params))).map((row) => row.rkey)
            const pages = await walk(served, 'book.listRecords', { ...params, limit: 20 })
            expect(taken.sort()).toEqual(pages.flatMap((page) => page.map((record) => record.value.n)).sort())
            expect(taken.sort()).toEqual(
              list
                .filter((item) => matches(item, params))
                .map((item) => item.rkey)
                .sort(),
            )
          }
        },
      ),
      { numRuns: Math.ceil(100 * database.share) },
    )
  })
})

test('what the matcher cannot tell, and what the list would not take, it refuses', () => {
  for (const query of ['search=red', 'pagesMin=many', 'nothing=1', 'did=did:plc:a&actor=did:plc:b']) {
    expect(() => createMatcher(listBooks, query)).toThrow(XrpcError)
  }
  // No row is of an account that is given by a handle: that is for who asks to look up.
  expect(() => createMatcher(listBooks, 'actor=alice.test')).toThrow(/DID/)
})
