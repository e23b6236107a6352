/** What a backfill does about hosts that fail, refuse or have changed. */
import { describe, expect, test } from 'vitest'
import { EVENT, type HttpFault, RSVP } from '../../../fixtures/network/index.ts'
import { expectSame, manualClock, openIndexer } from '../support.ts'
import { freshSetting, GET_REPO, LIST, NOT_OFFERED } from './support.ts'

const setting = freshSetting()

describe('backfill', () => {
  test.each<[string, () => HttpFault]>([
    ['says 503', () => times(4, () => ({ status: 503, body: { error: 'NotAvailable', message: 'soon' } }))],
    ['says 429', () => times(3, () => ({ status: 429, headers: { 'retry-after': '1' } }))],
    ['cuts connections', () => times(4, () => 'hangup')],
    ['sends no JSON', () => times(3, () => ({ body: '<html>' }))],
  ])('gets over a PDS that %s for a while', async (_what, fault) => {
    await setting.indexer.discover()
    setting.network.faults.pds = fault()
    expect(await setting.indexer.backfill()).toMatchObject({ failed: 0, retrying: 0 })
    await expectSame(setting.indexer, setting.network)
  })

  test('puts off what a PDS refuses for now, and comes back', async () => {
    const clock = manualClock()
    const slow = await openIndexer(setting.network, { clock })
    try {
      const host = setting.network.pds[0]!
      const theirs = setting.network.accounts.filter(({ pds }) => pds === host).map(({ did }) => did)
      await slow.discover()
      // A listing that is refused in HTML is tried three times within seconds; `RepoDeactivated` is not.
      setting.network.faults.pds = (request) =>
        request.host === host ? { status: 400, body: { error: 'RepoDeactivated', message: 'away' } } : undefined
      const first = await slow.backfill()
      expect(first.retrying).toBeGreaterThan(0)
      const pending = await slow.db.selectFrom('lexidex_job').selectAll().where('status', '=', 'pending').execute()
      for (const { did } of pending) expect(theirs).toContain(did)
      for (const job of pending) {
        expect(job).toMatchObject({ attempts: 1, due_at: clock.now() + 15 * 60_000 })
        expect(job.last_error).toContain('RepoDeactivated')
      }
      const { backfill } = await slow.status()
      expect(backfill.find(({ collection }) => collection === RSVP)).toMatchObject({ failed: 0, pending: 0 })

      expect(await slow.backfill()).toMatchObject({ completed: 0, retrying: 0 })
      clock.advance(15 * 60_000)
      expect(await slow.backfill()).toMatchObject({ completed: 0, retrying: first.retrying })
      delete setting.network.faults.pds
      clock.advance(30 * 60_000)
      expect(await slow.backfill()).toMatchObject({ completed: first.retrying, retrying: 0 })
      await expectSame(slow, setting.network)
    } finally {
      await slow.close()
    }
  })

  test('gives up after ten attempts, and tries again when it is told to', async () => {
    const clock = manualClock()
    const slow = await openIndexer(setting.network, { clock })
    try {
      await slow.discover()
      setting.network.faults.pds = () => ({ status: 400, body: { error: 'RepoTakendown', message: 'gone' } })
      let failed = 0
      for (let i = 0; i < 10; i++) {
        failed += (await slow.backfill()).failed
        clock.advance(48 * 60 * 60_000)
      }
      const all = await slow.db.selectFrom('lexidex_job').select(['status', 'attempts', 'last_error']).execute()
      expect(failed).toBe(all.length)
      for (const job of all) {
        expect(job).toEqual({ status: 'failed', attempts: 10, last_error: expect.stringContaining('RepoTakendown') })
      }
      delete setting.network.faults.pds
      expect(await slow.backfill()).toMatchObject({ completed: 0 })
      expect(await slow.backfill({ retryFailed: true })).toMatchObject({ completed: all.length })
      await expectSame(slow, setting.network)
    } finally {
      await slow.close()
    }
  })

  test('gives up at once what is not there, with the reason', async () => {
    const { did } = setting.network.accounts[0]!
    const other = setting.network.accounts[1]!.did
    await setting.indexer.discover()
    setting.network.faults.plc = ({ method }) =>
      method === `/${other}` ? { status: 404, body: { message: 'no' } } : undefined
    setting.network.faults.pds = ({ params }) =>
      params.get('did') === did ? { status: 400, body: { error: 'RepoNotFound', message: 'moved away' } } : undefined
    const { failed, retrying } = await setting.indexer.backfill()
    const refused = (await setting.jobs()).filter((job) => job.status === 'failed')
    expect([failed, retrying]).toEqual([refused.length, 0])
    expect([...new Set(refused.map((job) => job.did))].sort()).toEqual([did, other].sort())
    for (const job of refused) {
      expect(job.last_error).toContain(job.did === did ? 'RepoNotFound: moved away' : 'Cannot resolve')
    }
  })

  test('asks a directory that did not answer once more', async () => {
    await setting.indexer.discover()
    const asked = new Set<string>()
    setting.network.faults.plc = ({ method }) => {
      if (asked.has(method)) return undefined
      asked.add(method)
      return { status: 503 }
    }
    const { failed, retrying } = await setting.indexer.backfill()
    expect([failed, retrying]).toEqual([0, 0])
    expect(asked.size).toBeGreaterThan(0)
    await expectSame(setting.indexer, setting.network)
  })

  test('a failure amid a listing keeps what came before it', async () => {
    const { did } = setting.network.accounts[0]!
    for (let i = 0; i < 250; i++) {
      setting.network.put(did, EVENT, undefined, { $type: EVENT, name: `Soup ${i}`, createdAt: '2026-01-16T09:00:00Z' })
    }
    const clock = manualClock()
    const slow = await openIndexer(setting.network, { clock })
    try {
      await slow.discover()
      const cursors: string[] = []
      setting.network.faults.pds = async ({ method, params }) => {
        if (method === GET_REPO) return NOT_OFFERED
        const cursor = params.get('cursor')
        if (params.get('repo') !== did || params.get('collection') !== EVENT || cursor === null) return
        // Long enough for the page before to be saved.
        await new Promise((resolve) => setTimeout(resolve, 200))
        if (cursors.push(cursor) === 1) return { status: 400, body: { error: 'RepoDeactivated', message: 'away' } }
        return
      }
      expect(await slow.backfill()).toMatchObject({ retrying: 1 })
      const job = slow.db.selectFrom('lexidex_job').selectAll().where('did', '=', did).where('collection', '=', EVENT)
      expect(await job.executeTakeFirst()).toMatchObject({ attempts: 1, cursor: cursors[0], records: 100 })
      clock.advance(15 * 60_000)
      expect(await slow.backfill()).toMatchObject({ completed: 1 })
      expect(cursors[1]).toBe(cursors[0])
      expect(await job.executeTakeFirst()).toMatchObject({ status: 'completed', cursor: null, last_error: null })
      await expectSame(slow, setting.network)
    } finally {
      await slow.close()
    }
  })

  test('starts a listing again where the host refuses the saved cursor', async () => {
    const { did } = setting.network.accounts[0]!
    const clock = manualClock()
    const slow = await openIndexer(setting.network, { clock })
    try {
      await slow.discover()
      await slow.db.updateTable('lexidex_job').set({ cursor: 'stale' }).where('did', '=', did).execute()
      setting.network.faults.pds = ({ params }) =>
        params.get('cursor') === 'stale'
          ? { status: 400, body: { error: 'InvalidRequest', message: 'cursor' } }
          : undefined
      expect((await slow.backfill()).retrying).toBeGreaterThan(0)
      clock.advance(15 * 60_000)
      expect(await slow.backfill()).toMatchObject({ failed: 0, retrying: 0 })
      await expectSame(slow, setting.network)
    } finally {
      await slow.close()
    }
  })

  test('follows an account to its new PDS, and forgets the old cursor', async () => {
    const account = setting.network.accounts[0]!
    await setting.indexer.discover()
    await setting.indexer.db
      .updateTable('lexidex_account')
      .set({ pds: account.pds })
      .where('did', '=', account.did)
      .execute()
    await setting.indexer.db.updateTable('lexidex_job').set({ cursor: '3' }).where('did', '=', account.did).execute()
    setting.network.move(account.did, setting.network.pds.find((url) => url !== account.pds)!)
    const cursors: (string | null)[] = []
    setting.network.faults.pds = ({ method, params }) => {
      if (method === LIST && params.get('repo') === account.did) cursors.push(params.get('cursor'))
      return undefined
    }
    expect(await setting.indexer.backfill()).toMatchObject({ failed: 0, retrying: 0 })
    expect(cursors).not.toContain('3')
    await expectSame(setting.indexer, setting.network)
  })

  test('does not take the word of a PDS that the account has left', async () => {
    const clock = manualClock()
    const slow = await openIndexer(setting.network, { clock })
    try {
      await slow.backfillAll()
      const { did, pds } = setting.network.accounts[0]!
      // The DID document is still in the cache.
      setting.network.move(did, setting.network.pds.find((url) => url !== pds)!)
      setting.network.faults.pds = ({ host, params }) =>
        host === pds && params.get('did') === did
          ? { status: 400, body: { error: 'RepoNotFound', message: 'no' } }
          : undefined
      await slow.db.updateTable('lexidex_job').set({ status: 'pending' }).where('did', '=', did).execute()
      const { failed, retrying } = await slow.backfill()
      expect(failed).toBe(0)
      clock.advance(15 * 60_000)
      expect(await slow.backfill()).toMatchObject({ completed: retrying, failed: 0, retrying: 0 })
    } finally {
      await slow.close()
    }
  })
})

/** The fault for the first `count` requests. */
function times(count: number, fault: HttpFault): HttpFault {
  let left = count
  return (request, answer) => (left-- > 0 ? fault(request, answer) : undefined)
}
