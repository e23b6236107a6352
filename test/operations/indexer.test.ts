import { afterEach, beforeEach, expect, test } from 'vitest'
import { app } from '../../fixtures/apps/calendar/src/lexidex/index.ts'
import { silentLogger } from '../../runtime/core/log.ts'
import { createIndexer } from '../../runtime/indexer.ts'
import { createSqliteStore, type SqliteStore } from '../../runtime/storage/sqlite/index.ts'

let store: SqliteStore
beforeEach(() => {
  store = createSqliteStore(':memory:')
})
afterEach(() => store.close())

test('more collections than Jetstream filters by are refused at once, with a way out', () => {
  const plain = app.collections.find(({ name }) => name === 'profile')!
  const collections = Array.from({ length: 101 }, (_, i) => ({
    ...plain,
    name: `c${i}`,
    nsid: `com.example.c${i}`,
    validate: 'off' as const,
  }))
  const open = (count: number, jetstreams = app.jetstreams) =>
    createIndexer({ ...app, methods: [], collections: collections.slice(0, count), jetstreams }, store, {
      logger: silentLogger,
    })
  expect(() => open(101)).toThrow(
    expect.objectContaining({
      message: 'Jetstream filters by at most 100 collections, not 101',
      hint: expect.stringContaining('two apps'),
    }),
  )
  expect(() => open(100)).not.toThrow()
  // Served without being followed, it may have any number.
  expect(() => open(101, [])).not.toThrow()
})

test('a URL that is none of a Jetstream is refused at once', () => {
  const open = () => createIndexer(app, store, { jetstreams: ['https://jetstream.example'], logger: silentLogger })
  expect(open).toThrow('Not the URL of a Jetstream')
})
