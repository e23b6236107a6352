/** Hosts that strangers run may answer anything: none of it ends the work on the accounts of others. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { archiveOf } from '../../../fixtures/network/archive.ts'
import { carOf, EVENT, type HttpFault, type Network, type Reply } from '../../../fixtures/network/index.ts'
import { Repo } from '../../../fixtures/network/repo.ts'
import { type CalendarIndexer, openCalendar, presentNetwork } from '../../invariants/support/index.ts'
import { databases } from '../../storage/databases.ts'
import type { Database } from '../../storage/harness.ts'

const LIST = 'com.atproto.repo.listRecords'
const LATEST = 'com.atproto.sync.getLatestCommit'
const GET_REPO = 'com.atproto.sync.getRepo'
const DAY_MS = 24 * 60 * 60_000
const NOT_OFFERED: Reply = { status: 501, body: { error: 'MethodNotImplemented', message: 'no' } }

/** What is stored of an error may not hold more than a database takes, or a page of the status shows. */
const NUL_AND_MUCH_MORE = `a\u0000b\ud800\n${'x'.repeat(100_000)}`

describe.each(databases)('$name', ({ open }) => {
  let database: Database
  let network: Network
  let indexer: CalendarIndexer

  beforeEach(async () => {
    database = await open()
    network = await presentNetwork({ accounts: 6, events: 12, rsvps: 0, statuses: 0, profiles: 0, pdsCount: 2 })
    indexer = await openCalendar(network, { database })
  })
  afterEach(async () => {
    await indexer.close()
    await network.close()
    await database.drop()
  })

  /** One of the two hosts answers so; the other one as it should. */
  function spoil(answer: HttpFault): string {
    const hostile = new URL(network.pds[0]!).host
    network.faults.pds = (request, original) =>
      new URL(request.host).host === hostile ? answer(request, original) : undefined
    return network.pds[0]!
  }

  const events = async () => (await indexer.db.selectFrom('event').select('uri').orderBy('uri').execute()).length
  const eventsOfOthers = (hostile: string) =>
    network.records(EVENT).filter(({ did }) => network.accounts.find((one) => one.did === did)!.pds !== hostile).length

  const failures = () =>
    indexer.db
      .selectFrom('lexidex_job')
      .select(['status', 'due_at', 'cursor', 'last_error'])
      .where('last_error', 'is not', null)
      .execute()

  async function expectOthersFetched(hostile: string) {
    expect(await events()).toBe(eventsOfOthers(hostile))
    const failed = await failures()
    expect(failed.length).toBeGreaterThan(0)
    for (const { last_error, due_at } of failed) {
      expect(last_error!.length).toBeLessThan(1000)
      expect(last_error).not.toMatch(/[\0\n\ud800]/)
      expect(due_at).toBeLessThan(Date.now() + 3 * DAY_MS)
    }
    await indexer.status()
  }

  test.each([
    ['an infinite number of seconds', '9'.repeat(400)],
    ['more seconds than an integer holds', '99999999999999999999'],
    ['until the end of time', 'Sat, 13 Sep 275760 00:00:00 GMT'],
  ])('asks to be left alone for %s', async (_, wait) => {
    const hostile = spoil(() => ({ status: 429, headers: { 'retry-after': wait }, body: {} }))
    await indexer.backfillAll()
    await expectOthersFetched(hostile)
  })

  test('gives reasons that no database takes', async () => {
    const hostile = spoil(() => ({ status: 400, body: { error: NUL_AND_MUCH_MORE, message: NUL_AND_MUCH_MORE } }))
    await indexer.backfillAll()
    await expectOthersFetched(hostile)
  })

  test.each([
    ['a NUL', 'a\u0000b'],
    ['100 000 characters', 'x'.repeat(100_000)],
    ['no text', 7],
  ])('gives cursors of %s', async (_, cursor) => {
    const hostile = spoil(({ method }) => {
      if (method === GET_REPO) return NOT_OFFERED
      return method === LIST ? { body: { records: [], cursor } } : undefined
    })
    await indexer.backfillAll()
    await expectOthersFetched(hostile)
  })

  test('has records under keys that are none', async () => {
    const account = network.accounts.find(({ did }) => network.records(EVENT).some((one) => one.did === did))!
    const { did } = account
    const own = network.records(EVENT).filter((one) => one.did === did)
    const rev = own.reduce((latest, one) => (one.rev > latest ? one.rev : latest), '')
    const repo = new Repo({ ...account }, 1)
    for (const { rkey, value } of own) repo.put(EVENT, rkey, rev, value)
    repo.put(EVENT, 'a\u0000b', rev, { ...own[0]!.value, name: 'Poison' })
    const archive = carOf(archiveOf(repo))
    network.faults.pds = ({ method, params }) =>
      method === GET_REPO && params.get('did') === did
        ? { headers: { 'content-type': 'application/vnd.ipld.car' }, body: archive }
        : undefined
    await indexer.backfillAll()
    expect(await events()).toBe(network.records(EVENT).length)
    const { usersScanned, usersFailed, usersPartial, total } = await indexer.refresh()
    expect(usersScanned).toBeGreaterThan(1)
    expect({ usersFailed, usersPartial, ...total }).toMatchObject({ usersFailed: 0, usersPartial: 0, missing: 0 })
    expect(await events()).toBe(network.records(EVENT).length)
  })

  test('says such things when it is asked how an account stands', async () => {
    await indexer.backfillAll()
    spoil(({ method }) =>
      method === LATEST || method === 'com.atproto.sync.getRepoStatus'
        ? { status: 429, headers: { 'retry-after': '9'.repeat(400) }, body: { message: NUL_AND_MUCH_MORE } }
        : undefined,
    )
    const { checked, failed } = await indexer.checkAccounts()
    expect(checked).toBeGreaterThan(0)
    expect(failed).toBeGreaterThan(0)
    const rows = await indexer.db.selectFrom('lexidex_account').select(['check_due_at', 'check_error']).execute()
    for (const { check_due_at, check_error } of rows.filter((row) => row.check_error !== null)) {
      expect(check_error).not.toContain('\0')
      expect(check_due_at).toBeLessThan(Date.now() + 3 * DAY_MS)
    }
  })
})
