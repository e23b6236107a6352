import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { app as bluesky } from '../../fixtures/apps/bluesky/src/lexidex/index.ts'
import { app as calendar } from '../../fixtures/apps/calendar/src/lexidex/index.ts'
import type { Model } from '../../generator/model/types.ts'
import type { App } from '../../runtime/app.ts'
import type { CollectionDef } from '../../runtime/core/collection.ts'
import type { ColumnValue, Operation } from '../../runtime/core/operation.ts'
import type { Store } from '../../runtime/storage/store.ts'
import { batchOf, del, did, put, settle, uriOf } from './app.ts'
import { databases } from './databases.ts'
import { expectLists, rowsOf } from './harness.ts'

const AUTHORS = ['alice', 'bob'].map(did)
const RKEYS = ['a', 'b']

function modelOf(name: string): Model {
  return JSON.parse(
    readFileSync(new URL(`../../fixtures/apps/${name}/src/lexidex/model.json`, import.meta.url), 'utf8'),
  )
}

/** Operations, and findings about accounts, that meet often: few authors and keys, pointers at each other. */
function actionsOf({ collections }: App, model: Model) {
  const keys = collections.flatMap((collection) =>
    AUTHORS.flatMap((author) => RKEYS.map((rkey) => ({ collection: collection as CollectionDef, did: author, rkey }))),
  )
  const operation = fc.constantFrom(...keys).chain((key) => {
    const columns = Object.keys(key.collection.columns)
    const values = fc.tuple(...columns.map((column) => valuesOf(model, collections, key.collection, column)))
    return fc
      .tuple(fc.constantFrom(true, true, true, false), fc.integer({ min: 1, max: 60 }), values)
      .map(([isPut, rev, values]): Operation => (isPut ? put({ ...key, rev, values }) : del({ ...key, rev })))
  })
  const statuses = fc.constantFrom('active', 'deactivated', 'deleted')
  const finding = fc.tuple(fc.constantFrom(...AUTHORS), statuses).map(([author, status]) => settle(author, status))
  return fc.array(fc.oneof({ weight: 4, arbitrary: operation }, { weight: 1, arbitrary: finding }), { maxLength: 40 })
}

/** What a column may hold: pointers at parents where a relation reads it, groups where one groups by it. */
function valuesOf(
  model: Model,
  collections: App['collections'],
  collection: CollectionDef,
  column: string,
): fc.Arbitrary<ColumnValue> {
  if (collection.columns[column]!.kind === 'list') {
    return fc.constantFrom(null, '[]', '["a"]', '["a","b"]', '["ünï \\"q\\"","b"]')
  }
  const values = new Set<ColumnValue>([null])
  for (const parent of model.collections) {
    for (const relation of parent.relations.filter((one) => one.collection === collection.name)) {
      const definition = collections.find(({ name }) => name === parent.name)!
      const uris = AUTHORS.map((author) => uriOf(definition, author, 'a'))
      if (relation.column === column)
        for (const pointer of relation.match === 'did' ? AUTHORS : uris) values.add(pointer)
      if (relation.groups?.column === column) for (const { value } of relation.groups.values) values.add(value)
    }
  }
  return fc.constantFrom(...values)
}

async function expectRecount(store: Store, model: Model): Promise<void> {
  for (const parent of model.collections) {
    const rows = await rowsOf(store, parent.table)
    for (const { name, collection, column, match, groups, distinct } of parent.relations) {
      const child = model.collections.find((one) => one.name === collection)!
      const children = (await rowsOf(store, child.table)).filter((row) => row.hidden === 0)
      for (const count of parent.counts.filter(({ relation }) => relation === name)) {
        const group = groups?.values.find((one) => one.name === count.group)?.value
        const counted = (row: Record<string, any>) => {
          const mine = children.filter(
            (one) => one[column] === row[match] && (group === undefined || one[groups!.column] === group),
          )
          if (distinct === null) return mine.length
          return new Set(mine.map((one) => one[distinct]).filter((value) => value !== null)).size
        }
        const actual = rows.map((row) => [row.uri, count.column, row[count.column]])
        expect(actual).toEqual(rows.map((row) => [row.uri, count.column, counted(row)]))
      }
    }
  }
}

const apps = [
  ['bluesky', bluesky],
  ['calendar', calendar],
] as const

describe.each(databases)('$name', ({ open, share }) => {
  test.each(apps)(
    'emitted migrations of %s: counts equal a recount, and lists hold what rows do, after any operations',
    async (name, app) => {
      const model = modelOf(name)
      await fc.assert(
        fc.asyncProperty(actionsOf(app, model), async (actions) => {
          const database = await open()
          try {
            const store = await database.connect()
            await store.migrate(app.migrations[database.dialect]!)
            await store.use(app.collections)
            for (const action of actions) await store.apply(batchOf(action))
            await expectRecount(store, model)
            await expectLists(store, app.collections)
          } finally {
            await database.drop()
          }
        }),
        { numRuns: Math.ceil(100 * share) },
      )
    },
  )
})
