/** Lists against a model: the same filter, sort and slice over the rows in memory. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Store } from '../../../runtime/storage/store.ts'
import { databases } from '../../storage/databases.ts'
import { insertAll, type Params, type Served, START_US, serveAppOn, serveWithFew, walk } from '../support/index.ts'
import { book, library } from '../support/library.ts'
import {
  chunks,
  eachFilter,
  FEW,
  few,
  filters,
  limit,
  matches,
  order,
  type Row,
  rows,
  sorted,
} from '../support/list-model.ts'

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

async function fill({ store }: Served<Store>, list: readonly Row[]): Promise<void> {
  const rows = list.map((item) => ({ ...item, record: { title: item.words.join(' '), n: item.rkey } }))
  await insertAll(store, book, rows)
}

describe.each(databases)('$name', (database) => {
  // To open some databases takes seconds, so all cases share one.
  const servers = new Map<number, Served<Store>>()
  beforeAll(async () => {
    const served = await serveAppOn(database, library)
    for (const few of FEW) servers.set(few, serveWithFew(library, served, few))
  })
  afterAll(() => servers.get(0)?.close())

  async function withRows(
    list: readonly Row[],
    few: number,
    check: (served: Served<Store>) => Promise<void>,
  ): Promise<void> {
    const served = servers.get(few)!
    await served.store.db.deleteFrom('book').execute()
    await fill(served, list)
    await check(served)
    expect(served.errors.splice(0)).toEqual([])
  }

  async function expectPages(served: Served<Store>, list: readonly Row[], params: Params, size: number): Promise<void> {
    const expected = sorted(
      list.filter((item) => matches(item, params)),
      params,
    )
    const pages = await walk(served, 'book.listRecords', { ...params, limit: size })
    expect(pages.map((page) => page.map((record) => record.value.n))).toEqual(
      chunks(expected, size).map((page) => page.map((item) => item.rkey)),
    )
  }

  test('pages are those of the model, and end exactly', async () => {
    await fc.assert(
      fc.asyncProperty(
        rows,
        fc.array(fc.tuple(filters, order), { minLength: 1, maxLength: 5 }),
        limit,
        few,
        (...given) => {
          const [list, requests, size, few] = given
          return withRows(list, few, async (served) => {
            for (const [filter, sort] of requests) await expectPages(served, list, { ...filter, ...sort }, size)
          })
        },
      ),
      { numRuns: Math.ceil(150 * database.share) },
    )
  })

  test.each(eachFilter)('pages by %s are those of the model', async (_, filter) => {
    await fc.assert(
      fc.asyncProperty(
        rows,
        fc.array(fc.tuple(filter, order), { minLength: 5, maxLength: 5 }),
        limit,
        few,
        (...given) => {
          const [list, requests, size, few] = given
          return withRows(list, few, async (served) => {
            for (const [params, sort] of requests) await expectPages(served, list, { ...params, ...sort }, size)
          })
        },
      ),
      { numRuns: Math.ceil(10 * database.share) },
    )
  })

  test('a search finds every match once, by relevance or sorted', async () => {
    const search = fc.constantFrom(...Object.keys(SEARCHES))
    await fc.assert(
      fc.asyncProperty(rows, filters, order, search, limit, few, async (list, filter, sort, words, size, few) => {
        await withRows(list, few, async (served) => {
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

  test('what is there throughout is met once on every walk, while others come, change and go', async () => {
    await fc.assert(
      fc.asyncProperty(rows, rows, filters, order, limit, few, async (list, others, filter, sort, size, few) => {
        const restless = others.map((item) => ({ ...item, rkey: `other-${item.rkey}` }))
        await withRows(list, few, async (served) => {
          const { db } = served.store
          const params = { ...filter, ...sort }
          const expected = sorted(
            list.filter((item) => matches(item, params)),
            params,
          )
          const seen: string[] = []
          let cursor: string | undefined
          let [added, gone] = [0, 0]
          do {
            const page = await served.call('book.listRecords', { ...params, limit: size, cursor })
            seen.push(
              ...page.records.map((record: any) => record.value.n).filter((n: string) => !n.startsWith('other')),
            )
            cursor = page.cursor
            await fill(served, restless.slice(added, added + 3))
            added += 3
            const { rkey } = restless[gone++] ?? { rkey: '' }
            if (gone % 2 === 0) await db.deleteFrom('book').where('rkey', '=', rkey).execute()
            else
              await db
                .updateTable('book')
                .set({ sort_at: START_US, shelf: '["new"]' })
                .where('rkey', '=', rkey)
                .execute()
          } while (cursor !== undefined)
          expect(seen).toEqual(expected.map((item) => item.rkey))
        })
      }),
      { numRuns: Math.ceil(60 * database.share) },
    )
  })

  test('a cursor that stood before others were written still partitions what was there', async () => {
    const served = servers.get(2000)!
    await served.store.db.deleteFrom('book').execute()
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
