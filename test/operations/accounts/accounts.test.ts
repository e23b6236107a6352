import { describe, expect, test } from 'vitest'
import { EVENT, PROFILE } from '../../../fixtures/network/index.ts'
import { eventually } from '../support.ts'
import {
  account,
  alice,
  bob,
  check,
  clock,
  freshIndex,
  get,
  going,
  hint,
  hinted,
  indexer,
  names,
  network,
} from './support.ts'

const PLC_GONE = { status: 410, body: { message: 'DID tombstoned' } }
const PLC_UNKNOWN = { status: 404, body: { message: 'DID not registered' } }

freshIndex()

describe('an account that is', () => {
  test.each(['deactivated', 'suspended', 'takendown'])('%s is hidden, and shown again when active', async (status) => {
    expect([await names(), await going()]).toEqual([['Bread', 'Soup'], 1])
    network.account(bob.did, { active: false, status })
    expect(await hinted(bob.did)).toEqual({ checked: 1, failed: 0 })
    expect([await names(), await going()]).toEqual([['Soup'], undefined])
    expect(await get(`profile.listRecords?actor=${bob.did}`)).toEqual({ records: [] })
    expect(await account(bob.did)).toMatchObject({ status, hidden: 1, check_due_at: null })

    network.account(bob.did, { active: true })
    await hinted(bob.did)
    expect([await names(), await going()]).toEqual([['Bread', 'Soup'], 1])
    expect(await account(bob.did)).toMatchObject({ status: 'active', hidden: 0, handle: bob.handle })
  })

  test('deleted is removed with all that it had', async () => {
    network.account(bob.did, { active: false, status: 'deleted' })
    await hinted(bob.did)
    expect([await names(), await going()]).toEqual([['Soup'], undefined])
    expect(await account(bob.did)).toMatchObject({ status: 'deleted', hidden: 2, handle: null })
    for (const table of ['event', 'rsvp', 'profile', 'lexidex_job'] as const) {
      expect(await indexer.db.selectFrom(table).select('did').where('did', '=', bob.did).execute()).toEqual([])
    }
    expect((await indexer.backfill()).failed).toBe(0)
  })

  test.each([
    { active: false, status: 'desynchronized' },
    { active: true, status: 'throttled' },
    { active: false, status: 'from-the-future' },
    { active: false },
  ])('%j is shown', async (status) => {
    network.faults.pds = ({ method }) =>
      method === 'com.atproto.sync.getRepoStatus' ? { body: { did: bob.did, ...status } } : undefined
    expect(await hinted(bob.did)).toEqual({ checked: 1, failed: 0 })
    expect(await names()).toEqual(['Bread', 'Soup'])
  })

  test('not known stays so', async () => {
    await hint('did:plc:aaaaaaaaaaaaaaaaaaaaaaaa')
    expect(await check()).toEqual({ checked: 0, failed: 0 })
  })
})

