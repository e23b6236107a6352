import { createECDH, createHash, createPrivateKey, sign } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EVENT, type Network, startNetwork } from '../../../fixtures/network/index.ts'
import { createXrpcClient } from '../../../runtime/client/index.ts'
import type { NotifyAccess, NotifyResult } from '../../../runtime/core/notify.ts'
import { type CalendarIndexer, openIndexer } from '../support.ts'

const METHOD = 'com.example.notifyOfUpdate'
const SERVICE = 'did:web:index.example.com'

let network: Network
let indexer: CalendarIndexer

beforeEach(async () => {
  network = await startNetwork({ accounts: 3, events: 3, rsvps: 3 })
})
afterEach(async () => {
  await indexer.close()
  await network.close()
})

const open = async (notify: NotifyAccess) => {
  indexer = await openIndexer(network, { notify })
}

function post(body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const request = new Request(`https://index.test/xrpc/${METHOD}`, { method: 'POST', body: text, headers })
  return indexer
    .fetch(request)
    .then(async (response) => ({ status: response.status, body: (await response.json()) as any }))
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const soup = { $type: EVENT, name: 'Soup', createdAt: '2026-01-16T09:00:00Z' }
const cook = (i = 0) => network.put(network.accounts[i]!.did, EVENT, undefined, soup)

test.each([undefined, false, {}])('there is no such method where notify is %s', async (access) => {
  await open(access)
  expect(await post({ uri: cook().uri })).toMatchObject({ status: 404, body: { error: 'MethodNotFound' } })
})

describe('open', () => {
  beforeEach(() => open(true))

  test('indexes one URI or several', async () => {
    const uris = [cook().uri, cook(1).uri]
    expect(await post({ uri: uris[0] })).toEqual({ status: 200, body: { indexed: 1, deleted: 0 } })
    expect(await post({ uris })).toEqual({ status: 200, body: { indexed: 2, deleted: 0 } })
    const missing = `at://${network.accounts[0]!.did}/${EVENT}/nothing`
    expect(await post({ uris: [...uris, missing, 'nonsense'] })).toEqual({
      status: 200,
      body: { indexed: 2, deleted: 1, errors: [{ uri: 'nonsense', message: expect.any(String) }] },
    })
  })

  test('what was notified of is in the next list', async () => {
    const { uri } = cook()
    const client = createXrpcClient('https://index.test', {
      fetch: (url, init) => indexer.fetch(new Request(url, init)),
    })
    expect(await client.procedure<NotifyResult>(METHOD, { uris: [uri] })).toEqual({ indexed: 1, deleted: 0 })
    const { records } = await client.query<{ records: { uri: string }[] }>('com.example.event.listRecords')
    expect(records.map((record) => record.uri)).toEqual([uri])
  })

  test.each([{}, { uri: 7 }, { uris: [] }, { uris: 'at://x' }, { uris: [7] }, [], null, '', '{'])(
    '%j names no URI',
    async (body) => {
      const message = 'uri or uris required'
      expect(await post(body)).toEqual({ status: 400, body: { error: 'InvalidRequest', message } })
    },
  )

  test('more than 25 are refused', async () => {
    const message = 'max 25 URIs per request'
    const uris = Array.from({ length: 26 }, (_, i) => `at://${network.accounts[0]!.did}/${EVENT}/${i}`)
    expect(await post({ uris })).toEqual({ status: 400, body: { error: 'InvalidRequest', message } })
  })

  test('a body beyond measure is refused', async () => {
    expect(await post({ uri: 'x'.repeat(70_000) })).toMatchObject({ status: 413 })
  })

  test('only POST is allowed, from any site', async () => {
    const url = `https://index.test/xrpc/${METHOD}`
    expect((await indexer.fetch(new Request(url))).status).toBe(405)
    const { headers } = await indexer.fetch(new Request(url, { method: 'OPTIONS' }))
    expect(headers.get('access-control-allow-methods')).toBe('POST, OPTIONS')
    expect(headers.get('access-control-allow-headers')).toContain('authorization')
  })
})

describe('with a secret', () => {
  test.each<[string, NotifyAccess]>([
    ['alone', 'open sesame'.replace(' ', '-')],
    ['in an object', { secret: 'open-sesame' }],
  ])('%s lets in who sends it', async (_what, access) => {
    await open(access)
    const { uri } = cook()
    const unauthorized = { status: 401, body: { error: 'unauthorized', message: expect.stringContaining('Bearer') } }
    expect(await post({ uri })).toEqual(unauthorized)
    expect(await post({ uri }, bearer('open'))).toEqual(unauthorized)
    expect(await post({ uri }, { authorization: 'open-sesame' })).toEqual(unauthorized)
    // Credentials come first: who has none learns nothing of the rest.
    expect(await post('{')).toEqual(unauthorized)
    expect(await indexer.db.selectFrom('event').select('uri').execute()).toEqual([])
    expect(await post({ uri }, bearer('open-sesame'))).toEqual({ status: 200, body: { indexed: 1, deleted: 0 } })
  })

  test('that is empty there is no index', async () => {
    await open(false)
    for (const notify of ['', ' ', { secret: '' }]) {
      await expect(openIndexer(network, { notify })).rejects.toThrow('secret of `notify` is empty')
    }
    await expect(openIndexer(network, { notify: { serviceDid: 'index.example.com' } })).rejects.toThrow('Not a DID')
  })
})

describe('with service auth', () => {
  test('authors speak for their own records', async () => {
    await open({ secret: 'open-sesame', serviceDid: SERVICE })
    const [own, others] = [cook().uri, cook(1).uri]
    const alice = bearer(tokenOf(network.accounts[0]!.did))
    expect(await post({ uris: [own, 'nonsense'] }, alice)).toMatchObject({ status: 200, body: { indexed: 1 } })
    for (const uri of [others, others.replace(network.accounts[1]!.did, network.accounts[1]!.handle)]) {
      expect(await post({ uris: [own, uri] }, alice)).toMatchObject({ status: 403, body: { error: 'Forbidden' } })
    }
    const wrong = bearer(tokenOf(network.accounts[0]!.did, 'did:web:other.example.com'))
    expect(await post({ uri: own }, wrong)).toMatchObject({ status: 401, body: { error: 'BadJwtAudience' } })
    expect(await post({ uri: own }, bearer('nonsense'))).toMatchObject({ status: 401, body: { error: 'unauthorized' } })
    expect(await post({ uris: [own, others] }, bearer('open-sesame'))).toMatchObject({ status: 200 })
  })

  test('no token is taken where no service is named', async () => {
    await open('open-sesame')
    const alice = bearer(tokenOf(network.accounts[0]!.did))
    expect(await post({ uri: cook().uri }, alice)).toMatchObject({ status: 401, body: { error: 'unauthorized' } })
  })
})

/** As an account of the network signs one: its key is that of its DID document. */
function tokenOf(did: string, aud = SERVICE): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const exp = Math.floor(Date.now() / 1000) + 60
  const signed = `${encode({ typ: 'JWT', alg: 'ES256K' })}.${encode({ iss: did, aud, lxm: METHOD, exp })}`
  const pair = createECDH('secp256k1')
  pair.setPrivateKey(createHash('sha256').update(did).digest())
  const [d, point] = [pair.getPrivateKey(), pair.getPublicKey()]
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'))
  const jwk = { kty: 'EC', crv: 'secp256k1', d: d.toString('base64url'), x: x!, y: y! }
  const key = createPrivateKey({ key: jwk, format: 'jwk' })
  return `${signed}.${sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}
