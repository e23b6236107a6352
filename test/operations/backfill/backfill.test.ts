import { describe, expect, test } from 'vitest'
import { EVENT } from '../../../fixtures/network/index.ts'
import { expectSame, indexed } from '../support.ts'
import { freshSetting, GET_REPO, LIST, NOT_OFFERED } from './support.ts'

const setting = freshSetting()

describe('backfill', () => {
  test('gives exactly what the network holds', async () => {
    const { backfilled } = await setting.indexer.backfillAll()
    await expectSame(setting.indexer, setting.network)
    expect(backfilled).toMatchObject({ failed: 0, retrying: 0, completed: (await setting.jobs()).length })
    expect((await setting.jobs()).every(({ status, cursor }) => status === 'completed' && cursor === null)).toBe(true)
    const rows = await indexed(setting.indexer, 'event')
    const again = await setting.indexer.backfillAll()
    expect(again.backfilled).toMatchObject({ completed: 0, records: 0 })
    expect(await indexed(setting.indexer, 'event')).toEqual(rows)
  })

  test('walks long listings to their end', async () => {
    const { did } = setting.network.accounts[0]!
    for (let i = 0; i < 250; i++) {
      setting.network.put(did, EVENT, undefined, { $type: EVENT, name: `Soup ${i}`, createdAt: '2026-01-16T09:00:00Z' })
    }
    await setting.indexer.backfillAll()
    await expectSame(setting.indexer, setting.network)
  })

  test('learns the PDS of the accounts, and takes no handle on trust', async () => {
    await setting.indexer.backfillAll()
    const rows = await setting.indexer.db.selectFrom('lexidex_account').select(['did', 'handle', 'pds']).execute()
    const byDid = new Map(setting.network.accounts.map((account) => [account.did, account]))
    for (const { did, handle, pds } of rows) expect([handle, byDid.get(did)!.pds]).toEqual([null, pds])
  })

  test('tells how far it is', async () => {
    const seen: number[] = []
    let last: unknown
    const { backfilled } = await setting.indexer.backfillAll({
      onProgress: (progress) => {
        seen.push(progress.records)
        last = progress
      },
    })
    const { count } = await setting.indexer.db
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
    const { did } = setting.network.accounts[0]!
    for (let i = 0; i < 450; i++) {
      setting.network.put(did, EVENT, undefined, { $type: EVENT, name: `Soup ${i}`, createdAt: '2026-01-16T09:00:00Z' })
    }
    await setting.indexer.discover()
    const abort = new AbortController()
    const cursors: (string | null)[] = []
    setting.network.faults.pds = ({ method, params }) => {
      if (method === GET_REPO) return NOT_OFFERED
      if (method !== LIST || params.get('repo') !== did || params.get('collection') !== EVENT) return
      cursors.push(params.get('cursor'))
      if (cursors.length === 3) abort.abort()
      return undefined
    }
    await setting.indexer.backfill({ signal: abort.signal })
    const stopped = (await setting.jobs()).find((job) => job.did === did && job.collection === EVENT)!
    expect(stopped).toMatchObject({
      status: 'pending',
      attempts: 0,
      cursor: cursors[2],
      last_error: null,
      records: 200,
    })
    await setting.indexer.backfill()
    expect(cursors[3]).toBe(cursors[2])
    await expectSame(setting.indexer, setting.network)
  })

  test('fails where the database fails', async () => {
    await setting.indexer.discover()
    await setting.indexer.db.schema.dropTable('lexidex_job').execute()
    await expect(setting.indexer.backfill()).rejects.toThrow('lexidex_job')
  })

  test('does nothing where it is stopped before it starts', async () => {
    await setting.indexer.discover()
    expect(await setting.indexer.backfill({ signal: AbortSignal.abort() })).toMatchObject({ completed: 0, records: 0 })
  })
})
