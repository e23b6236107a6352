/** A refresh of all accounts as a run: recorded, gone on with, one at a time. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { EVENT, type Network, startNetwork } from '../../../fixtures/network/index.ts'
import { type CalendarIndexer, expectSame, manualClock, openIndexer } from '../support.ts'

const LATEST = 'com.atproto.sync.getLatestCommit'

let network: Network
let indexer: CalendarIndexer
let clock: ReturnType<typeof manualClock>
/** Known accounts, in the order in which they are compared. */
let dids: string[]

beforeEach(async () => {
  network = await startNetwork({ accounts: 12, events: 20, rsvps: 60, pdsCount: 1 })
  clock = manualClock()
  indexer = await openIndexer(network, { clock })
  await indexer.backfillAll()
  const accounts = await indexer.db.selectFrom('lexidex_account').select('did').orderBy('did').execute()
  dids = accounts.map(({ did }) => did)
})
afterEach(async () => {
  await indexer.close()
  await network.close()
})

const runs = () =>
  indexer.db.selectFrom('lexidex_run').selectAll().where('kind', '=', 'refresh').orderBy('id').execute()
const write = (did: string) =>
  network.put(did, EVENT, 'soup', { $type: EVENT, name: 'Soup', createdAt: '2026-01-16T09:00:00Z' })

/** DIDs of accounts whose hosts are asked from now on. */
function asked(): Set<string> {
  const seen = new Set<string>()
  network.faults.pds = ({ method, params }) => {
    if (method === LATEST) seen.add(params.get('did')!)
    return undefined
  }
  return seen
}

/** Refreshes one account at a time, and is cut short when it comes to the fifth. */
async function cutShort(): Promise<void> {
  const abort = new AbortController()
  network.faults.pds = ({ method, params }) => {
    if (method === LATEST && params.get('did') === dids[4]) abort.abort()
    return undefined
  }
  await indexer.refresh({ ignoreWindowMs: 0, concurrency: 1, signal: abort.signal })
}

test('is recorded, with what it changed and what it could not', async () => {
  write(dids[1]!)
  network.faults.pds = ({ params }) =>
    params.get('did') === dids[3] ? { status: 400, body: { error: 'RepoTakendown', message: 'gone' } } : undefined
  const { usersFailed } = await indexer.refresh({ ignoreWindowMs: 0 })
  expect(usersFailed).toBe(1)
  const [run, ...others] = await runs()
  expect(others).toEqual([])
  expect(run).toMatchObject({ status: 'completed', reason: 'requested', records: 1, error_count: 1 })
  expect(run).toMatchObject({ dids_total: dids.length, dids_processed: dids.length, last_did: dids.at(-1) })
  const errors = await indexer.db.selectFrom('lexidex_run_error').selectAll().where('run_id', '=', run!.id).execute()
  expect(errors).toMatchObject([{ did: dids[3], collection: null, message: expect.stringContaining('RepoTakendown') }])
  const { runs: told } = await indexer.status()
  expect(told[0]).toMatchObject({ kind: 'refresh', status: 'completed', didsProcessed: dids.length, errors: 1 })
})

test('is gone on with where it was cut short', async () => {
  for (const did of dids) write(did)
  await cutShort()
  const [run] = await runs()
  expect(run).toMatchObject({ status: 'in_progress', dids_total: dids.length })
  expect(run!.dids_processed).toBeLessThan(dids.length)
  const left = dids.slice(dids.indexOf(run!.last_did!) + 1)
  expect(left).toContain(dids[4])
  expect(left.length).toBeLessThan(dids.length)

  const seen = asked()
  const { usersScanned } = await indexer.refresh({ ignoreWindowMs: 0 })
  expect(usersScanned).toBe(left.length)
  expect([...seen].sort()).toEqual(left)
  expect(await runs()).toMatchObject([
    { status: 'completed', dids_processed: dids.length, dids_total: dids.length, records: dids.length },
  ])
  await expectSame(indexer, network)
})

test('begins anew where that was too long ago, or the app has other collections', async () => {
  await cutShort()
  clock.advance(49 * 3_600_000)
  const seen = asked()
  await indexer.refresh({ ignoreWindowMs: 0 })
  expect([...seen].sort()).toEqual(dids)
  expect((await runs()).map(({ status }) => status)).toEqual(['failed', 'completed'])

  await indexer.db.updateTable('lexidex_account').set({ verified_rev: null }).execute()
  await cutShort()
  await indexer.db
    .updateTable('lexidex_state')
    .set({ value: '["other.collection"]' })
    .where('name', '=', 'refresh.collections')
    .execute()
  const again = asked()
  await indexer.refresh({ ignoreWindowMs: 0 })
  expect([...again].sort()).toEqual(dids)
  expect((await runs()).map(({ status }) => status)).toEqual(['failed', 'completed', 'failed', 'completed'])
})

test('beside another, and of named accounts, does its work and is not recorded', async () => {
  write(dids[0]!)
  const [one, two] = await Promise.all([indexer.refresh(), indexer.refresh()])
  expect([one.usersScanned, two.usersScanned]).toEqual([dids.length, dids.length])
  await indexer.refresh({ dids: [dids[0]!] })
  expect(await runs()).toHaveLength(1)
  await expectSame(indexer, network)
})

test('has failed where the database fails', async () => {
  write(dids[0]!)
  await indexer.db.schema.dropTable('event').execute()
  await expect(indexer.refresh()).rejects.toThrow('event')
  expect(await runs()).toMatchObject([{ status: 'failed', error_message: expect.stringContaining('event') }])
})
