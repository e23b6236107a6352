import { afterEach, expect, test } from 'vitest'
import { app } from '../../../fixtures/apps/calendar/src/lexidex/index.ts'
import { createIndexer, type Indexer } from '../../../runtime/index.ts'
import { createSqliteStore } from '../../../runtime/storage/sqlite/index.ts'

let indexer: Indexer<any>
afterEach(() => indexer.close())

test('/status and indexer.status() say the same', async () => {
  const logger = { log: () => {}, warn: () => {}, error: () => {} }
  indexer = createIndexer<any>(app, createSqliteStore(':memory:'), { logger })
  await indexer.migrate()
  const { database } = indexer.store as ReturnType<typeof createSqliteStore>
  database.exec(`INSERT INTO lexidex_account (did, first_seen_at) VALUES ('did:plc:alice', 0);
    INSERT INTO lexidex_job (did, collection, status, updated_at) VALUES ('did:plc:alice', 'a.b.c', 'failed', 0)`)
  const served = await (await indexer.fetch(new Request('http://localhost/status'))).json()
  expect(served).toEqual(JSON.parse(JSON.stringify(await indexer.status())))
  expect(served).toMatchObject({ status: 'ok', accounts: 1, jobs: { failed: 1 }, live: expect.anything() })
})
