import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EVENT, type HttpFault, type Network, PROFILE, RSVP, startNetwork } from '../../../fixtures/network/index.ts'
import type { IndexerOptions } from '../../../runtime/index.ts'
import { type CalendarIndexer, manualClock, openIndexer } from '../support.ts'

let network: Network
let indexer: CalendarIndexer
let clock: ReturnType<typeof manualClock>

beforeEach(async () => {
  network = await startNetwork({ accounts: 4, events: 12, rsvps: 30, profiles: 4, pdsCount: 2 })
  await open()
})
afterEach(async () => {
  await indexer.close()
  await network.close()
})

const open = async (options: IndexerOptions = {}) => {
  clock = manualClock()
  indexer = await openIndexer(network, { clock, ...options })
}

async function list(collection: string, params: Record<string, string>) {
  const query = new URLSearchParams({ limit: '200', ...params })
  const response = await indexer.fetch(
    new Request(`https://index.test/xrpc/com.example.${collection}.listRecords?${query}`),
  )
  const body: any = await response.json()
  return { status: response.status, body, uris: (body.records ?? []).map((record: any) => record.uri).sort() }
}

const alice = () => network.accounts[0]!
const heldBy = (did: string, collection: string) =>
  network
    .records(collection)
    .filter((record) => record.did === did)
    .map(({ uri }) => uri)
    .sort()

const jobs = () => indexer.db.selectFrom('lexidex_job').select(['did', 'collection', 'status', 'attempts']).execute()
const accounts = () => indexer.db.selectFrom('lexidex_account').select('did').execute()

/** Looks at every request to the PDSes; `answer` answers those of one method. */
function watch(method = '', answer: HttpFault = () => undefined): string[] {
  const asked: string[] = []
  network.faults.pds = (request, honest) => {
    asked.push(request.method)
    return request.method === method ? answer(request, honest) : undefined
  }
  return asked
}

const LIST = 'com.atproto.repo.listRecords'
const hang: HttpFault = () => new Promise<undefined>((resolve) => setTimeout(resolve, 6000))

describe('a list of an account that is not indexed yet', () => {
  test('fetches all of the account first', async () => {
    const { status, uris } = await list('event', { did: alice().did })
    expect(status).toBe(200)
    expect(uris).toEqual(heldBy(alice().did, EVENT))
    expect(uris).not.toEqual([])
    expect(await accounts()).toEqual([{ did: alice().did }])
    expect((await jobs()).map(({ status }) => status)).toEqual(['completed', 'completed', 'completed'])

    const asked = watch()
    expect((await list('rsvp', { actor: alice().did })).uris).toEqual(heldBy(alice().did, RSVP))
    expect((await list('profile', { actor: alice().did })).uris).toEqual(heldBy(alice().did, PROFILE))
    expect((await list('event', { did: alice().did })).uris).toEqual(uris)
    expect(asked).toEqual([])
  })

  test('asks once for requests that come together', async () => {
    const asked = watch()
    const pages = await Promise.all(['event', 'rsvp', 'event', 'rsvp'].map((name) => list(name, { did: alice().did })))
    for (const [i, collection] of [EVENT, RSVP, EVENT, RSVP].entries()) {
      expect(pages[i]!.uris).toEqual(heldBy(alice().did, collection))
    }
    expect(asked.filter((method) => method === 'com.atproto.sync.getLatestCommit')).toHaveLength(1)
  })

  test('fetches what is known of an account through the stream or a notification alone', async () => {
    const [first] = heldBy(alice().did, EVENT)
    await indexer.notify(first!)
    expect((await list('event', { did: alice().did })).uris).toEqual(heldBy(alice().did, EVENT))
  })

  test('takes no part in what the stream says later', async () => {
    const [first] = heldBy(alice().did, EVENT)
    const rkey = first!.split('/').at(-1)!
    await list('event', { did: alice().did })
    network.delete(alice().did, EVENT, rkey)
    await indexer.notify(first!)
    expect((await list('event', { did: alice().did })).uris).toEqual(heldBy(alice().did, EVENT))
  })

  test('keeps no account that has nothing of the app’s', async () => {
    for (const collection of [EVENT, RSVP]) {
      for (const uri of heldBy(alice().did, collection)) network.delete(alice().did, collection, uri.split('/').at(-1)!)
    }
    expect(await list('event', { did: alice().did })).toMatchObject({ status: 200, body: { records: [] } })
    expect([await accounts(), await jobs()]).toEqual([[], []])
  })

  test('is as the index has it where that is switched off', async () => {
    await indexer.close()
    await open({ onDemand: false })
    const asked = watch()
    expect((await list('event', { did: alice().did })).uris).toEqual([])
    expect(await list('event', { actor: 'nobody.test' })).toMatchObject({ status: 400 })
    expect(asked).toEqual([])
  })
})

