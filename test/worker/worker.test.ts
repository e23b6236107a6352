/** The Worker in workerd, over a network on loopback. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { EVENT, type Network, RSVP, startNetwork } from '../../fixtures/network/index.ts'
import { bundleWorker, foreignImports, packagesIn } from './bundle.ts'
import { type RunningWorker, startWorker } from './harness.ts'

describe('the bundle', () => {
  test('has nothing of Node, and no driver but D1', async () => {
    const bundle = await bundleWorker('test/worker/entry.ts', { minify: true })
    expect(foreignImports(bundle)).toEqual([])
    expect(packagesIn(bundle).filter((name) => ['ws', 'pg', 'cli-progress'].includes(name))).toEqual([])
    expect(Object.keys(bundle.meta.inputs).filter((file) => file.startsWith('runtime/platform/node'))).toEqual([])
  })

  test('would fail if it had', async () => {
    await expect(bundleWorker('runtime/node/index.ts')).rejects.toThrow('node:http')
  })
})

describe('in workerd', () => {
  let network: Network
  let worker: RunningWorker

  beforeEach(async () => {
    const baseDate = new Date(Date.now() - 60_000).toISOString()
    network = await startNetwork({ accounts: 4, events: 12, rsvps: 30, baseDate, clock: Date.now })
    worker = await startWorker(network)
  })
  afterEach(async () => {
    await worker.stop()
    await network.close()
  })

  const list = async (query = '') =>
    (await worker.get(`/xrpc/com.example.event.listRecords?limit=100${query}`)).body.records
  const putEvent = (rkey: string, name = 'Soup') =>
    network.put(network.accounts[0]!.did, EVENT, rkey, { $type: EVENT, name, createdAt: new Date().toISOString() })

  test('a request finds the database migrated, and is answered', async () => {
    expect(await worker.get('/xrpc/com.example.event.listRecords')).toEqual({ status: 200, body: { records: [] } })
    expect(await worker.get('/xrpc/com.example.event.listRecords?limit=x')).toMatchObject({ status: 400 })
    expect(await worker.get('/health')).toMatchObject({ status: 200 })
    const { results } = await worker.binding.prepare('SELECT name FROM d1_migrations').all()
    expect(results).toEqual([{ name: '0001_init.sql' }])
  })

  test('browsers get the explorer, programs JSON', async () => {
    const answer = (accept: string) => worker.miniflare.dispatchFetch('http://index.test/', { headers: { accept } })
    const page = await answer('text/html')
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(await page.text()).toMatch(/<script>[\s\S]{1000,}<\/script>/)
    expect(await (await answer('application/json')).json()).toMatchObject({ status: 'ok', namespace: 'com.example' })
  })

  test('a cycle reads the stream from where the last one ended', async () => {
    expect(await worker.cycle()).toBe('ok')
    putEvent('one')
    expect(await worker.cycle()).toBe('ok')
    expect(await list()).toMatchObject([{ rkey: 'one', value: { name: 'Soup' } }])
    putEvent('one', 'Bread')
    putEvent('two')
    expect(await worker.cycle()).toBe('ok')
    expect((await list('&search=bread')).map((record: any) => record.rkey)).toEqual(['one'])
    network.delete(network.accounts[0]!.did, EVENT, 'one')
    expect(await worker.cycle()).toBe('ok')
    expect((await list()).map((record: any) => record.rkey)).toEqual(['two'])
  })
})

describe('requests in workerd', () => {
  let network: Network
  let worker: RunningWorker

  beforeEach(async () => {
    network = await startNetwork({ accounts: 6, events: 12, rsvps: 30, clock: Date.now })
    const secrets = { CRON_SECRET: 'tick', LEXIDEX_NOTIFY_SECRET: 'tell', LEXIDEX_ADMIN_SECRET: 'rule' }
    worker = await startWorker(network, { secrets })
  })
  afterEach(async () => {
    await worker.stop()
    await network.close()
  })

  const eventsOf = (did: string) => network.records(EVENT).filter((record) => record.did === did)
  const list = async (actor: string) => {
    const { status, body } = await worker.get(`/xrpc/com.example.event.listRecords?limit=100&actor=${actor}`)
    expect(status).toBe(200)
    return body.records.map(({ uri }: { uri: string }) => uri).sort()
  }

  test('fetch accounts that were never fetched, one after another and together', async () => {
    const [first, ...others] = network.accounts.map(({ did }) => did)
    // What one request has made serves the next, although nothing that reads or waits may go from one to the other.
    for (const did of [first!, others[0]!])
      expect(await list(did)).toEqual(
        eventsOf(did)
          .map(({ uri }) => uri)
          .sort(),
      )
    const same = await Promise.all(Array.from({ length: 5 }, () => list(others[1]!)))
    for (const uris of same)
      expect(uris).toEqual(
        eventsOf(others[1]!)
          .map(({ uri }) => uri)
          .sort(),
      )
    const all = await Promise.all(others.map(list))
    expect(all).toEqual(
      others.map((did) =>
        eventsOf(did)
          .map(({ uri }) => uri)
          .sort(),
      ),
    )
  })

  test('have records fetched that an app has just written', async () => {
    const { did } = network.accounts[0]!
    network.put(did, EVENT, 'new', { $type: EVENT, name: 'Soup', createdAt: new Date().toISOString() })
    const uri = `at://${did}/${EVENT}/new`
    const init = { method: 'POST', headers: { authorization: 'Bearer tell', 'content-type': 'application/json' } }
    const path = '/xrpc/com.example.notifyOfUpdate'
    expect(await worker.get(path, { ...init, body: JSON.stringify({ uri }) })).toEqual({
      status: 200,
      body: { indexed: 1, deleted: 0 },
    })
    expect(await worker.get(`/xrpc/com.example.event.getRecord?uri=${uri}`)).toMatchObject({ status: 200 })
  })

  test('run a cycle for schedulers elsewhere that know the secret', async () => {
    const cron = (init: object) => worker.get('/api/cron', init)
    expect(await cron({ method: 'POST' })).toMatchObject({ status: 401 })
    expect(await cron({ method: 'POST', headers: { 'x-cron-secret': 'tock' } })).toMatchObject({ status: 401 })
    expect(await cron({ headers: { 'x-cron-secret': 'tick' } })).toMatchObject({ status: 405 })
    expect(await cron({ method: 'POST', headers: { 'x-cron-secret': 'tick' } })).toMatchObject({
      status: 200,
      body: { ingested: { caughtUp: true } },
    })
  })

  test('start backfills that go on after the answer', async () => {
    const path = '/xrpc/com.example.admin.backfill'
    const headers = { authorization: 'Bearer rule' }
    const started = await worker.get(`${path}?force=full_sync`, { method: 'POST', headers })
    expect(started).toMatchObject({ status: 202, body: { type: 'full_sync' } })
    await vi.waitFor(
      async () => {
        const { body } = await worker.get(`${path}/${started.body.id}`, { headers })
        expect(body).toMatchObject({ status: 'completed', recordsIndexed: expect.any(Number), errorCount: 0 })
      },
      { timeout: 20_000, interval: 250 },
    )
    const { body } = await worker.get('/xrpc/com.example.event.listRecords?limit=100')
    expect(body.records).toHaveLength(network.records(EVENT).length)
  })
})

test('a cycle ends in time, whatever goes wrong with its parts', async () => {
  const network = await startNetwork({ accounts: 2, events: 4, rsvps: 0, clock: Date.now })
  // Nobody answers there.
  const indexer = { jetstreams: ['ws://127.0.0.1:9'], plc: 'http://127.0.0.1:9' }
  const worker = await startWorker(network, { indexer, cycle: { deadlineMs: 3000, ingestMs: 1000, backfill: 'all' } })
  try {
    const startedAt = performance.now()
    expect(await worker.cycle()).toBe('ok')
    // A cycle gives the stream 5 s to begin at all, and its last statements time to end.
    expect(performance.now() - startedAt).toBeLessThan(12_000)
    expect(await worker.get('/health')).toMatchObject({ status: 200 })
  } finally {
    await worker.stop()
    await network.close()
  }
})

test('cycles look for accounts, and fetch their histories', async () => {
  const network = await startNetwork({ accounts: 4, events: 12, rsvps: 30, clock: Date.now })
  const worker = await startWorker(network, { cycle: { backfill: 'all' } })
  try {
    await worker.cycle()
    const { body } = await worker.get('/xrpc/com.example.event.listRecords?limit=100&hydrateRsvps=50')
    const uris = (records: readonly { uri: string }[]) => records.map(({ uri }) => uri).sort()
    expect(uris(body.records)).toEqual(uris(network.records(EVENT)))
    const { results } = await worker.binding.prepare('SELECT uri FROM rsvp').all()
    expect(uris(results as { uri: string }[])).toEqual(uris(network.records(RSVP)))
    expect(body.records.some((record: any) => record.rsvpsCount > 0)).toBe(true)
  } finally {
    await worker.stop()
    await network.close()
  }
})
