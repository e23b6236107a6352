import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EVENT, type HttpFault, type Network, PROFILE, RSVP, startNetwork } from '../../../fixtures/network/index.ts'
import { type CalendarIndexer, eventually, indexed, openIndexer } from '../support.ts'

let network: Network
let indexer: CalendarIndexer

beforeEach(async () => {
  // Following the stream begins some seconds before now, and so with what a test wrote before.
  const baseDate = new Date().toISOString()
  network = await startNetwork({ accounts: 6, events: 12, rsvps: 30, retained: 0, baseDate, clock: Date.now })
  indexer = await openIndexer(network)
})
afterEach(async () => {
  await indexer.close()
  await network.close()
})

const alice = () => network.accounts[0]!
const soup = (name = 'Soup') => ({ $type: EVENT, name, createdAt: '2026-01-16T09:00:00Z' })
const cook = (name?: string) => network.put(alice().did, EVENT, undefined, soup(name))
const rkeyOf = (uri: string) => uri.split('/').at(-1)!

const row = (uri: string) => indexer.db.selectFrom('event').selectAll().where('uri', '=', uri).executeTakeFirst()

const tombstones = () => indexer.db.selectFrom('lexidex_tombstone').select(['uri', 'rev']).execute()

/** Answers one method of the PDSes. */
function fault(method: string, answer: HttpFault): void {
  network.faults.pds = (request, honest) => (request.method === method ? answer(request, honest) : undefined)
}

const GET = 'com.atproto.repo.getRecord'
const COMMIT = 'com.atproto.sync.getLatestCommit'

describe('notify', () => {
  test('what was written can be read when it returns', async () => {
    const { uri, cid } = cook()
    expect(await indexer.notify(uri)).toEqual({ indexed: 1, deleted: 0 })
    expect(await row(uri)).toMatchObject({ cid, did: alice().did })

    const changed = network.put(alice().did, EVENT, rkeyOf(uri), soup('Stew'))
    expect(await indexer.notify([uri])).toEqual({ indexed: 1, deleted: 0 })
    expect(JSON.parse((await row(uri))!.record).name).toBe('Stew')
    expect((await row(uri))!.cid).toBe(changed.cid)

    const { rev } = network.delete(alice().did, EVENT, rkeyOf(uri))
    expect(await indexer.notify(uri)).toEqual({ indexed: 0, deleted: 1 })
    expect(await row(uri)).toBeUndefined()
    expect(await tombstones()).toEqual([{ uri, rev }])
  })

  test('the author becomes known, and what depends on that is due', async () => {
    const { uri } = cook()
    await indexer.notify(uri)
    const accounts = await indexer.db.selectFrom('lexidex_account').select('did').execute()
    expect(accounts).toEqual([{ did: alice().did }])
    const jobs = await indexer.db.selectFrom('lexidex_job').select(['did', 'collection', 'status']).execute()
    expect(jobs).toEqual([{ did: alice().did, collection: PROFILE, status: 'pending' }])
  })

  test('the same version again is indexed, and changes nothing that is shown', async () => {
    const { uri } = cook()
    await indexer.notify(uri)
    const before = await row(uri)
    cook('Bread')
    expect(await indexer.notify([uri, uri])).toEqual({ indexed: 1, deleted: 0 })
    expect({ ...(await row(uri)), rev: '' }).toEqual({ ...before, rev: '' })
  })

  test('what the stream says of it later changes nothing', async () => {
    const kept = cook()
    const changed = network.put(alice().did, EVENT, rkeyOf(kept.uri), soup('Stew'))
    const gone = cook('Bread')
    network.delete(alice().did, EVENT, rkeyOf(gone.uri))
    expect(await indexer.notify([kept.uri, gone.uri])).toEqual({ indexed: 1, deleted: 1 })
    const before = await row(kept.uri)

    const stop = new AbortController()
    const following = indexer.runPersistent({ signal: stop.signal, flushIntervalMs: 10 })
    // The whole log is delivered; this is its end.
    const last = cook('Pie')
    await eventually(async () => expect(await row(last.uri)).toBeDefined())
    stop.abort()
    await following
    expect(await row(kept.uri)).toEqual(before)
    expect(before!.cid).toBe(changed.cid)
    expect(await row(gone.uri)).toBeUndefined()
  })

  test('a later version that is known already stays', async () => {
    const { uri } = cook()
    let late: { rev: string; cid: string } | undefined
    fault(GET, async (_request, honest) => {
      const answer = await honest()
      // It changes after it was read, and the stream is faster than the answer.
      late ??= network.put(alice().did, EVENT, rkeyOf(uri), soup('Stew'))
      await follow()
      return answer
    })
    expect(await indexer.notify(uri)).toEqual({ indexed: 1, deleted: 0 })
    expect(await row(uri)).toMatchObject({ cid: late!.cid, rev: late!.rev })

    async function follow(): Promise<void> {
      const stop = new AbortController()
      const following = indexer.runPersistent({ signal: stop.signal, flushIntervalMs: 10 })
      await eventually(async () => expect((await row(uri))?.cid).toBe(late!.cid))
      stop.abort()
      await following
    }
  })

  test('a record that never was leaves its deletion', async () => {
    const uri = `at://${alice().did}/${EVENT}/nothing`
    expect(await indexer.notify(uri)).toEqual({ indexed: 0, deleted: 1 })
    expect((await tombstones()).map((tombstone) => tombstone.uri)).toEqual([uri])
  })

  test('handles stand for their accounts, where the index knows them', async () => {
    await indexer.backfillAll()
    await indexer.checkAccounts()
    const { uri } = cook()
    const named = uri.replace(alice().did, alice().handle)
    expect(await indexer.notify(named)).toEqual({ indexed: 1, deleted: 0 })
    expect(await row(uri)).toBeDefined()
    const { errors } = await indexer.notify(`at://nobody.test/${EVENT}/a`)
    expect(errors).toEqual([{ uri: `at://nobody.test/${EVENT}/a`, message: 'Could not resolve nobody.test' }])
  })

  test('each URI fails by itself', async () => {
    const { uri } = cook()
    const stray = `at://did:plc:${'a'.repeat(24)}/${EVENT}/a`
    const other = `at://${alice().did}/com.example.other/a`
    const result = await indexer.notify([uri, 'nonsense', other, stray, `at://did:web:10.0.0.1/${EVENT}/a`])
    expect(result).toEqual({
      indexed: 1,
      deleted: 0,
      errors: [
        { uri: 'nonsense', message: expect.stringContaining('Not the URI of a record') },
        { uri: other, message: 'Collection not tracked: com.example.other' },
        { uri: stray, message: expect.stringContaining('Cannot resolve') },
        { uri: `at://did:web:10.0.0.1/${EVENT}/a`, message: expect.any(String) },
      ],
    })
  })

  test('takes 25 URIs and no more', async () => {
    const uris = Array.from({ length: 25 }, (_, i) => cook(`Soup ${i}`).uri)
    expect(await indexer.notify(uris)).toEqual({ indexed: 25, deleted: 0 })
    expect((await indexed(indexer, 'event')).length).toBe(25)
    await expect(indexer.notify([...uris, uris[0]!])).rejects.toThrow(new RangeError('max 25 URIs per request'))
  })

  test('a broken record is quarantined and says why', async () => {
    const { uri } = cook()
    await indexer.notify(uri)
    network.put(alice().did, EVENT, rkeyOf(uri), { $type: EVENT, name: 7 })
    const { indexed, errors } = await indexer.notify(uri)
    expect({ indexed, errors }).toEqual({ indexed: 0, errors: [{ uri, message: expect.stringContaining('name') }] })
    expect(await row(uri)).toBeUndefined()
  })

  test('a dependent record of an account that is not known is told', async () => {
    const uri = `at://${alice().did}/${PROFILE}/self`
    const { indexed, errors } = await indexer.notify(uri)
    expect({ indexed, errors }).toEqual({ indexed: 0, errors: [{ uri, message: expect.stringContaining('known') }] })
    await indexer.notify(cook().uri)
    expect(await indexer.notify(uri)).toEqual({ indexed: 1, deleted: 0 })
  })
})

