import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { app } from '../../../fixtures/apps/calendar/src/lexidex/index.ts'
import { EVENT, type Network, startNetwork } from '../../../fixtures/network/index.ts'
import { type CalendarIndexer, openIndexer } from '../support.ts'

const SECRET = 'open-sesame'
const PATH = `/xrpc/${app.namespace}.admin.quarantine`
const BROKEN = 3

let network: Network
let indexer: CalendarIndexer
let uris: string[]

beforeAll(async () => {
  network = await startNetwork({ accounts: 3, events: 4, rsvps: 0 })
  const broken = { $type: EVENT, name: 42, createdAt: '2026-01-16T09:00:00.000Z' }
  uris = network.accounts.slice(0, BROKEN).map(({ did }) => network.put(did, EVENT, 'broken', broken).uri)
  const { did } = network.accounts[0]!
  uris.push(network.put(did, EVENT, 'long', { ...broken, description: 'long '.repeat(30_000) }).uri)
  uris.sort()
  indexer = await openIndexer(network, { adminSecret: SECRET })
  await indexer.backfillAll()
})
afterAll(async () => {
  await indexer.close()
  await network.close()
})

async function send(method: string, url: string, headers: Record<string, string> = {}, to = indexer) {
  const answer = await to.handle({ method, url, headers: { get: (name) => headers[name] } })
  return { status: answer.status, body: JSON.parse(String(answer.body)) }
}

const ask = (method: string, url: string) => send(method, url, { authorization: `Bearer ${SECRET}` })

describe('who may use them', () => {
  let open: CalendarIndexer
  beforeAll(async () => {
    open = await openIndexer(network, { development: true })
  })
  afterAll(() => open.close())

  test('whoever has the secret', async () => {
    expect(await send('GET', PATH)).toMatchObject({ status: 401 })
    expect(await send('POST', `${PATH}/retry?all=true`, { authorization: 'Bearer wrong' })).toMatchObject({
      status: 403,
    })
    expect(await ask('GET', PATH)).toMatchObject({ status: 200 })
  })

  test('nothing is open to this machine where it does not say so', async () => {
    expect(await send('GET', PATH, { host: 'localhost:3000', 'sec-fetch-site': 'same-origin' })).toMatchObject({
      status: 401,
    })
  })

  test.each([
    ['a program', { host: '127.0.0.1:3000' }],
    ['the own page', { host: 'localhost:3000', 'sec-fetch-site': 'same-origin', origin: 'http://localhost:3000' }],
    ['an address that was typed', { host: '[::1]:3000', 'sec-fetch-site': 'none' }],
    ['the own page in an old browser', { host: 'localhost:3000', origin: 'http://localhost:3000' }],
  ])('in development: %s', async (_who, headers) => {
    expect(await send('GET', PATH, headers, open)).toMatchObject({ status: 200 })
  })

  test.each([
    ['the page of another site', { host: 'localhost:3000', 'sec-fetch-site': 'cross-site' }],
    [
      'a page on another port',
      { host: 'localhost:3000', 'sec-fetch-site': 'same-site', origin: 'http://localhost:4000' },
    ],
    ['another site in an old browser', { host: 'localhost:3000', origin: 'https://elsewhere.example' }],
    ['a name that was made to lead here', { host: 'elsewhere.example:3000', 'sec-fetch-site': 'same-origin' }],
    ['a page without an origin', { host: 'localhost:3000', origin: 'null' }],
    ['another machine', { host: '192.168.1.7:3000' }],
  ])('in development, not: %s', async (_who, headers) => {
    expect(await send('POST', `${PATH}/retry?all=true`, headers, open)).toMatchObject({
      status: 503,
      body: { error: 'AdminDisabled' },
    })
  })
})

describe('GET', () => {
  test('each with its reason and its text, page by page', async () => {
    const seen: any[] = []
    let cursor = ''
    do {
      const { status, body } = await ask('GET', `${PATH}?limit=2${cursor && `&cursor=${encodeURIComponent(cursor)}`}`)
      expect(status).toBe(200)
      expect(body.records.length).toBeLessThanOrEqual(2)
      seen.push(...body.records)
      cursor = body.cursor ?? ''
    } while (cursor !== '')
    expect(seen.map(({ uri }) => uri)).toEqual(uris)
    const [first] = seen
    expect(first).toEqual({
      uri: uris[0],
      did: uris[0]!.split('/')[2],
      collection: EVENT,
      rev: expect.any(String),
      cid: expect.any(String),
      reason: expect.stringContaining('name'),
      quarantinedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      record: expect.any(String),
    })
    expect(JSON.parse(first.record)).toMatchObject({ name: 42 })
  })

  test('a record that is too long comes without its text', async () => {
    const uri = uris.find((candidate) => candidate.endsWith('/long'))!
    expect((await ask('GET', `${PATH}?uri=${uri}`)).body.records).toEqual([
      expect.objectContaining({ uri, record: null }),
    ])
  })

  test('of one collection, by its short name or NSID', async () => {
    for (const name of ['event', EVENT]) {
      expect((await ask('GET', `${PATH}?collection=${name}`)).body.records).toHaveLength(uris.length)
    }
    expect((await ask('GET', `${PATH}?collection=rsvp`)).body).toEqual({ records: [] })
  })

  test.each(['limit=0', 'limit=many', 'collection=nothing'])('400 for %s', async (query) => {
    expect(await ask('GET', `${PATH}?${query}`)).toMatchObject({ status: 400, body: { error: 'InvalidRequest' } })
  })
})

describe('POST retry', () => {
  test('says what came of it', async () => {
    const one = { retried: 1, applied: 0, stillRefused: 1 }
    expect(await ask('POST', `${PATH}/retry?uri=${uris[0]}`)).toEqual({ status: 200, body: one })
    const all = { retried: uris.length, applied: 0, stillRefused: uris.length }
    expect(await ask('POST', `${PATH}/retry?collection=event`)).toEqual({ status: 200, body: all })
    expect(await ask('POST', `${PATH}/retry?all=true`)).toEqual({ status: 200, body: all })
  })

  test.each(['', '?all=1', '?uri=nonsense', '?collection=nothing'])('400 for "%s"', async (query) => {
    expect(await ask('POST', `${PATH}/retry${query}`)).toMatchObject({ status: 400 })
  })
})
