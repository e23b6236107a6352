import { request } from 'node:http'
import { isValidTid } from '@atproto/syntax'
import { describe, expect, test } from 'vitest'
import { EVENT, PROFILE } from '../../fixtures/network/index.ts'
import { get, network, soup, xrpc } from './harness.ts'

describe('directories', () => {
  test('the DID document names the PDS, the handle and a key', async () => {
    const { plc, accounts } = await network()
    const { did, handle, pds } = accounts[1]!
    const { body } = await get(`${plc}/${did}`)
    expect(body).toMatchObject({
      id: did,
      alsoKnownAs: [`at://${handle}`],
      service: [{ id: '#atproto_pds', type: 'AtprotoPersonalDataServer', serviceEndpoint: pds }],
      verificationMethod: [{ id: `${did}#atproto`, publicKeyMultibase: expect.stringMatching(/^zQ3s/) }],
    })
    expect(await get(`${plc}/did:plc:nobody`)).toEqual({
      status: 404,
      body: { message: 'DID not registered: did:plc:nobody' },
    })
  })

  test('listReposByCollection pages through the active accounts that have the collection', async () => {
    const started = await network({ accounts: 7, profiles: 5 })
    started.account(started.accounts[2]!.did, { active: false, status: 'suspended' })
    const pages: string[][] = []
    let cursor: string | undefined
    do {
      const params = { collection: PROFILE, limit: 2, ...(cursor ? { cursor } : {}) }
      const { body } = await xrpc(started.relay, 'com.atproto.sync.listReposByCollection', params)
      pages.push(body.repos.map(({ did }: { did: string }) => did))
      cursor = body.cursor
    } while (cursor)
    const expected = [0, 1, 3, 4].map((i) => started.accounts[i]!.did).sort()
    expect(pages).toEqual([expected.slice(0, 2), expected.slice(2)])
  })

  test('listReposByCollection refuses a missing collection and too high a limit', async () => {
    const { relay } = await network()
    for (const params of [{}, { collection: EVENT, limit: 2001 }]) {
      const { status, body } = await xrpc(relay, 'com.atproto.sync.listReposByCollection', params)
      expect([status, body.error]).toEqual([400, 'InvalidRequest'])
    }
  })

  test('listRepos of the relay states every repo with its status', async () => {
    const { relay, accounts, account } = await network()
    account(accounts[0]!.did, { active: false, status: 'takendown' })
    const { body } = await xrpc(relay, 'com.atproto.sync.listRepos', {})
    expect(body.repos).toHaveLength(6)
    const repo = body.repos.find(({ did }: { did: string }) => did === accounts[0]!.did)
    expect(repo).toMatchObject({ active: false, status: 'takendown' })
    expect(isValidTid(repo.rev)).toBe(true)
  })
})