describe('a host that', () => {
  const statusMethod = 'com.atproto.sync.getRepoStatus'

  test('an account has left is not asked, whatever it says', async () => {
    network.move(bob.did, network.pds.find((url) => url !== bob.pds)!)
    const asked: string[] = []
    network.faults.pds = ({ host, method }) => {
      if (method === statusMethod) asked.push(host)
      return undefined
    }
    await hinted(bob.did)
    expect(asked).toEqual([network.accounts[1]!.pds])
    expect(await names()).toEqual(['Bread', 'Soup'])
    expect(await account(bob.did)).toMatchObject({
      status: 'active',
      pds: network.accounts[1]!.pds,
      handle: bob.handle,
    })
  })

  test.each(['deactivated', 'deleted'])('an account leaves in this moment is not believed: %s', async (status) => {
    const before = bob.pds
    const after = network.pds.find((url) => url !== before)!
    network.faults.pds = ({ host, method }) => {
      if (method !== statusMethod || host !== before) return undefined
      network.move(bob.did, after)
      if (status === 'deactivated') return undefined
      return { status: 400, body: { error: 'RepoNotFound', message: 'Could not find repo' } }
    }
    expect(await hinted(bob.did)).toEqual({ checked: 1, failed: 0 })
    expect(await account(bob.did)).toMatchObject({ status: 'active', pds: after })
  })

  test('does not know the method is asked in another way', async () => {
    network.faults.pds = ({ method }) =>
      method === statusMethod ? { status: 501, body: { error: 'MethodNotImplemented' } } : undefined
    await hinted(bob.did)
    expect(await account(bob.did)).toMatchObject({ status: 'active', check_attempts: 0 })
    network.account(bob.did, { active: false, status: 'takendown' })
    await hinted(bob.did)
    expect(await account(bob.did)).toMatchObject({ status: 'takendown' })
  })

  test('does not answer keeps only its own accounts waiting', async () => {
    let release = () => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    network.faults.pds = async ({ host, method }) => {
      if (host === bob.pds && method === statusMethod) await gate
      return undefined
    }
    for (const { did } of [bob, alice]) await hint(did)
    network.account(alice.did, { active: false, status: 'suspended' })
    expect(alice.pds).not.toBe(bob.pds)
    const done = check()
    await eventually(async () => expect(await account(alice.did)).toMatchObject({ status: 'suspended' }))
    release()
    expect(await done).toEqual({ checked: 2, failed: 0 })
  })
})

describe('a DID whose document is gone', () => {
  test('by its owner is deleted', async () => {
    network.faults.plc = () => PLC_GONE
    network.faults.pds = () => 'hangup'
    await hinted(bob.did)
    expect(await account(bob.did)).toMatchObject({ status: 'deleted', hidden: 2 })
    expect(await names()).toEqual(['Soup'])
  })

  test('is deleted where its last host does not know it either', async () => {
    network.faults.plc = () => PLC_UNKNOWN
    network.account(bob.did, { active: false, status: 'deleted' })
    await hinted(bob.did)
    expect(await account(bob.did)).toMatchObject({ status: 'deleted' })
  })

  test('stays where its last host has it: the directory may be the wrong one', async () => {
    network.faults.plc = () => PLC_UNKNOWN
    expect(await hinted(bob.did)).toEqual({ checked: 0, failed: 1 })
    expect(await account(bob.did)).toMatchObject({ status: 'active', check_error: expect.stringContaining('404') })
    expect(await names()).toEqual(['Bread', 'Soup'])
  })
})

describe('what cannot be found out', () => {
  test('is asked for again after 30 s, 1 min, … 6 h, and shows in the status', async () => {
    network.faults.plc = () => ({ status: 503 })
    await hint(bob.did)
    const waits: number[] = []
    for (let i = 0; i < 12; i++) {
      expect(await check()).toEqual({ checked: 0, failed: 1 })
      const { check_due_at } = await account(bob.did)
      waits.push((check_due_at! - clock.now()) / 1000)
      expect(await check()).toEqual({ checked: 0, failed: 0 })
      clock.advance(check_due_at! - clock.now())
    }
    expect(waits.slice(0, 4)).toEqual([30, 60, 120, 240])
    expect(waits.at(-1)).toBe(6 * 60 * 60)
    expect((await indexer.status()).checks).toMatchObject({ failing: 1, lastError: expect.stringContaining('503') })
    expect(await names()).toEqual(['Bread', 'Soup'])

    delete network.faults.plc
    expect(await check()).toEqual({ checked: 1, failed: 0 })
    expect(await account(bob.did)).toMatchObject({ check_attempts: 0, check_error: null, check_due_at: null })
  })

  test('is asked for at once after another hint', async () => {
    network.faults.plc = () => ({ status: 503 })
    await hinted(bob.did)
    delete network.faults.plc
    network.account(bob.did, { active: false, status: 'deactivated' })
    await hinted(bob.did)
    expect(await account(bob.did)).toMatchObject({ status: 'deactivated' })
  })

  test('is left due where the call is cut short', async () => {
    network.faults.plc = () => new Promise(() => {})
    await hint(bob.did)
    clock.advance(1)
    const abort = new AbortController()
    const done = indexer.checkAccounts({ signal: abort.signal })
    abort.abort()
    expect(await done).toEqual({ checked: 0, failed: 0 })
    delete network.faults.plc
    expect(await check()).toEqual({ checked: 1, failed: 0 })
  })
})

