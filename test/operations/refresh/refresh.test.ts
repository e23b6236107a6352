import { describe, expect, test } from 'vitest'
import { EVENT, PROFILE, RSVP } from '../../../fixtures/network/index.ts'
import { deliver, expectSame, indexed, openIndexer } from '../support.ts'
import {
  account,
  changesOf,
  did,
  freshIndex,
  GET_REPO,
  hasEvent,
  indexer,
  loseEvents,
  NONE,
  network,
  refresh,
  soup,
  uriOf,
  warnings,
} from './support.ts'

freshIndex()

describe('refresh', () => {
  test('finds nothing to do after a backfill, and skips what has not changed', async () => {
    const first = await refresh()
    const records = [EVENT, RSVP, PROFILE].reduce((sum, nsid) => sum + network.records(nsid).length, 0)
    expect(first).toMatchObject({
      usersScanned: 8,
      usersFailed: 0,
      usersPartial: 0,
      usersSkipped: 0,
      ignoreWindowMs: 0,
    })
    expect(first.total).toEqual({ ...NONE, inSync: records })
    let archives = 0
    network.faults.pds = ({ method }) => {
      if (method === GET_REPO) archives++
      return undefined
    }
    expect(await refresh()).toMatchObject({ usersScanned: 8, usersSkipped: 8, total: NONE })
    network.put(did, EVENT, 'soup', soup())
    expect(await refresh()).toMatchObject({ usersScanned: 8, usersSkipped: 7, total: { missing: 1 } })
    expect(archives).toBe(1)
  })

  test('makes up for lost events, deletions too, and converges', async () => {
    await refresh()
    loseEvents()
    const { byCollection, ...rest } = await refresh()
    expect(byCollection[EVENT]).toMatchObject({ missing: 2, staleUpdates: 1, deleted: 1 })
    expect(byCollection[RSVP]).toMatchObject({ missing: 0, staleUpdates: 0, deleted: 1 })
    expect(byCollection[PROFILE]).toMatchObject({ missing: 0, staleUpdates: 0, deleted: 0 })
    expect(rest).toMatchObject({ usersFailed: 0, usersPartial: 0 })
    await expectSame(indexer, network)
    expect(changesOf(await refresh())).toEqual([0, 0, 0])
    await indexer.db.updateTable('lexidex_account').set({ verified_rev: null }).execute()
    expect(await refresh()).toMatchObject({ usersSkipped: 0, total: { missing: 0, staleUpdates: 0, deleted: 0 } })
  })

  test('differences of rows that are new are mended and not counted', async () => {
    network.put(did, EVENT, 'soup', soup())
    await refresh()
    network.put(did, EVENT, 'soup', soup('Stew'))
    const { total } = await refresh({ ignoreWindowMs: 60_000 })
    expect(total.staleUpdates).toBe(0)
    await expectSame(indexer, network)
  })

  test('what it deleted stays deleted when older events come after all', async () => {
    const from = network.log.length
    const { uri } = network.put(did, EVENT, 'soup', soup())
    await indexer.notify(uri)
    network.delete(did, EVENT, 'soup')
    expect((await refresh()).total.deleted).toBe(1)
    await deliver(indexer, network.log.slice(from))
    await expectSame(indexer, network)
  })

  test('what neither it nor the stream has ever shown stays away when it comes after all', async () => {
    const from = network.log.length
    network.put(did, EVENT, 'soup', soup())
    network.put(did, EVENT, 'stew', soup('Stew'))
    network.delete(did, EVENT, 'soup')
    expect((await refresh()).total).toMatchObject({ missing: 1, deleted: 0 })
    const created = network.log.slice(from).filter(({ kind, ...frame }) => {
      return kind === 'commit' && 'commit' in frame && frame.commit.operation === 'create'
    })
    await deliver(indexer, created)
    await expectSame(indexer, network)
  })

  test('a repo that was set back by its own host is taken as it is', async () => {
    await refresh()
    await indexer.db
      .updateTable('lexidex_account')
      .set({ verified_rev: '3zzzzzzzzzzzz' })
      .where('did', '=', did)
      .execute()
    network.put(did, EVENT, 'soup', soup())
    await refresh({ dids: [did] })
    expect(warnings.join()).toContain('was compared at 3zzzzzzzzzzzz')
    await expectSame(indexer, network)
    expect((await account()).verified_rev).not.toBe('3zzzzzzzzzzzz')
  })

  test('only the accounts that are named, known before or not', async () => {
    const fresh = await openIndexer(network)
    try {
      const other = network.accounts[1]!.did
      expect(await fresh.refresh({ dids: [did, other, did] })).toMatchObject({ usersScanned: 2, usersFailed: 0 })
      const rows = await indexed(fresh, 'event')
      const mine = network.records(EVENT).filter((record) => record.did === did || record.did === other)
      expect(rows).toEqual(mine.map(({ uri, cid }) => `${uri} ${cid}`).sort())
      await expect(fresh.refresh({ dids: ['alice.test'] })).rejects.toThrow('Not a DID: alice.test')
    } finally {
      await fresh.close()
    }
  })

  test('tells how far it is, and stops where it is told to', async () => {
    const seen: number[] = []
    await refresh({ onProgress: ({ accountsDone, accountsTotal }) => seen.push(accountsDone / accountsTotal) })
    expect([seen[0], seen.at(-1)]).toEqual([0, 1])
    loseEvents()
    const stop = new AbortController()
    network.faults.pds = ({ method }) => {
      if (method === GET_REPO) stop.abort()
      return undefined
    }
    expect(await refresh({ signal: stop.signal })).toMatchObject({ usersFailed: 0 })
    delete network.faults.pds
    await refresh()
    await expectSame(indexer, network)
    expect(await refresh({ signal: AbortSignal.abort() })).toMatchObject({ usersScanned: 0 })
  })

  test('fails where the database fails', async () => {
    loseEvents()
    await indexer.db.schema.dropTable('lexidex_tombstone').execute()
    await expect(refresh()).rejects.toThrow('lexidex_tombstone')
  })

  test('compares anew where the app has other collections', async () => {
    await refresh()
    await indexer.db.updateTable('lexidex_state').set({ value: '["com.example.old"]' }).execute()
    expect(await refresh()).toMatchObject({ usersSkipped: 0 })
    expect(await refresh()).toMatchObject({ usersSkipped: 8 })
  })

  test('a broken repo is compared although its rev is the last one; a later hint keeps it due', async () => {
    await refresh()
    const flag = (values: { resync: number; check_due_at: number | null }) =>
      indexer.db.updateTable('lexidex_account').set(values).where('did', '=', did).execute()
    await flag({ resync: 1, check_due_at: null })
    expect(await refresh()).toMatchObject({ usersSkipped: 7 })
    expect(await account()).toMatchObject({ resync: 0 })
    await flag({ resync: 1, check_due_at: Date.now() + 60_000 })
    expect(await refresh()).toMatchObject({ usersSkipped: 7 })
    expect(await account()).toMatchObject({ resync: 1 })
  })
})

