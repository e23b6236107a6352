import { describe, expect, test } from 'vitest'
import { carOf, type HttpFault } from '../../../fixtures/network/index.ts'
import { expectSame, manualClock, openIndexer } from '../support.ts'
import { freshSetting, GET_REPO, LIST, NOT_OFFERED } from './support.ts'

const setting = freshSetting()

describe('archives', () => {
  /** Requests for accounts' records, by method. */
  function spy(answerTo?: HttpFault) {
    const asked = { [LIST]: 0, [GET_REPO]: 0 }
    setting.network.faults.pds = (request, answer) => {
      if (request.method === LIST || request.method === GET_REPO) asked[request.method]++
      return request.method === GET_REPO ? answerTo?.(request, answer) : undefined
    }
    return asked
  }
  const rows = async () => {
    const tables = ['event', 'rsvp', 'profile'] as const
    const all = tables.map((table) => setting.indexer.db.selectFrom(table).selectAll().orderBy('uri').execute())
    return (await Promise.all(all)).flat().map(({ id: _id, indexed_at: _at, record, ...row }) => {
      // The setting.network lists its records with their keys in the order of writing; real hosts list them as archives have them.
      return { ...row, record: JSON.parse(record) as unknown }
    })
  }

  test('take the place of three listings, and give the same rows', async () => {
    const asked = spy()
    await setting.indexer.backfillAll()
    const accounts = await setting.indexer.db.selectFrom('lexidex_account').select('did').execute()
    const perAccount = await setting.indexer.db
      .selectFrom('lexidex_job')
      .select(['did', (eb) => eb.fn.countAll<number>().as('jobs')])
      .groupBy('did')
      .execute()
    expect(asked[GET_REPO]).toBe(perAccount.filter(({ jobs }) => jobs >= 3).length)
    expect(asked[GET_REPO]).toBeGreaterThan(accounts.length / 2)
    const byArchive = await rows()
    const jobsByArchive = await setting.jobs()

    await setting.reopen()
    spy(() => NOT_OFFERED)
    await setting.indexer.backfillAll()
    expect(await rows()).toEqual(byArchive)
    expect((await setting.jobs()).map(({ due_at: _due, ...job }) => job)).toEqual(
      jobsByArchive.map(({ due_at: _due, ...job }) => job),
    )
    await expectSame(setting.indexer, setting.network)
  })

  test.each<[string, HttpFault]>([
    ['does not offer them', () => NOT_OFFERED],
    ['cuts them off', async (_, answer) => ({ body: ((await answer()).body as Uint8Array).subarray(0, 500) })],
    ['gives another account', ({ params }) => ({ body: carOf(setting.network.archive(another(params.get('did')!))) })],
    ['gives no end', () => ({ body: Buffer.alloc(20_000_000, 0xff) })],
  ])('listings are asked for where a host %s', async (_what, fault) => {
    const asked = spy(fault)
    expect((await setting.indexer.backfillAll()).backfilled).toMatchObject({ failed: 0, retrying: 0 })
    expect(asked[GET_REPO]).toBeGreaterThan(0)
    await expectSame(setting.indexer, setting.network)
  })

  test('are not asked for again where they failed before', async () => {
    const clock = manualClock()
    const slow = await openIndexer(setting.network, { clock })
    try {
      await slow.discover()
      spy(() => ({ status: 400, body: { error: 'RepoDeactivated', message: 'away' } }))
      expect((await slow.backfill()).retrying).toBeGreaterThan(0)
      clock.advance(15 * 60_000)
      const asked = spy(() => ({ status: 400, body: { error: 'RepoDeactivated', message: 'away' } }))
      expect(await slow.backfill()).toMatchObject({ failed: 0, retrying: 0 })
      expect(asked[GET_REPO]).toBe(0)
      await expectSame(slow, setting.network)
    } finally {
      await slow.close()
    }
  })

  const another = (did: string) => setting.network.accounts.find((account) => account.did !== did)!.did
})
