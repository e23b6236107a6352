import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EVENT, type Network, PROFILE, startNetwork } from '../../../fixtures/network/index.ts'
import { type CalendarIndexer, manualClock, openIndexer } from '../support.ts'

let network: Network
let indexer: CalendarIndexer
let clock: ReturnType<typeof manualClock>
let asked: string[]

beforeEach(async () => {
  network = await startNetwork({ accounts: 4, events: 12, rsvps: 12, profiles: 4, pdsCount: 2 })
  clock = manualClock()
  indexer = await openIndexer(network, { clock })
  // Known by one record each, as from the stream; no history is fetched yet.
  for (const uri of [alice(), bob()].map((did) => eventsOf(did)[0]!)) await indexer.notify(uri)
  asked = []
  network.faults.pds = ({ method }) => void asked.push(method)
})
afterEach(async () => {
  await indexer.close()
  await network.close()
})

const alice = () => network.accounts[0]!.did
const bob = () => network.accounts[1]!.did
const eventsOf = (did: string) =>
  network
    .records(EVENT)
    .filter((record) => record.did === did)
    .map(({ uri }) => uri)

const profileAt = (did: string) => `at://${did}/${PROFILE}/self`

async function get(path: string): Promise<{ status: number; body: any }> {
  const response = await indexer.fetch(new Request(`https://index.test/xrpc/com.example.${path}`))
  return { status: response.status, body: await response.json() }
}

let pages = 0

/** Never the same question twice: an answer that is kept asks nobody. */
async function profiles(): Promise<(string | undefined)[]> {
  const { body } = await get(`event.listRecords?profiles=true&limit=${20 + (pages++ % 80)}`)
  return body.profiles.map((profile: any) => profile.uri).sort()
}

async function waitFor(check: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200 && !(await check()); i++) await new Promise((resolve) => setTimeout(resolve, 25))
}

const GET = 'com.atproto.repo.getRecord'
const fetches = () => asked.filter((method) => method === GET)

describe('profiles that the index lacks', () => {
  test('are fetched in the background, each once, and are there for the next request', async () => {
    expect(await profiles()).toEqual([undefined, undefined])
    await waitFor(async () => (await profiles()).every((uri) => uri !== undefined))
    expect(await profiles()).toEqual([profileAt(alice()), profileAt(bob())].sort())
    expect(fetches()).toHaveLength(2)
    // One record is no history.
    expect(asked).not.toContain('com.atproto.repo.listRecords')
  })

  test('that do not exist are asked for again after an hour, not before', async () => {
    network.delete(alice(), PROFILE, 'self')
    await waitFor(async () => (await profiles()).includes(profileAt(bob())))
    await waitFor(async () => fetches().length >= 2)
    clock.advance(3_500_000)
    await profiles()
    await profiles()
    expect(fetches()).toHaveLength(2)
    clock.advance(200_000)
    await profiles()
    await waitFor(async () => fetches().length > 2)
    expect(fetches()).toHaveLength(3)
  })

  test('of accounts whose history was fetched are known not to exist', async () => {
    network.delete(alice(), PROFILE, 'self')
    await indexer.backfill()
    asked.length = 0
    expect(await profiles()).toEqual([profileAt(bob()), undefined])
    await indexer.close()
    expect(asked).toEqual([])
  })

  test('are waited for by getProfile alone', async () => {
    const { status, body } = await get(`getProfile?actor=${alice()}`)
    expect([status, body.profiles.map((profile: any) => profile.uri)]).toEqual([200, [profileAt(alice())]])
    network.delete(bob(), PROFILE, 'self')
    expect(await get(`getProfile?actor=${bob()}`)).toMatchObject({ status: 404, body: { error: 'ProfileNotFound' } })
  })

  test('a PDS that fails is no error of the request, nor of the index', async () => {
    network.faults.pds = () => ({ status: 503 })
    expect(await profiles()).toEqual([undefined, undefined])
    await indexer.close()
  })
})

test('profiles of accounts that are not known are not kept', async () => {
  const stranger = network.accounts[3]!.did
  const { errors } = await indexer.notify(profileAt(stranger))
  expect(errors).toMatchObject([{ message: expect.stringContaining('accounts that are known') }])
  expect(await get('profile.listRecords')).toMatchObject({ body: { records: [] } })
})
