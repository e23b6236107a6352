import { afterEach, beforeEach, expect, test } from 'vitest'
import { EVENT, type Network, startNetwork } from '../../../fixtures/network/index.ts'
import { type CalendarIndexer, deliver, expectSame, openIndexer } from '../support.ts'

let network: Network
let indexer: CalendarIndexer
const log: string[] = []

beforeEach(async () => {
  log.length = 0
  network = await startNetwork({ accounts: 130, events: 130, rsvps: 600, pdsCount: 2 })
  const line = (text: string) => void log.push(text)
  indexer = await openIndexer(network, { logger: { log: line, warn: line, error: line } })
})
afterEach(async () => {
  await indexer.close()
  await network.close()
})

async function expectCounted(): Promise<void> {
  const rows = await indexer.db.selectFrom('event').select(['uri', 'rsvps_count']).orderBy('uri').execute()
  const counted = await indexer.db
    .selectFrom('event')
    .select([
      'uri',
      (eb) =>
        eb
          .selectFrom('rsvp')
          .whereRef('subject_uri', '=', 'event.uri')
          .select(eb.fn.countAll<number>().as('n'))
          .as('n'),
    ])
    .orderBy('uri')
    .execute()
  expect(rows.map((row) => row.rsvps_count)).toEqual(counted.map((row) => row.n))
  expect(rows.some((row) => row.rsvps_count > 0)).toBe(true)
}

test('the history of many accounts is loaded in bulk, beside the stream, and counted at the end', async () => {
  let meanwhile: Promise<boolean> | undefined
  async function writeMeanwhile(): Promise<boolean> {
    const { did } = network.accounts[0]!
    network.put(did, EVENT, undefined, { $type: EVENT, name: 'Soup', createdAt: '2026-01-16T09:00:00Z' })
    await deliver(indexer, network.log.slice(-1))
    return (await indexer.status()).bulkLoad
  }
  await indexer.backfillAll({
    onProgress: () => {
      meanwhile ??= writeMeanwhile()
    },
  })
  expect(await meanwhile).toBe(true)
  await expectSame(indexer, network)
  await expectCounted()
  expect(log.join()).toContain('loading in bulk')
  expect(await indexer.status()).toMatchObject({ bulkLoad: false })
})

test('a backfill that is aborted ends its load, and the next one goes on without', async () => {
  const abort = new AbortController()
  await indexer.backfillAll({
    signal: abort.signal,
    onProgress: ({ accountsDone }) => accountsDone > 20 && abort.abort(),
  })
  expect(await indexer.status()).toMatchObject({ bulkLoad: false })
  await expectCounted()
  await indexer.backfillAll()
  await expectSame(indexer, network)
  await expectCounted()
})