describe('records that the index refuses', () => {
  const nameless = { $type: EVENT, name: 5, createdAt: '2026-01-16T09:00:00Z' }

  test('are quarantined once, let go when they are gone, and never reported again', async () => {
    network.put(did, EVENT, 'bad', nameless)
    const first = await refresh()
    expect(first.total.missing).toBe(0)
    expect(await indexer.listQuarantine()).toMatchObject([{ uri: uriOf('bad') }])
    network.put(did, EVENT, 'soup', soup())
    expect(changesOf(await refresh())).toEqual([1, 0, 0])
    expect(await indexer.listQuarantine()).toHaveLength(1)
    network.delete(did, EVENT, 'bad')
    expect(changesOf(await refresh())).toEqual([0, 0, 0])
    expect(await indexer.listQuarantine()).toEqual([])
  })

  test('hide the version that they replaced', async () => {
    network.put(did, EVENT, 'soup', soup())
    await refresh()
    network.put(did, EVENT, 'soup', nameless)
    expect((await refresh()).total.staleUpdates).toBe(1)
    expect(await hasEvent('soup')).toBe(false)
    network.put(did, EVENT, 'soup', soup('mended'))
    expect((await refresh()).total.missing).toBe(1)
    await expectSame(indexer, network)
  })
})

describe('accounts', () => {
  test('that refuse are left as they are, and looked after by the checks of accounts', async () => {
    await refresh()
    network.account(did, { active: false, status: 'deactivated' })
    expect(await refresh()).toMatchObject({ usersFailed: 1, total: NONE })
    expect((await account()).check_due_at).not.toBeNull()
    await new Promise((resolve) => setTimeout(resolve, 2))
    await indexer.checkAccounts()
    expect(await account()).toMatchObject({ hidden: 1 })
    expect(await refresh()).toMatchObject({ usersFailed: 0, usersSkipped: 8 })
    network.account(did, { active: true })
    network.put(did, EVENT, 'soup', soup())
    expect(await refresh()).toMatchObject({ usersFailed: 0, total: { missing: 1 } })
  })

  test('that have moved are found at their new host', async () => {
    await refresh()
    const { pds } = network.accounts[0]!
    network.move(did, network.pds.find((url) => url !== pds)!)
    network.put(did, EVENT, 'soup', soup())
    expect(await refresh()).toMatchObject({ usersFailed: 0, total: { missing: 1 } })
  })

  test('that cannot be resolved have failed', async () => {
    const fresh = await openIndexer(network)
    try {
      network.faults.plc = () => ({ status: 404, body: { message: 'no' } })
      expect(await fresh.refresh({ dids: [did] })).toMatchObject({ usersScanned: 1, usersFailed: 1 })
    } finally {
      await fresh.close()
    }
  })
})
