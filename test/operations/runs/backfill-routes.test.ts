import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { app } from '../../../fixtures/apps/calendar/src/lexidex/index.ts'
import { type Network, RSVP, startNetwork } from '../../../fixtures/network/index.ts'
import { silentLogger } from '../../../runtime/core/log.ts'
import { createIndexer } from '../../../runtime/indexer.ts'
import { type Serving, serve } from '../../../runtime/node/index.ts'
import { createSqliteStore } from '../../../runtime/storage/sqlite/index.ts'
import { type CalendarIndexer, eventually, expectSame, openIndexer } from '../support.ts'

const SECRET = 'open sesame'.replace(' ', '-')
const PATH = `/xrpc/${app.namespace}.admin.backfill`
let network: Network
let indexer: CalendarIndexer
let serving: Serving

beforeEach(async () => {
  const baseDate = new Date().toISOString()
  network = await startNetwork({ accounts: 6, events: 8, rsvps: 20, retained: 0, baseDate, clock: Date.now })
  indexer = await openIndexer(network, { adminSecret: SECRET })
  serving = await serve(indexer, { port: 0 })
})
afterEach(async () => {
  await serving.close()
  await indexer.close()
  await network.close()
})

async function send(method: string, path: string, secret: string | null = SECRET) {
  const headers = secret === null ? {} : { authorization: `Bearer ${secret}` }
  const response = await fetch(`${serving.url}${path}`, { method, headers })
  return { status: response.status, body: await response.json() }
}

const ended = async (id: string) =>
  eventually(async () => expect((await send('GET', `${PATH}/${id}`)).body.status).not.toBe('in_progress'))

/** Holds all requests to PDSes back until the returned function is called. */
function hold(): () => void {
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  network.faults.pds = async () => {
    await held
    return undefined
  }
  return release
}

describe('POST', () => {
  test('starts what is due, and says so at once', async () => {
    const release = hold()
    expect(await send('POST', PATH)).toEqual({
      status: 202,
      body: { message: 'Backfill started', type: 'full_sync', status: 'in_progress', id: '1' },
    })
    expect((await send('GET', `${PATH}/1`)).body).toMatchObject({ status: 'in_progress', completedAt: null })
    expect(await send('POST', PATH)).toEqual({
      status: 409,
      body: { error: 'BackfillInProgress', message: 'Backfill is already in progress' },
    })
    release()
    await ended('1')
    await expectSame(indexer, network)
    expect(await send('POST', PATH)).toEqual({
      status: 200,
      body: { message: 'No backfill needed. Use ?force=catch_up or ?force=full_sync to override.' },
    })
  })

  test('starts what is forced; what is not known forces nothing', async () => {
    await indexer.performBackfill()
    expect((await send('POST', `${PATH}?force=everything`)).status).toBe(200)
    for (const type of ['catch_up', 'full_sync']) {
      const { status, body } = await send('POST', `${PATH}?force=${type}`)
      expect([status, body.type]).toEqual([202, type])
      await ended(body.id)
    }
  })

  test('what goes on when the index is closed is gone on with by the next', async () => {
    hold()
    const closing = openIndexer(network, { adminSecret: SECRET })
    const other = await closing
    await other.startBackfill()
    await other.close()
    await expect(other.startBackfill()).rejects.toThrow()
  })
})

describe('GET', () => {
  test('tells how a run is, by path or by parameter', async () => {
    await indexer.performBackfill()
    const { didsProcessed, recordsIndexed } = await indexer.performBackfill({ force: 'catch_up' }).then((outcome) => {
      if (!('backfilled' in outcome)) throw new Error('not begun')
      return outcome
    })
    const expected = {
      id: '2',
      status: 'completed',
      type: 'catch_up',
      didsTotal: didsProcessed,
      didsProcessed,
      recordsIndexed,
      errorCount: 0,
      startedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      completedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      errorMessage: null,
    }
    expect(await send('GET', `${PATH}/2`)).toEqual({ status: 200, body: expected })
    expect(await send('GET', `${PATH}?id=2`)).toEqual({ status: 200, body: expected })
  })

  test('lists what went wrong, oldest first, a thousand at most', async () => {
    const { did } = network.accounts[0]!
    network.faults.pds = ({ params }) =>
      (params.get('did') ?? params.get('repo')) === did
        ? { status: 500, body: { error: 'Broken', message: 'Out of order' } }
        : undefined
    await indexer.performBackfill()
    const { status, body } = await send('GET', `${PATH}/1/errors`)
    expect(status).toBe(200)
    expect(body.errors.map((error: { collection: string }) => error.collection)).toContain(RSVP)
    expect(body.errors[0]).toEqual({
      id: '1',
      did,
      collection: expect.any(String),
      errorMessage: expect.stringContaining('Out of order'),
      createdAt: expect.stringMatching(/Z$/),
    })
    expect((await send('GET', `${PATH}/1`)).body).toMatchObject({ status: 'completed', errorCount: body.errors.length })

    const rows = Array.from({ length: 1500 }, (_, i) => ({
      run_id: 1,
      did,
      collection: null,
      message: `no ${i}`,
      created_at: 1500 - i,
    }))
    for (let i = 0; i < rows.length; i += 100) {
      await indexer.db
        .insertInto('lexidex_run_error')
        .values(rows.slice(i, i + 100))
        .execute()
    }
    const { errors } = (await send('GET', `${PATH}/1/errors`)).body
    expect(errors).toHaveLength(1000)
    expect(errors[0]).toMatchObject({ errorMessage: 'no 1499', collection: null })
  })

  test.each([
    ['/abc', 400, 'Invalid backfill ID'],
    ['/0', 400, 'Invalid backfill ID'],
    ['/-1/errors', 400, 'Invalid backfill ID'],
    ['', 400, 'Invalid backfill ID'],
    ['?id=1.5', 400, 'Invalid backfill ID'],
    ['/7', 404, 'Backfill not found'],
    ['/7/errors', 404, 'Backfill not found'],
  ])('%s is %i', async (path, status, message) => {
    const answer = await send('GET', PATH + path)
    expect([answer.status, answer.body.message]).toEqual([status, message])
  })
})

describe('nobody else', () => {
  const requests: readonly [string, string][] = [
    ['POST', PATH],
    ['GET', `${PATH}?id=1`],
    ['GET', `${PATH}/1`],
    ['GET', `${PATH}/1/errors`],
  ]

  test.each(requests)('%s %s', async (method, path) => {
    expect((await send(method, path, null)).status).toBe(401)
    expect((await send(method, path, 'wrong')).status).toBe(403)
    expect(await indexer.db.selectFrom('lexidex_run').select('id').execute()).toEqual([])
  })

  test('gets anything where there is no secret, and an empty one is refused', async () => {
    const closed = await openIndexer(network)
    try {
      const answer = await closed.handle({ method: 'POST', url: PATH, headers: { get: () => 'Bearer undefined' } })
      expect(answer.status).toBe(503)
    } finally {
      await closed.close()
    }
    const store = createSqliteStore(':memory:')
    expect(() => createIndexer(app, store, { adminSecret: ' ', logger: silentLogger })).toThrow('is empty')
    await store.close()
  })
})

test('a database that cannot be asked is a 500, told to the log', async () => {
  await indexer.db.schema.dropTable('lexidex_run').execute()
  expect((await send('GET', `${PATH}/1`)).status).toBe(500)
})
