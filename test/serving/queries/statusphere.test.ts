/** Queries of a config as an app has them: generated, served, and called by the typed client. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createIndexer, createServerClient } from '../../../fixtures/apps/statusphere/src/lexidex/index.ts'
import { silentLogger } from '../../../runtime/core/log.ts'
import { databases } from '../../storage/databases.ts'
import type { Database } from '../../storage/harness.ts'
import { insertAll, START_US } from '../support/index.ts'

describe.each(databases)('$name', ({ open }) => {
  let database: Database
  let indexer: ReturnType<typeof createIndexer>
  beforeEach(async () => {
    database = await open()
    const store = await database.connect()
    indexer = createIndexer(store, { onDemand: false, logger: silentLogger })
    await indexer.migrate()
    const [status] = indexer.app.collections.filter(({ name }) => name === 'status')
    const rows = [
      ['did:plc:ann', '👍', 0],
      ['did:plc:ann', '🦋', 1],
      ['did:plc:bob', '🦋', 2],
      ['did:plc:cyd', '🦋', 3],
      ['did:plc:cyd', '👍', 4],
      ['did:plc:dan', '🥳', 5],
    ] as const
    await insertAll(
      store,
      status!,
      rows.map(([did, emoji, i]) => ({ did, rkey: `s${i}`, sortAt: START_US + i, columns: { status: emoji } })),
    )
  })
  afterEach(async () => {
    await indexer.close()
    await database.drop()
  })

  test('a query of its own', async () => {
    const api = createServerClient(indexer)
    const { statuses } = await api.status.tally({ most: 2 })
    expect(statuses.map(({ emoji, times }) => [emoji, times])).toEqual([
      ['🦋', 3],
      ['👍', 2],
    ])
    expect((await api.status.tally()).statuses).toHaveLength(3)
    await expect(api.status.tally({ most: 0 })).rejects.toMatchObject({ status: 400, error: 'InvalidRequest' })
    // @ts-expect-error not a number
    await expect(api.status.tally({ most: 'all' })).rejects.toMatchObject({ status: 400 })
  })

  test('a list of its own, with what every list takes', async () => {
    const api = createServerClient(indexer)
    const page = await api.status.latest({ limit: 2, profiles: true })
    expect(page.records.map(({ rkey }) => rkey)).toEqual(['s5', 's4'])
    expect(page.profiles.map(({ did }) => did)).toEqual(['did:plc:dan', 'did:plc:cyd'])
    const rest = await api.status.latest({ limit: 2, cursor: page.cursor })
    expect(rest).toMatchObject({ records: [{ rkey: 's2' }, { rkey: 's1' }] })
    expect(rest).not.toHaveProperty('cursor')
    expect((await api.status.latest({ status: '🦋' })).records.map(({ rkey }) => rkey)).toEqual(['s2', 's1'])
  })
})