test('a hint that comes while the account is asked is not lost', async () => {
  network.account(bob.did, { active: false, status: 'deactivated' })
  let first = true
  network.faults.pds = async ({ method }, answer) => {
    if (method !== 'com.atproto.sync.getRepoStatus' || !first) return undefined
    first = false
    const reply = await answer()
    network.account(bob.did, { active: true })
    clock.advance(1)
    await hint(bob.did)
    clock.advance(1)
    return reply
  }
  expect(await hinted(bob.did)).toEqual({ checked: 2, failed: 0 })
  expect(await account(bob.did)).toMatchObject({ status: 'active', check_due_at: null })
})

describe('a repo that broke', () => {
  const change = () => {
    network.delete(bob.did, EVENT, 'bread')
    network.put(bob.did, EVENT, 'cake', { $type: EVENT, name: 'Cake', createdAt: '2026-01-16T09:00:00Z' })
  }

  test('is compared as a whole, deletions too', async () => {
    change()
    await hint(bob.did, true)
    // A later hint of another kind does not take that back.
    await hint(bob.did)
    expect(await check()).toEqual({ checked: 1, failed: 0 })
    expect(await names()).toEqual(['Cake', 'Soup'])
    expect(await account(bob.did)).toMatchObject({ resync: 0, check_due_at: null })
  })

  test('waits where it cannot be had', async () => {
    change()
    network.faults.pds = ({ method }) =>
      method === 'com.atproto.sync.getRepo' ? { status: 403, body: { error: 'Forbidden' } } : undefined
    await hint(bob.did, true)
    expect(await check()).toEqual({ checked: 0, failed: 1 })
    expect(await account(bob.did)).toMatchObject({ resync: 1, check_attempts: 1, check_error: expect.any(String) })
    expect(await names()).toContain('Bread')
    delete network.faults.pds
    clock.advance(30_000)
    expect(await check()).toEqual({ checked: 1, failed: 0 })
    expect(await names()).toEqual(['Cake', 'Soup'])
  })

  test('of an account that is hidden waits until it is back', async () => {
    change()
    network.account(bob.did, { active: false, status: 'deactivated' })
    await hint(bob.did, true)
    expect(await check()).toEqual({ checked: 1, failed: 0 })
    expect(await account(bob.did)).toMatchObject({ hidden: 1, resync: 1 })
    network.account(bob.did, { active: true })
    await hinted(bob.did)
    expect(await names()).toEqual(['Cake', 'Soup'])
    expect(await account(bob.did)).toMatchObject({ hidden: 0, resync: 0 })
  })

  test('of an account that was deleted and is back is fetched again', async () => {
    network.account(bob.did, { active: false, status: 'deleted' })
    await hinted(bob.did)
    expect(await names()).toEqual(['Soup'])
    network.account(bob.did, { active: true })
    await hinted(bob.did)
    expect([await names(), await going()]).toEqual([['Bread', 'Soup'], 1])
    expect(await account(bob.did)).toMatchObject({ status: 'active', hidden: 0, resync: 0, handle: bob.handle })
  })
})

test('a limit holds, and those that a stream has hinted at come first', async () => {
  clock.advance(25 * 60 * 60_000)
  await hint(bob.did)
  network.account(bob.did, { active: false, status: 'suspended' })
  clock.advance(1)
  expect(await indexer.checkAccounts({ limit: 1 })).toEqual({ checked: 1, failed: 0 })
  expect(await account(bob.did)).toMatchObject({ status: 'suspended' })
  expect(await indexer.checkAccounts({ limit: 1 })).toEqual({ checked: 1, failed: 0 })
  expect(await indexer.checkAccounts({ limit: 1 })).toEqual({ checked: 0, failed: 0 })
})

test('profiles come with their accounts', async () => {
  expect((await get(`profile.listRecords?actor=${alice.handle}`)).records).toHaveLength(1)
  expect(network.records(PROFILE)).toHaveLength(6)
})
