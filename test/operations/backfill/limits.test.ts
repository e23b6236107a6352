/** What a backfill takes at a time, and in which order. */
import { describe, expect, test } from 'vitest'
import { EVENT, RSVP } from '../../../fixtures/network/index.ts'
import { eventually, expectSame, indexed } from '../support.ts'
import { freshSetting, GET_REPO, LIST, NOT_OFFERED } from './support.ts'

const setting = freshSetting()

describe('a backfill takes', () => {
  test('only the accounts that are named, at once and in all collections', async () => {
    const [first, second, third] = setting.network.accounts.map(({ did }) => did) as [string, string, string]
    const { completed } = await setting.indexer.backfill({ dids: [first, second, first] })
    expect(completed).toBe(6)
    expect([...new Set((await setting.jobs()).map(({ did }) => did))].sort()).toEqual([first, second].sort())
    const mine = setting.network.records(EVENT).filter(({ did }) => did === first || did === second)
    expect(await indexed(setting.indexer, 'event')).toEqual(mine.map(({ uri, cid }) => `${uri} ${cid}`).sort())
    expect(await setting.indexer.backfill({ dids: [first] })).toMatchObject({ completed: 0 })

    setting.network.faults.pds = () => ({ status: 400, body: { error: 'RepoDeactivated', message: 'away' } })
    expect(await setting.indexer.backfill({ dids: [third], maxAttempts: 1 })).toMatchObject({ failed: 3, retrying: 0 })
    delete setting.network.faults.pds
    expect(await setting.indexer.backfill()).toMatchObject({ completed: 0 })
    expect(await setting.indexer.backfill({ dids: [third] })).toMatchObject({ completed: 3 })
  })

  test('hosts at a time, and accounts at a time of one', async () => {
    const { network, indexer } = setting
    await indexer.discover()
    const running = new Map<string, number>()
    let hosts = 0
    let accounts = 0
    let beginTogether = () => {}
    const together = new Promise<void>((resolve) => {
      beginTogether = resolve
    })
    network.faults.pds = async ({ host }, answer) => {
      running.set(host, (running.get(host) ?? 0) + 1)
      hosts = Math.max(hosts, [...running.values()].filter((count) => count > 0).length)
      accounts = Math.max(accounts, running.get(host)!)
      if (accounts === 2) beginTogether()
      await together
      const reply = await answer()
      running.set(host, running.get(host)! - 1)
      return reply
    }
    await indexer.backfill({ pdsConcurrency: 1, didsPerPds: 2 })
    expect([hosts, accounts]).toEqual([1, 2])
    await expectSame(indexer, network)
  })

  test('parents before children', async () => {
    await setting.indexer.discover()
    const order: string[] = []
    setting.network.faults.pds = ({ method, params }) => {
      if (method === GET_REPO) return NOT_OFFERED
      if (method === LIST && params.get('repo') === setting.network.accounts[0]!.did)
        order.push(params.get('collection')!)
      return undefined
    }
    await setting.indexer.backfill()
    const unique = [...new Set(order)]
    expect(unique.indexOf(EVENT)).toBeLessThan(unique.indexOf(RSVP))
  })

  test('of one host three, however long it takes over them', async () => {
    const { network, indexer } = setting
    const [crowded] = network.pds
    const others = network.accounts.filter(({ pds }) => pds !== crowded).map(({ did }) => did)
    await indexer.discover()
    let running = 0
    let most = 0
    let release = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    network.faults.pds = async ({ host }) => {
      if (host !== crowded) return
      most = Math.max(most, ++running)
      await released
      running--
      return undefined
    }
    const done = indexer.backfill()
    // Whoever might come as well has had the time that all accounts of another host took.
    await eventually(async () => {
      expect(running).toBe(3)
      const open = (await setting.jobs()).filter(({ did, status }) => others.includes(did) && status !== 'completed')
      expect(open).toEqual([])
    })
    release()
    await done
    expect(most).toBe(3)
    await expectSame(indexer, network)
  })
})
