import { describe, expect, test } from 'vitest'
import { account, alice, bob, check, clock, freshIndex, get, hinted, indexer, network } from './support.ts'

freshIndex()

describe('handles', () => {
  test('of accounts that were never looked at are resolved without a hint', async () => {
    const rows = await indexer.db.selectFrom('lexidex_account').select(['did', 'handle', 'pds']).execute()
    const byDid = new Map(network.accounts.map((known) => [known.did, known]))
    expect(rows).toHaveLength(2)
    for (const { did, handle, pds } of rows) expect(byDid.get(did)).toMatchObject({ handle, pds })
    expect((await get(`event.listRecords?actor=${bob.handle}`)).records).toHaveLength(1)
  })

  test('change', async () => {
    network.identity(bob.did, 'robert.test')
    await hinted(bob.did)
    expect((await get('event.listRecords?actor=robert.test')).records).toHaveLength(1)
    expect(await get(`event.listRecords?actor=${bob.handle}`)).toMatchObject({ records: [expect.anything()] })
  })

  test('that only the DID document states are not kept', async () => {
    network.faults.pds = ({ method }) =>
      method === 'com.atproto.identity.resolveHandle' ? { body: { did: alice.did } } : undefined
    network.identity(bob.did, 'famous.test')
    await hinted(bob.did)
    expect(await account(bob.did)).toMatchObject({ handle: null, status: 'active' })
  })

  test('that another account has now are cleared', async () => {
    const stolen = bob.handle
    network.identity(alice.did, stolen)
    await hinted(alice.did)
    expect(await account(alice.did)).toMatchObject({ handle: stolen })
    expect(await account(bob.did)).toMatchObject({ handle: null })
    // The document of the former owner says the same still.
    await hinted(bob.did)
    expect(await account(bob.did)).toMatchObject({ handle: null })
  })

  test('that held stay while nobody can tell', async () => {
    network.faults.pds = ({ method }) => (method === 'com.atproto.identity.resolveHandle' ? { status: 503 } : undefined)
    expect(await hinted(bob.did)).toEqual({ checked: 1, failed: 0 })
    expect(await account(bob.did)).toMatchObject({ handle: bob.handle })
    network.identity(bob.did, 'robert.test')
    await hinted(bob.did)
    expect(await account(bob.did)).toMatchObject({ handle: null })
  })

  test('are looked at again: an hour later where they did not hold, a day later where they did', async () => {
    const minutes = async (count: number) => {
      clock.advance(count * 60_000)
      return (await check()).checked
    }
    network.faults.pds = ({ method }) =>
      method === 'com.atproto.identity.resolveHandle' ? { status: 400, body: { error: 'HandleNotFound' } } : undefined
    await hinted(bob.did)
    delete network.faults.pds
    expect(await minutes(59)).toBe(0)
    expect(await minutes(2)).toBe(1)
    expect(await account(bob.did)).toMatchObject({ handle: bob.handle })
    expect(await minutes(22 * 60)).toBe(0)
    expect(await minutes(60)).toBe(1)
    expect(await minutes(60)).toBe(1)
    expect(await minutes(60)).toBe(0)
  })

  test('of deleted accounts are not looked at any more', async () => {
    network.account(bob.did, { active: false, status: 'deleted' })
    await hinted(bob.did)
    clock.advance(23 * 60 * 60_000)
    expect(await check()).toEqual({ checked: 0, failed: 0 })
  })
})