describe('PDS', () => {
  test.each([false, true])('listRecords pages by rkey, to an empty last page (reverse: %s)', async (reverse) => {
    const { accounts, put } = await network({ accounts: 1, events: 0, rsvps: 0 })
    const { did, pds } = accounts[0]!
    const uris = Array.from({ length: 7 }, (_, i) => put(did, EVENT, undefined, soup(`Soup ${i}`)).uri)
    const pages: string[][] = []
    let cursor: string | undefined
    do {
      const params = { repo: did, collection: EVENT, limit: 3, reverse, ...(cursor ? { cursor } : {}) }
      const { body } = await xrpc(pds, 'com.atproto.repo.listRecords', params)
      pages.push(body.records.map(({ uri }: { uri: string }) => uri))
      cursor = body.cursor
    } while (cursor)
    expect(pages.map((page) => page.length)).toEqual([3, 3, 1, 0])
    expect(pages.flat()).toEqual(reverse ? uris : uris.reverse())
  })

  test('listRecords goes on after the cursor though its record is gone', async () => {
    const { accounts, put, ...rest } = await network({ accounts: 1, events: 0, rsvps: 0 })
    const { did, pds } = accounts[0]!
    const uris = ['a', 'b', 'c', 'd'].map((rkey) => put(did, EVENT, rkey, soup()).uri)
    rest.delete(did, EVENT, 'c')
    const { body } = await xrpc(pds, 'com.atproto.repo.listRecords', { repo: did, collection: EVENT, cursor: 'c' })
    expect(body.records.map(({ uri }: { uri: string }) => uri)).toEqual([uris[1], uris[0]])
  })

  test('getRecord answers with the record, or RecordNotFound', async () => {
    const { accounts, put } = await network()
    const { did, pds, handle } = accounts[0]!
    const { uri, cid } = put(did, EVENT, 'x', soup())
    const ask = (params: object) =>
      xrpc(pds, 'com.atproto.repo.getRecord', { repo: did, collection: EVENT, rkey: 'x', ...params })
    expect(await ask({})).toEqual({ status: 200, body: { uri, cid, value: soup() } })
    expect((await ask({ repo: handle, cid })).status).toBe(200)
    for (const params of [{ rkey: 'y' }, { cid: 'bafyreib' }]) {
      const { status, body } = await ask(params)
      expect([status, body.error]).toEqual([400, 'RecordNotFound'])
    }
  })

  test('getLatestCommit and getRepoStatus follow the last write', async () => {
    const { accounts, put } = await network()
    const { did, pds } = accounts[0]!
    const { rev } = put(did, EVENT, undefined, soup())
    const commit = await xrpc(pds, 'com.atproto.sync.getLatestCommit', { did })
    expect(commit.body).toEqual({ rev, cid: expect.stringMatching(/^bafyrei/) })
    const status = await xrpc(pds, 'com.atproto.sync.getRepoStatus', { did })
    expect(status.body).toEqual({ did, active: true, rev })
  })

  test.each([
    ['deactivated', 'RepoDeactivated'],
    ['suspended', 'RepoSuspended'],
    ['takendown', 'RepoTakendown'],
    ['deleted', 'RepoNotFound'],
  ])('an account that is %s cannot be read: %s', async (status, error) => {
    const { accounts, account } = await network()
    const { did, pds } = accounts[0]!
    account(did, { active: false, status })
    const errorOf = async (method: string, params: Record<string, string>) =>
      (await xrpc(pds, method, params)).body.error
    expect(await errorOf('com.atproto.sync.getLatestCommit', { did })).toBe(error)
    expect(await errorOf('com.atproto.repo.listRecords', { repo: did, collection: EVENT })).toBe('InvalidRequest')
    const told = await xrpc(pds, 'com.atproto.sync.getRepoStatus', { did })
    expect(told.body).toMatchObject(status === 'deleted' ? { error } : { active: false, status })
    account(did, { active: true })
    expect(await errorOf('com.atproto.sync.getLatestCommit', { did })).toBeUndefined()
  })

  test('handles resolve at their PDS, by method and by well-known file', async () => {
    const { accounts, identity } = await network()
    const { did, pds } = accounts[0]!
    identity(did, 'new-name.test')
    const resolve = (handle: string) => xrpc(pds, 'com.atproto.identity.resolveHandle', { handle })
    expect((await resolve('new-name.test')).body).toEqual({ did })
    expect((await resolve('nobody.test')).body.error).toBe('HandleNotFound')
    const { body } = await xrpc(pds, 'com.atproto.repo.describeRepo', { repo: did })
    expect(body).toMatchObject({ did, handle: 'new-name.test', handleIsCorrect: true, didDoc: { id: did } })
    expect(body.collections).toContain(PROFILE)
    const wellKnown = await new Promise((resolve, reject) => {
      // `fetch` forbids another Host.
      const asked = request(`${pds}/.well-known/atproto-did`, { headers: { host: 'new-name.test' } }, (response) => {
        response.setEncoding('utf8').once('data', resolve)
      })
      asked.on('error', reject).end()
    })
    expect(wellKnown).toBe(did)
  })

  test('a moved account lives at the new host; the old one calls it deactivated', async () => {
    const started = await network({ accounts: 2, pdsCount: 2 })
    const { did, pds: old } = started.accounts[0]!
    const other = started.pds.find((url) => url !== old)!
    started.move(did, other)
    expect((await get(`${started.plc}/${did}`)).body.service[0].serviceEndpoint).toBe(other)
    const status = async (host: string) => (await xrpc(host, 'com.atproto.sync.getRepoStatus', { did })).body
    expect(await status(other)).toMatchObject({ active: true })
    expect(await status(old)).toEqual({ did, active: false, status: 'deactivated' })
    const kinds = started.log.slice(-3).map((frame) => (frame.kind === 'account' ? frame.account.active : frame.kind))
    expect(kinds).toEqual(['identity', true, false])
  })

  test('methods that it lacks are a 501', async () => {
    const { pds } = await network()
    expect((await xrpc(pds[0]!, 'com.atproto.sync.getBlocks', {})).status).toBe(501)
    expect((await xrpc(pds[0]!, '_health', {})).status).toBe(200)
  })
})