describe('handles', () => {
  test('of the index stand for their accounts; others are looked up', async () => {
    await indexer.db
      .insertInto('lexidex_account')
      .values({ did: alice().did, handle: alice().handle, first_seen_at: 0 })
      .execute()
    expect((await list('event', { actor: alice().handle })).uris).toEqual(heldBy(alice().did, EVENT))
    expect(await list('event', { actor: 'nobody.test' })).toMatchObject({
      status: 400,
      body: { error: 'InvalidRequest', message: 'Could not resolve actor' },
    })
  })
})

describe('a PDS that fails', () => {
  test('is tried once and left to the background', async () => {
    const asked = watch(LIST, () => ({ status: 503, body: { error: 'NotAvailable' } }))
    expect(await list('event', { did: alice().did })).toMatchObject({ status: 200, body: { records: [] } })
    const tried = asked.length
    expect(asked.filter((method) => method === LIST)).toHaveLength(3)
    expect((await jobs()).every(({ status, attempts }) => status === 'pending' && attempts === 1)).toBe(true)
    await list('event', { did: alice().did })
    expect(asked).toHaveLength(tried)

    delete network.faults.pds
    clock.advance(15 * 60_000)
    await indexer.backfill()
    expect((await list('event', { did: alice().did })).uris).toEqual(heldBy(alice().did, EVENT))
  })

  test('is waited for no longer than 3 s, and not again for a minute', { timeout: 15_000 }, async () => {
    const asked = watch(LIST, hang)
    // Answered 6 s later in truth: an answer that waited would have the records.
    expect(await list('event', { did: alice().did })).toMatchObject({ status: 200, body: { records: [] } })
    const tried = asked.length
    expect((await list('event', { did: alice().did })).uris).toEqual([])
    expect(asked).toHaveLength(tried)

    delete network.faults.pds
    clock.advance(60_000)
    expect((await list('event', { did: alice().did })).uris).toEqual(heldBy(alice().did, EVENT))
  })

  test('leaves the rest of a long listing to the next backfill', { timeout: 15_000 }, async () => {
    for (let i = 0; i < 250; i++) {
      network.put(alice().did, EVENT, undefined, { $type: EVENT, name: `${i}`, createdAt: '2026-01-16T09:00:00Z' })
    }
    watch(LIST, (request, honest) => (request.params.get('cursor') === null ? undefined : hang(request, honest)))
    const { body } = await list('event', { did: alice().did })
    expect(body.records).toHaveLength(100)
    delete network.faults.pds
    const cursors: (string | null)[] = []
    network.faults.pds = ({ method, params }) => {
      if (method === LIST && params.get('collection') === EVENT) cursors.push(params.get('cursor'))
      return undefined
    }
    await indexer.backfill()
    expect(cursors[0]).not.toBeNull()
    expect(await indexer.db.selectFrom('event').select('uri').execute()).toHaveLength(heldBy(alice().did, EVENT).length)
  })

  test('does not keep the index from closing', async () => {
    watch(LIST, hang)
    const waiting = list('event', { did: alice().did })
    await new Promise((resolve) => setTimeout(resolve, 200))
    await indexer.close()
    await open()
    expect(await waiting).toMatchObject({ status: expect.any(Number) })
  })
})

test('an account that cannot be resolved has no records, and is not asked for again for a minute', async () => {
  const did = `did:plc:${'z'.repeat(24)}`
  let asked = 0
  network.faults.plc = () => {
    asked++
    return undefined
  }
  for (let i = 0; i < 3; i++) expect(await list('event', { did })).toMatchObject({ status: 200, body: { records: [] } })
  expect(asked).toBe(1)
  expect([await accounts(), await jobs()]).toEqual([[], []])
})
