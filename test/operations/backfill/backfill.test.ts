import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { carOf, EVENT, type HttpFault, type Network, RSVP, startNetwork } from '../../../fixtures/network/index.ts'
import { type CalendarIndexer, expectSame, indexed, manualClock, openIndexer } from '../support.ts'

let network: Network
let indexer: CalendarIndexer

beforeEach(async () => {
  network = await startNetwork({ accounts: 12, events: 30, rsvps: 150, pdsCount: 2 })
  indexer = await openIndexer(network)
})
afterEach(async () => {
  await indexer.close()
  await network.close()
})

const LIST = 'com.atproto.repo.listRecords'
const GET_REPO = 'com.atproto.sync.getRepo'
/** What a host says that gives no archives. */
const NOT_OFFERED = { status: 501, body: { error: 'MethodNotImplemented', message: 'no' } }

const jobs = () =>
  indexer.db
    .selectFrom('lexidex_job')
    .select(['did', 'collection', 'status', 'attempts', 'cursor', 'last_error', 'due_at', 'records'])
    .orderBy('did')
    .orderBy('collection')
    .execute()

describe('backfill', () => {
  test('gives exactly what the network holds', async () => {
    const { backfilled } = await indexer.backfillAll()
    await expectSame(indexer, network)
    expect(backfilled).toMatchObject({ failed: 0, retrying: 0, completed: (await jobs()).length })
    expect((await jobs()).every(({ status, cursor }) => status === 'completed' && cursor === null)).toBe(true)
    const rows = await indexed(indexer, 'event')
    const again = await indexer.backfillAll()
    expect(again.backfilled).toMatchObject({ completed: 0, records: 0 })
    expect(await indexed(indexer, 'event')).toEqual(rows)
  })

  test('walks long listings to their end', async () => {
    const { did } = network.accounts[0]!
    for (let i = 0; i < 250; i++) {
      network.put(did, EVENT, undefined, { $type: EVENT, name: `Soup ${i}`, createdAt: '2026-01-16T09:00:00Z' })
    }
    await indexer.backfillAll()
    await expectSame(indexer, network)
  })

  test('learns the PDS of the accounts, and takes no handle on trust', async () => {
    await indexer.backfillAll()
    const rows = await indexer.db.selectFrom('lexidex_account').select(['did', 'handle', 'pds']).execute()
    const byDid = new Map(network.accounts.map((account) => [account.did, account]))
    for (const { did, handle, pds } of rows) expect([handle, byDid.get(did)!.pds]).toEqual([null, pds])
  })

  test('tells how far it is', async () => {
    const seen: number[] = []
    let last: unknown
    const { backfilled } = await indexer.backfillAll({
      onProgress: (progress) => {
        seen.push(progress.records)
        last = progress
      },
    })
    const { count } = await indexer.db
      .selectFrom('lexidex_account')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
    const accountsTotal = count
    expect(last).toMatchObject({
      accountsDone: count,
      accountsTotal,
      records: backfilled.records,
      failures: 0,
      etaMs: 0,
    })
  })

  test('is gone on with after it was stopped, page by page', async () => {
    const { did } = network.accounts[0]!
    for (let i = 0; i < 450; i++) {
      network.put(did, EVENT, undefined, { $type: EVENT, name: `Soup ${i}`, createdAt: '2026-01-16T09:00:00Z' })
    }
    await indexer.discover()
    const abort = new AbortController()
    const cursors: (string | null)[] = []
    network.faults.pds = ({ method, params }) => {
      if (method === GET_REPO) return NOT_OFFERED
      if (method !== LIST || params.get('repo') !== did || params.get('collection') !== EVENT) return
      cursors.push(params.get('cursor'))
      if (cursors.length === 3) abort.abort()
      return undefined
    }
    await indexer.backfill({ signal: abort.signal })
    const stopped = (await jobs()).find((job) => job.did === did && job.collection === EVENT)!
    expect(stopped).toMatchObject({
      status: 'pending',
      attempts: 0,
      cursor: cursors[2],
      last_error: null,
      records: 200,
    })
    await indexer.backfill()
    expect(cursors[3]).toBe(cursors[2])
    await expectSame(indexer, network)
  })

  test.each<[string, () => HttpFault]>([
    ['says 503', () => times(4, () => ({ status: 503, body: { error: 'NotAvailable', message: 'soon' } }))],
    ['says 429', () => times(3, () => ({ status: 429, headers: { 'retry-after': '1' } }))],
    ['cuts connections', () => times(4, () => 'hangup')],
    ['sends no JSON', () => times(3, () => ({ body: '<html>' }))],
  ])('gets over a PDS that %s for a while', async (_what, fault) => {
    await indexer.discover()
    network.faults.pds = fault()
    expect(await indexer.backfill()).toMatchObject({ failed: 0, retrying: 0 })
    await expectSame(indexer, network)
  })

  test('puts off what a PDS refuses for now, and comes back', async () => {
    const clock = manualClock()
    const slow = await openIndexer(network, { clock })
    try {
      const host = network.pds[0]!
      const theirs = network.accounts.filter(({ pds }) => pds === host).map(({ did }) => did)
      await slow.discover()
      // A listing that is refused in HTML is tried three times within seconds; `RepoDeactivated` is not.
      network.faults.pds = (request) =>
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
      delete network.faults.pds
      clock.advance(30 * 60_000)
      expect(await slow.backfill()).toMatchObject({ completed: first.retrying, retrying: 0 })
      await expectSame(slow, network)
    } finally {
      await slow.close()
    }
  })

  test('gives up after ten attempts, and tries again when it is told to', async () => {
    const clock = manualClock()
    const slow = await openIndexer(network, { clock })
    try {
      await slow.discover()
      network.faults.pds = () => ({ status: 400, body: { error: 'RepoTakendown', message: 'gone' } })
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
      delete network.faults.pds
      expect(await slow.backfill()).toMatchObject({ completed: 0 })
      expect(await slow.backfill({ retryFailed: true })).toMatchObject({ completed: all.length })
      await expectSame(slow, network)
    } finally {
      await slow.close()
    }
  })

  test('gives up at once what is not there, with the reason', async () => {
    const { did } = network.accounts[0]!
    const other = network.accounts[1]!.did
    await indexer.discover()
    network.faults.plc = ({ method }) => (method === `/${other}` ? { status: 404, body: { message: 'no' } } : undefined)
    network.faults.pds = ({ params }) =>
      params.get('did') === did ? { status: 400, body: { error: 'RepoNotFound', message: 'moved away' } } : undefined
    const { failed, retrying } = await indexer.backfill()
    const refused = (await jobs()).filter((job) => job.status === 'failed')
    expect([failed, retrying]).toEqual([refused.length, 0])
    expect([...new Set(refused.map((job) => job.did))].sort()).toEqual([did, other].sort())
    for (const job of refused) {
      expect(job.last_error).toContain(job.did === did ? 'RepoNotFound: moved away' : 'Cannot resolve')
    }
  })

  test('a failure amid a listing keeps what came before it', async () => {
    const { did } = network.accounts[0]!
    for (let i = 0; i < 250; i++) {
      network.put(did, EVENT, undefined, { $type: EVENT, name: `Soup ${i}`, createdAt: '2026-01-16T09:00:00Z' })
    }
    const clock = manualClock()
    const slow = await openIndexer(network, { clock })
    try {
      await slow.discover()
      const cursors: string[] = []
      network.faults.pds = async ({ method, params }) => {
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
      await expectSame(slow, network)
    } finally {
      await slow.close()
    }
  })

  test('starts a listing again where the host refuses the saved cursor', async () => {
    const { did } = network.accounts[0]!
    const clock = manualClock()
    const slow = await openIndexer(network, { clock })
    try {
      await slow.discover()
      await slow.db.updateTable('lexidex_job').set({ cursor: 'stale' }).where('did', '=', did).execute()
      network.faults.pds = ({ params }) =>
        params.get('cursor') === 'stale'
          ? { status: 400, body: { error: 'InvalidRequest', message: 'cursor' } }
          : undefined
      expect((await slow.backfill()).retrying).toBeGreaterThan(0)
      clock.advance(15 * 60_000)
      expect(await slow.backfill()).toMatchObject({ failed: 0, retrying: 0 })
      await expectSame(slow, network)
    } finally {
      await slow.close()
    }
  })

  test('follows an account to its new PDS, and forgets the old cursor', async () => {
    const account = network.accounts[0]!
    await indexer.discover()
    await indexer.db.updateTable('lexidex_account').set({ pds: account.pds }).where('did', '=', account.did).execute()
    await indexer.db.updateTable('lexidex_job').set({ cursor: '3' }).where('did', '=', account.did).execute()
    network.move(account.did, network.pds.find((url) => url !== account.pds)!)
    const cursors: (string | null)[] = []
    network.faults.pds = ({ method, params }) => {
      if (method === LIST && params.get('repo') === account.did) cursors.push(params.get('cursor'))
      return undefined
    }
    expect(await indexer.backfill()).toMatchObject({ failed: 0, retrying: 0 })
    expect(cursors).not.toContain('3')
    await expectSame(indexer, network)
  })

  test('does not take the word of a PDS that the account has left', async () => {
    const clock = manualClock()
    const slow = await openIndexer(network, { clock })
    try {
      await slow.backfillAll()
      const { did, pds } = network.accounts[0]!
      // The DID document is still in the cache.
      network.move(did, network.pds.find((url) => url !== pds)!)
      network.faults.pds = ({ host, params }) =>
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

  test('never asks one host for more than three accounts at a time', async () => {
    await indexer.discover()
    const running = new Map<string, number>()
    let most = 0
    network.faults.pds = async ({ host }, answer) => {
      running.set(host, (running.get(host) ?? 0) + 1)
      most = Math.max(most, running.get(host)!)
      const reply = await answer()
      // Long enough for others to come, until as many have come as may.
      await new Promise((resolve) => setTimeout(resolve, most < 3 ? 100 : 5))
      running.set(host, running.get(host)! - 1)
      return reply
    }
    await indexer.backfill()
    expect(most).toBe(3)
  })

  test('fails where the database fails', async () => {
    await indexer.discover()
    await indexer.db.schema.dropTable('lexidex_job').execute()
    await expect(indexer.backfill()).rejects.toThrow('lexidex_job')
  })

  test('does nothing where it is stopped before it starts', async () => {
    await indexer.discover()
    expect(await indexer.backfill({ signal: AbortSignal.abort() })).toMatchObject({ completed: 0, records: 0 })
  })
})

describe('archives', () => {
  /** Requests for accounts' records, by method. */
  function spy(answerTo?: HttpFault) {
    const asked = { [LIST]: 0, [GET_REPO]: 0 }
    network.faults.pds = (request, answer) => {
      if (request.method === LIST || request.method === GET_REPO) asked[request.method]++
      return request.method === GET_REPO ? answerTo?.(request, answer) : undefined
    }
    return asked
  }
  const rows = async () => {
    const tables = ['event', 'rsvp', 'profile'] as const
    const all = tables.map((table) => indexer.db.selectFrom(table).selectAll().orderBy('uri').execute())
    return (await Promise.all(all)).flat().map(({ id: _id, indexed_at: _at, record, ...row }) => {
      // The network lists its records with their keys in the order of writing; real hosts list them as archives have them.
      return { ...row, record: JSON.parse(record) as unknown }
    })
  }

  test('take the place of three listings, and give the same rows', async () => {
    const asked = spy()
    await indexer.backfillAll()
    const accounts = await indexer.db.selectFrom('lexidex_account').select('did').execute()
    const perAccount = await indexer.db
      .selectFrom('lexidex_job')
      .select(['did', (eb) => eb.fn.countAll<number>().as('jobs')])
      .groupBy('did')
      .execute()
    expect(asked[GET_REPO]).toBe(perAccount.filter(({ jobs }) => jobs >= 3).length)
    expect(asked[GET_REPO]).toBeGreaterThan(accounts.length / 2)
    const byArchive = await rows()
    const jobsByArchive = await jobs()

    await indexer.close()
    indexer = await openIndexer(network)
    spy(() => NOT_OFFERED)
    await indexer.backfillAll()
    expect(await rows()).toEqual(byArchive)
    expect((await jobs()).map(({ due_at: _due, ...job }) => job)).toEqual(
      jobsByArchive.map(({ due_at: _due, ...job }) => job),
    )
    await expectSame(indexer, network)
  })

  test.each<[string, HttpFault]>([
    ['does not offer them', () => NOT_OFFERED],
    ['cuts them off', async (_, answer) => ({ body: ((await answer()).body as Uint8Array).subarray(0, 500) })],
    ['gives another account', ({ params }) => ({ body: carOf(network.archive(another(params.get('did')!))) })],
    ['gives no end', () => ({ body: Buffer.alloc(20_000_000, 0xff) })],
  ])('listings are asked for where a host %s', async (_what, fault) => {
    const asked = spy(fault)
    expect((await indexer.backfillAll()).backfilled).toMatchObject({ failed: 0, retrying: 0 })
    expect(asked[GET_REPO]).toBeGreaterThan(0)
    await expectSame(indexer, network)
  })

  test('are not asked for again where they failed before', async () => {
    const clock = manualClock()
    const slow = await openIndexer(network, { clock })
    try {
      await slow.discover()
      spy(() => ({ status: 400, body: { error: 'RepoDeactivated', message: 'away' } }))
      expect((await slow.backfill()).retrying).toBeGreaterThan(0)
      clock.advance(15 * 60_000)
      const asked = spy(() => ({ status: 400, body: { error: 'RepoDeactivated', message: 'away' } }))
      expect(await slow.backfill()).toMatchObject({ failed: 0, retrying: 0 })
      expect(asked[GET_REPO]).toBe(0)
      await expectSame(slow, network)
    } finally {
      await slow.close()
    }
  })

  const another = (did: string) => network.accounts.find((account) => account.did !== did)!.did
})

describe('limits', () => {
  test('only the accounts that are named, at once and in all collections', async () => {
    const [first, second, third] = network.accounts.map(({ did }) => did) as [string, string, string]
    const { completed } = await indexer.backfill({ dids: [first, second, first] })
    expect(completed).toBe(6)
    expect([...new Set((await jobs()).map(({ did }) => did))].sort()).toEqual([first, second].sort())
    const mine = network.records(EVENT).filter(({ did }) => did === first || did === second)
    expect(await indexed(indexer, 'event')).toEqual(mine.map(({ uri, cid }) => `${uri} ${cid}`).sort())
    expect(await indexer.backfill({ dids: [first] })).toMatchObject({ completed: 0 })

    network.faults.pds = () => ({ status: 400, body: { error: 'RepoDeactivated', message: 'away' } })
    expect(await indexer.backfill({ dids: [third], maxAttempts: 1 })).toMatchObject({ failed: 3, retrying: 0 })
    delete network.faults.pds
    expect(await indexer.backfill()).toMatchObject({ completed: 0 })
    expect(await indexer.backfill({ dids: [third] })).toMatchObject({ completed: 3 })
  })

  test('hosts at a time, and accounts at a time of one', async () => {
    await indexer.discover()
    const running = new Map<string, number>()
    let hosts = 0
    let accounts = 0
    network.faults.pds = async ({ host }, answer) => {
      running.set(host, (running.get(host) ?? 0) + 1)
      hosts = Math.max(hosts, [...running.values()].filter((count) => count > 0).length)
      accounts = Math.max(accounts, running.get(host)!)
      const reply = await answer()
      await new Promise((resolve) => setTimeout(resolve, 2))
      running.set(host, running.get(host)! - 1)
      return reply
    }
    await indexer.backfill({ pdsConcurrency: 1, didsPerPds: 2 })
    expect([hosts, accounts]).toEqual([1, 2])
    await expectSame(indexer, network)
  })

  test('parents before children', async () => {
    await indexer.discover()
    const order: string[] = []
    network.faults.pds = ({ method, params }) => {
      if (method === GET_REPO) return NOT_OFFERED
      if (method === LIST && params.get('repo') === network.accounts[0]!.did) order.push(params.get('collection')!)
      return undefined
    }
    await indexer.backfill()
    const unique = [...new Set(order)]
    expect(unique.indexOf(EVENT)).toBeLessThan(unique.indexOf(RSVP))
  })
})

/** The fault for the first `count` requests. */
function times(count: number, fault: HttpFault): HttpFault {
  let left = count
  return (request, answer) => (left-- > 0 ? fault(request, answer) : undefined)
}
