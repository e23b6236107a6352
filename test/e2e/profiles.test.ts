/** Profiles that the index lacks, from a real PDS: fetched behind a list that asks for them, or before `getProfile` answers. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createIndexer, createServerClient } from '../../fixtures/apps/calendar/src/lexidex/index.ts'
import { createSqliteStore } from '../../runtime/storage/sqlite/index.ts'
import { type RealAccount, type RealNetwork, startRealNetwork } from '../real/atproto.ts'

const EVENT = 'community.lexicon.calendar.event'
const PROFILE = 'app.bsky.actor.profile'

let network: RealNetwork
let accounts: RealAccount[]
beforeAll(async () => {
  network = await startRealNetwork()
  accounts = []
  for (const name of ['alice', 'bob', 'carol']) accounts.push(await network.createAccount(`${name}.test`))
})
afterAll(() => network?.close())

async function write({ agent, did }: RealAccount, collection: string, rkey: string, record: object): Promise<string> {
  const { data } = await agent.com.atproto.repo.putRecord({
    repo: did,
    collection,
    rkey,
    record: { $type: collection, ...record },
    validate: false,
  })
  return data.uri
}

test('of authors known from the stream alone', async () => {
  const [alice, bob, carol] = accounts as [RealAccount, RealAccount, RealAccount]
  const events: string[] = []
  for (const account of accounts) {
    events.push(await write(account, EVENT, 'one', { name: account.handle, createdAt: '2026-01-01T10:00:00.000Z' }))
  }
  await write(alice, PROFILE, 'self', { displayName: 'Alice' })
  await write(bob, PROFILE, 'self', { displayName: 'Bob' })

  const indexer = createIndexer(createSqliteStore(':memory:'), {
    plc: network.plcUrl,
    allowHosts: ['localhost', '127.0.0.1'],
    logger: { log: () => {}, warn: console.warn, error: console.error },
  })
  try {
    await indexer.migrate()
    expect(await indexer.notify(events)).toEqual({ indexed: 3, deleted: 0 })
    const api = createServerClient(indexer)
    const names = async () => {
      const { profiles } = await api.event.listRecords({ profiles: true })
      return Object.fromEntries(profiles.map(({ did, value }) => [did, value?.displayName]))
    }
    expect(await names()).toEqual({ [alice.did]: undefined, [bob.did]: undefined, [carol.did]: undefined })
    await expect
      .poll(names, { timeout: 20_000 })
      .toEqual({ [alice.did]: 'Alice', [bob.did]: 'Bob', [carol.did]: undefined })

    const { profiles } = await api.getProfile({ actor: alice.did })
    expect(profiles).toMatchObject([{ uri: `at://${alice.did}/${PROFILE}/self`, value: { displayName: 'Alice' } }])
    await expect(api.getProfile({ actor: carol.did })).rejects.toMatchObject({ status: 404, error: 'ProfileNotFound' })
    const { records } = await api.profile.listRecords()
    expect(records.map(({ did }) => did).sort()).toEqual([alice.did, bob.did].sort())
  } finally {
    await indexer.close()
  }
})
