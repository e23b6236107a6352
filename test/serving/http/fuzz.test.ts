/** Whatever is asked of any method of the apps, it is answered or refused, never an error of ours. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { app as bluesky } from '../../../fixtures/apps/bluesky/src/lexidex/index.ts'
import { app as calendar } from '../../../fixtures/apps/calendar/src/lexidex/index.ts'
import type { App, ListDef } from '../../../runtime/index.ts'
import { databases } from '../../storage/databases.ts'
import { insertAll, type Served, serveAppOn, serveWithFew } from '../support/index.ts'
import { library } from '../support/library.ts'

const APPS: readonly (readonly [string, App])[] = [
  ['calendar', calendar],
  ['bluesky', bluesky],
  ['library', library],
]

const VALUES = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '1',
    '0',
    '-1',
    'true',
    'false',
    '',
    ' ',
    '2026-01-01T00:00:00Z',
    '2026-01-01T00:00:00.1234567+23:59',
  ),
  fc.constantFrom(
    'did:plc:alice',
    'alice.test',
    'at://did:plc:alice/a.b.c/x',
    '"',
    'a OR b',
    'wor*',
    '-x',
    '\u{10ffff}',
  ),
  fc.constantFrom('desc', 'asc', 'createdAt', 'relevance', 'W10', 'WzEsMl0', 'WzE', '9007199254740992', 'NaN', '\0'),
  fc.string({ minLength: 1000, maxLength: 1100 }),
)

/** Values that a parameter takes, so that most requests get past the first of them. */
const takenBy = (schema: any) => VALUES.filter((value) => schema.safeParse(value).success)

function queries(def: ListDef<any>): fc.Arbitrary<string> {
  const names = Object.keys(def.params.shape)
  const pair = fc.constantFrom(...names).chain((name) => {
    const taken = takenBy(def.params.shape[name])
    return fc.oneof({ weight: 8, arbitrary: taken }, { weight: 1, arbitrary: VALUES }).map((value) => [name, value])
  })
  return fc.array(pair, { maxLength: 8 }).map((pairs) => new URLSearchParams(pairs as [string, string][]).toString())
}

describe.each(databases)('$name', (database) => {
  describe.each(APPS)('%s', (_, app) => {
    let all: Served<any>[] = []
    const lists = app.methods.filter((method): method is ListDef => method.kind === 'list')
    beforeAll(async () => {
      const served = await serveAppOn(database, app)
      all = [served, serveWithFew(app, served, 0)]
      for (const { collection } of lists) {
        await insertAll(served.store, collection, [{ rkey: 'a' }, { rkey: 'b' }])
      }
    })
    afterAll(() => all[0]?.close())

    test('every list answers every query', async () => {
      const request = fc.constantFrom(...lists).chain((def) => fc.tuple(fc.constant(def.nsid), queries(def)))
      let answered = 0
      await fc.assert(
        fc.asyncProperty(request, fc.constantFrom(0, 1), async ([nsid, query], which) => {
          const { status, body } = await all[which]!.get(`/xrpc/${nsid}?${query}`)
          expect([200, 400, 414]).toContain(status)
          const { cursor } = JSON.parse(body)
          if (status === 200) answered++
          if (cursor === undefined) return
          // Its own cursor goes on; another query refuses it.
          const next = await all[which]!.get(`/xrpc/${nsid}?${query}&cursor=${cursor}`)
          expect(next.status).toBe(query.includes('cursor=') ? 400 : 200)
        }),
        { numRuns: Math.ceil(1500 * database.share) },
      )
      for (const { errors } of all) expect(errors).toEqual([])
      expect(answered).toBeGreaterThan(10)
    })
  })
})