describe('nothing but RecordNotFound deletes', () => {
  const refused = (status: number, error: string) => ({ status, body: { error, message: 'no' } })

  test.each<[string, string, HttpFault]>([
    ['5xx', GET, () => refused(500, 'InternalServerError')],
    ['404 in HTML', GET, () => ({ status: 404, body: '<html>' })],
    ['400 of another name', GET, () => refused(400, 'InvalidRequest')],
    ['RepoNotFound', GET, () => refused(400, 'RepoNotFound')],
    ['429', GET, () => ({ status: 429, headers: { 'retry-after': '3600' } })],
    ['a connection that is cut', GET, () => 'hangup'],
    ['no answer', GET, () => new Promise<undefined>((resolve) => setTimeout(resolve, 8000))],
    ['a repo that is gone', COMMIT, () => refused(400, 'RepoNotFound')],
    ['a repo that is away', COMMIT, () => refused(400, 'RepoDeactivated')],
    ['a commit that is none', COMMIT, () => ({ body: { rev: 'nonsense', cid: 'x' } })],
  ])('%s does not', { timeout: 20_000 }, async (_what, method, answer) => {
    const [uri, other] = [cook().uri, network.records(RSVP).find(({ did }) => did !== alice().did)!.uri]
    await indexer.notify(uri)
    network.delete(alice().did, EVENT, rkeyOf(uri))
    fault(method, (request, honest) => {
      const isAlice = request.params.get('repo') === alice().did || request.params.get('did') === alice().did
      return isAlice ? answer(request, honest) : undefined
    })
    const { deleted, indexed, errors } = await indexer.notify([uri, other])
    expect({ deleted, indexed }).toEqual({ deleted: 0, indexed: 1 })
    expect(errors).toEqual([{ uri, message: expect.any(String) }])
    expect(await row(uri)).toBeDefined()
  })

  test('nor does it where the account goes away meanwhile', async () => {
    const { uri } = cook()
    await indexer.notify(uri)
    fault(GET, () => {
      network.account(alice().did, { active: false, status: 'deactivated' })
      return refused(400, 'RecordNotFound')
    })
    expect(await indexer.notify(uri)).toMatchObject({ deleted: 0, errors: [{ uri }] })
    expect(await row(uri)).toBeDefined()
  })
})

test('an account that has moved is asked at its new PDS', async () => {
  const { uri } = cook()
  await indexer.notify(uri)
  network.move(alice().did, network.pds.find((url) => url !== alice().pds)!)
  const { cid } = network.put(alice().did, EVENT, rkeyOf(uri), soup('Stew'))
  expect(await indexer.notify(uri)).toEqual({ indexed: 1, deleted: 0 })
  expect((await row(uri))!.cid).toBe(cid)
})
