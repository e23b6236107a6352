/** Listings that are gone on with later, and accounts that were away when they were to be fetched. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { EVENT, type Network, startNetwork } from '../../../fixtures/network/index.ts'
import { type CalendarIndexer, expectSame, manualClock, openIndexer } from '../support.ts'

const LIST = 'com.atproto.repo.listRecords'
const AWAY = { status: 400, body: { error: 'RepoDeactivated', message: 'away' } }

let network: Network
let indexer: CalendarIndexer
let clock: ReturnType<typeof manualClock>
let did: string

beforeEach(async () => {
  network = await startNetwork({ accounts: 4, events: 4, rsvps: 10, clock: Date.now })
  clock = manualClock()
  indexer = await openIndexer(network, { clock })
  did = network.accounts[0]!.did
  write(1)
  await indexer.discover()
})
afterEach(async () => {
  await indexer.close()
  await network.close()
})

const soup = (name: string) => ({ $type: EVENT, name, createdAt: '2026-01-16T09:00:00Z' })
const write = (count: number) => {
  for (let i = 0; i < count; i++) network.put(did, EVENT, undefined, soup(`Soup ${i}`))
}
const job = () =>
  indexer.db
    .selectFrom('lexidex_job')
    .selectAll()
    .where('did', '=', did)
    .where('collection', '=', EVENT)
    .executeTakeFirstOrThrow()

/** Stops the listing of the account's events after its first page, which is stored then. */
async function breakOff(): Promise<void> {
  network.faults.pds = async ({ method, params }) => {
    if (method.endsWith('getRepo')) return { status: 501, body: { error: 'MethodNotImplemented' } }
    if (method !== LIST || params.get('collection') !== EVENT || params.get('cursor') === null) return
    // Long enough for the page before to be saved.
    await new Promise((resolve) => setTimeout(resolve, 200))
    return params.get('repo') === did ? AWAY : undefined
  }
  await indexer.backfill({ dids: [did] })
  delete network.faults.pds
}

test('a listing that is gone on with speaks of the repo as it was when it began', async () => {
  write(250)
  const { rev } = network.put(did, EVENT, 'last', soup('Bread'))
  await breakOff()
  expect(await job()).toMatchObject({ status: 'pending', cursor: expect.any(String), rev })
  // These are newer than what was listed already: no page that is left has them.
  write(3)
  await indexer.backfill({ dids: [did] })
  expect(await job()).toMatchObject({ status: 'completed', cursor: null, rev, records: 252 })
})

test('a catch-up begins listings anew that were left off before', async () => {
  write(250)
  await breakOff()
  write(3)
  // Nobody follows the stream, and it forgets.
  clock.advance(72 * 3_600_000)
  expect(await indexer.performBackfill()).toMatchObject({ type: 'catch_up', status: 'completed', errors: 0 })
  expect(await job()).toMatchObject({ status: 'completed', records: 254 })
  await expectSame(indexer, network)
})

test('an account that was away is fetched as soon as it is back', async () => {
  write(5)
  network.account(did, { active: false, status: 'deactivated' })
  await indexer.backfill()
  expect(await job()).toMatchObject({ status: 'pending', attempts: 1, due_at: clock.now() + 15 * 60_000 })

  // Its refusal was a hint, and its host is asked how it stands.
  clock.advance(1000)
  await indexer.checkAccounts()
  const account = indexer.db.selectFrom('lexidex_account').select('status').where('did', '=', did)
  expect(await account.executeTakeFirst()).toEqual({ status: 'deactivated' })
  expect(await indexer.backfill()).toMatchObject({ completed: 0, retrying: 0 })

  network.account(did, { active: true })
  clock.advance(25 * 3_600_000)
  await indexer.db.updateTable('lexidex_job').set({ status: 'failed', attempts: 10 }).where('did', '=', did).execute()
  await indexer.checkAccounts()
  expect(await job()).toMatchObject({ status: 'pending', attempts: 0, due_at: 0 })
  await indexer.backfill()
  await expectSame(indexer, network)
})
