/** What a refresh may conclude from an archive, and what not. */
import { describe, expect, test } from 'vitest'
import { carOf, EVENT, type HttpFault, type Network, type Reply } from '../../../fixtures/network/index.ts'
import { expectSame, indexed } from '../support.ts'
import {
  account,
  changesOf,
  did,
  freshIndex,
  GET_REPO,
  hasEvent,
  indexer,
  LIST,
  loseEvents,
  network,
  refresh,
  soup,
  spoil,
  uriOf,
  warnings,
} from './support.ts'

freshIndex()

describe('an archive that proves nothing deletes nothing', () => {
  const truncated = async (answer: () => Promise<Reply>) => {
    const car = (await answer()).body as Uint8Array
    return { body: car.subarray(0, car.length - 400) }
  }

  test.each<[string, () => HttpFault]>([
    ['cut off', () => (_, answer) => truncated(answer)],
    [
      'lacks a node',
      () => () => {
        const { root, blocks } = network.archive(did)
        return {
          body: carOf({
            root,
            blocks: blocks.filter((block, i) => i === 0 || block !== blocks.findLast(({ kind }) => kind === 'node')),
          }),
        }
      },
    ],
    [
      'stale',
      () => {
        const before = carOf(stale)
        return () => ({ body: before })
      },
    ],
    ["another account's", () => () => ({ body: carOf(network.archive(network.accounts[1]!.did)) })],
    ['not offered', () => () => ({ status: 501, body: { error: 'MethodNotImplemented', message: 'no' } })],
    ['empty', () => () => ({ body: '' })],
  ])('%s: what is listed is stored, and the account counts as partial', async (_what, fault) => {
    network.put(did, EVENT, 'gone', soup('Gone'))
    network.put(did, EVENT, 'soup', soup())
    await refresh()
    stale = network.archive(did)
    network.put(did, EVENT, 'soup', soup('changed'))
    network.put(did, EVENT, 'new', soup('new'))
    network.delete(did, EVENT, 'gone')
    spoil(fault())
    const partial = await refresh()
    expect(partial).toMatchObject({
      usersPartial: 1,
      usersFailed: 0,
      total: { missing: 1, staleUpdates: 1, deleted: 0 },
    })
    expect([await hasEvent('gone'), await hasEvent('new')]).toEqual([true, true])
    expect(warnings.join()).toContain(did)
    const { verified_rev } = await account()

    delete network.faults.pds
    const whole = await refresh()
    expect(whole).toMatchObject({ usersPartial: 0, total: { missing: 0, staleUpdates: 0, deleted: 1 } })
    expect((await account()).verified_rev! > verified_rev!).toBe(true)
    await expectSame(indexer, network)
  })
  let stale: ReturnType<Network['archive']>

  test('unavailable: the account failed, and nothing of it changed', async () => {
    await refresh()
    loseEvents()
    const before = await indexed(indexer, 'event')
    network.faults.pds = ({ method }) =>
      method === GET_REPO || method === LIST
        ? { status: 400, body: { error: 'RepoTakendown', message: 'no' } }
        : undefined
    const result = await refresh()
    expect(changesOf(result)).toEqual([0, 0, 0])
    expect(result.usersFailed).toBeGreaterThan(1)
    expect(await indexed(indexer, 'event')).toEqual(before)
    delete network.faults.pds
    await refresh()
    await expectSame(indexer, network)
  })

  test('older than what the stream has brought', async () => {
    await refresh()
    network.put(did, EVENT, 'gone', soup())
    const old = network.archive(did)
    network.delete(did, EVENT, 'gone')
    const { uri } = network.put(did, EVENT, 'soup', soup())
    await indexer.notify(uri)
    // A host that was set back says the same of its latest commit as its archive does.
    network.faults.pds = ({ method, params }) => {
      if (params.get('did') !== did) return undefined
      if (method === GET_REPO) return { body: carOf(old) }
      if (method === 'com.atproto.sync.getLatestCommit') return { body: { rev: oldRev, cid: old.root.toString() } }
      return undefined
    }
    const oldRev = (await account()).verified_rev!
    await indexer.db.updateTable('lexidex_account').set({ verified_rev: null }).execute()
    expect((await refresh()).usersPartial).toBe(1)
    expect(await hasEvent('soup')).toBe(true)
  })
})

describe('what is written meanwhile wins', () => {
  /** Does something after the archive was made and before it arrives. */
  function meanwhile(work: () => Promise<unknown>): void {
    spoil(async (_, answer) => {
      const reply = await answer()
      delete network.faults.pds
      await work()
      return reply
    })
  }

  test('created, updated and deleted after the archive was made', async () => {
    for (const rkey of ['updated', 'deleted', 'again']) network.put(did, EVENT, rkey, soup(rkey))
    await refresh()
    network.put(did, EVENT, 'updated', soup('second'))
    network.delete(did, EVENT, 'again')
    meanwhile(async () => {
      network.put(did, EVENT, 'created', soup())
      network.put(did, EVENT, 'updated', soup('third'))
      network.delete(did, EVENT, 'deleted')
      network.put(did, EVENT, 'again', soup('back'))
      await indexer.notify(['created', 'updated', 'deleted', 'again'].map((rkey) => uriOf(rkey)))
    })
    expect(changesOf(await refresh())).toEqual([0, 0, 0])
    await expectSame(indexer, network)
    expect(changesOf(await refresh())).toEqual([0, 0, 0])
  })

  test('stored meanwhile by a listing that carries an earlier rev than that of the record', async () => {
    network.put(did, EVENT, 'soup', soup())
    meanwhile(async () => {
      await new Promise((resolve) => setTimeout(resolve, 5))
      const { uri } = network.put(did, EVENT, 'late', soup('late'))
      await indexer.notify(uri)
      // A listing that began before this write, and met it all the same, gives it a rev before the archive's.
      await indexer.db.updateTable('event').set({ rev: '2222222222222' }).where('uri', '=', uri).execute()
    })
    expect((await refresh()).total.deleted).toBe(0)
    expect(await hasEvent('late')).toBe(true)
  })

  test('a listing that still has what was deleted', async () => {
    network.put(did, EVENT, 'soup', soup())
    await indexer.notify(uriOf('soup'))
    network.faults.pds = async ({ method, params }, answer) => {
      if (params.get('did') === did && method === GET_REPO)
        return { status: 501, body: { error: 'MethodNotImplemented' } }
      if (params.get('repo') !== did || params.get('collection') !== EVENT || method !== LIST) return undefined
      const reply = await answer()
      delete network.faults.pds
      network.delete(did, EVENT, 'soup')
      await indexer.notify(uriOf('soup'))
      return reply
    }
    expect((await refresh()).usersPartial).toBe(1)
    expect(await hasEvent('soup')).toBe(false)
  })
})
