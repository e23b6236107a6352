import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { app } from '../../../fixtures/apps/statusphere/src/lexidex/index.ts'
import type { Operation } from '../../../runtime/core/operation.ts'
import { createRouter, type Router } from '../../../runtime/index.ts'
import type { AccountSource } from '../../../runtime/serving/shared/actors.ts'
import { batchOf, del, did, put, settle } from '../../storage/app.ts'
import { insert, type Served, send, serveApp } from '../support/index.ts'

const status = app.collections.find(({ name }) => name === 'status')!
const NSID = 'xyz.statusphere.status'
const [alice, bob, carol] = ['alice', 'bob', 'carol'].map(did)

let served: Served
beforeEach(() => {
  served = serveApp(app)
})
afterEach(() => served.close())

const get = async (path: string, router: Router = served.router) => {
  const { status, body } = await send(router, 'GET', path)
  return { status, ...JSON.parse(body) }
}

/** Every page, first to last. */
async function walk(path: string, key: 'records' | 'users'): Promise<any[][]> {
  const pages: any[][] = []
  let cursor: string | undefined
  do {
    const page = await get(cursor === undefined ? path : `${path}&cursor=${cursor}`)
    expect(page.status).toBe(200)
    pages.push(page[key])
    cursor = page.cursor
  } while (cursor !== undefined && pages.length < 50)
  return pages
}

const write = (...operations: Operation[]) => served.store.apply(batchOf(...operations))

describe('/records/:collection', () => {
  test('records, newest first, as they are stored', async () => {
    insert(served.store, status, { rkey: 'a', sortAt: 1000, record: { status: '👍' } })
    insert(served.store, status, { rkey: 'b', sortAt: 2000, did: bob!, record: { status: '🦋' } })
    insert(served.store, status, { rkey: 'c', sortAt: 3000, did: carol!, hidden: true })
    expect(await get(`/records/${NSID}`)).toEqual({
      status: 200,
      records: [
        {
          uri: `at://${bob}/${NSID}/b`,
          did: bob,
          collection: NSID,
          rkey: 'b',
          cid: 'bafyb',
          record: { status: '🦋' },
          time_us: 2000,
        },
        expect.objectContaining({ rkey: 'a', record: { status: '👍' }, time_us: 1000 }),
      ],
    })
  })

  test('pages pass over nothing, however many records have the same time', async () => {
    for (let i = 0; i < 9; i++) insert(served.store, status, { rkey: `r${i}`, sortAt: i < 6 ? 1000 : 2000 })
    const pages = await walk(`/records/${NSID}?limit=2`, 'records')
    expect(pages.map((page) => page.length)).toEqual([2, 2, 2, 2, 1])
    expect(new Set(pages.flat().map(({ uri }) => uri)).size).toBe(9)
  })

  test('of one account, by DID or handle, which is fetched first where that was never done', async () => {
    insert(served.store, status, { rkey: 'a', did: alice! })
    insert(served.store, status, { rkey: 'b', did: bob! })
    const asked: string[] = []
    const accounts: AccountSource = {
      find: async () => null,
      prepare: async (actor, collection) => {
        asked.push(`${actor} ${collection}`)
        return actor === 'nobody.test' ? null : { did: actor === 'alice.test' ? alice! : actor, settled: false }
      },
      fetchMissing: () => {},
    }
    const router = createRouter({ app, store: served.store, accounts })
    for (const actor of ['alice.test', alice!]) {
      const { records } = await get(`/records/${NSID}?did=${actor}`, router)
      expect(records.map(({ rkey }: any) => rkey)).toEqual(['a'])
    }
    expect(asked).toEqual([`alice.test ${NSID}`, `${alice} ${NSID}`])
    expect(await get(`/records/${NSID}?did=nobody.test`, router)).toMatchObject({ status: 400 })
    expect(await get(`/records/${NSID}?did=nobody`, router)).toMatchObject({
      status: 400,
      error: 'Invalid did parameter',
    })
  })

  test('a limit beyond 100 is 100; what is none is refused', async () => {
    for (let i = 0; i < 120; i++) insert(served.store, status, { rkey: `r${i}`, sortAt: i })
    expect((await get(`/records/${NSID}`)).records).toHaveLength(50)
    expect((await get(`/records/${NSID}?limit=1000`)).records).toHaveLength(100)
    for (const limit of ['0', '-1', 'x', '', '1.5']) {
      expect(await get(`/records/${NSID}?limit=${limit}`)).toMatchObject({
        status: 400,
        error: 'Invalid limit parameter',
      })
    }
  })

  test('a cursor is that of the page before, and of no other list', async () => {
    for (let i = 0; i < 3; i++) insert(served.store, status, { rkey: `r${i}`, sortAt: i })
    const { cursor } = await get(`/records/${NSID}?limit=1`)
    const wrong = ['x', '-1', '', cursor.slice(1)].map((text) => `/records/${NSID}?cursor=${text}`)
    for (const path of [
      ...wrong,
      `/records/${NSID}?did=${alice}&cursor=${cursor}`,
      `/users/${NSID}?cursor=${cursor}`,
    ]) {
      expect([path, await get(path)]).toEqual([
        path,
        expect.objectContaining({ status: 400, error: 'Invalid cursor parameter' }),
      ])
    }
  })
})

describe('/users/:collection', () => {
  test('accounts by how many records they have, ties included, hidden ones left out', async () => {
    for (const [author, count] of [
      [alice, 1],
      [bob, 3],
      [carol, 1],
    ] as const) {
      for (let i = 0; i < count; i++) {
        await write(put({ collection: status, did: author!, rkey: `r${i}`, rev: i, record: { status: 'x' } }))
      }
    }
    const ranked = [
      { did: bob, record_count: 3 },
      { did: carol, record_count: 1 },
      { did: alice, record_count: 1 },
    ]
    expect(await get(`/users/${NSID}`)).toEqual({ status: 200, users: ranked })
    expect(await walk(`/users/${NSID}?limit=1`, 'users')).toEqual(ranked.map((user) => [user]))
    await write(del({ collection: status, did: bob!, rkey: 'r0', rev: 9 }), settle(carol!, 'deactivated'))
    expect((await get(`/users/${NSID}`)).users).toEqual([
      { did: bob, record_count: 2 },
      { did: alice, record_count: 1 },
    ])
    await write(settle(carol!, 'active'), del({ collection: status, did: alice!, rkey: 'r0', rev: 9 }))
    expect((await get(`/users/${NSID}`)).users).toEqual([
      { did: bob, record_count: 2 },
      { did: carol, record_count: 1 },
    ])
  })

  test('the rank is an index, and no account is counted for it', () => {
    const { database } = served.store
    const plan = database
      .prepare(
        `EXPLAIN QUERY PLAN SELECT did, records FROM lexidex_author
         WHERE name = ? AND (records, did) < (?, ?) ORDER BY records DESC, did DESC LIMIT ?`,
      )
      .all('status', 1, 'x', 1)
      .map((row) => String(row.detail))
    expect(plan).toEqual([expect.stringContaining('USING COVERING INDEX lexidex_author_rank')])
  })
})

test('/stats/:collection', async () => {
  expect(await get(`/stats/${NSID}`)).toEqual({
    status: 200,
    collection: NSID,
    unique_users: 0,
    total_records: 0,
    last_record_time_us: null,
  })
  for (const author of [alice!, bob!]) {
    for (const rkey of ['a', 'b']) {
      await write(put({ collection: status, did: author, rkey, rev: 1, sortAt: 5000, record: { status: 'x' } }))
    }
  }
  // Counts are taken anew after some seconds only.
  const router = createRouter({ app, store: served.store })
  expect(await get(`/stats/${NSID}`, router)).toEqual({
    status: 200,
    collection: NSID,
    unique_users: 2,
    total_records: 4,
    last_record_time_us: 5000,
  })
})

describe('/backfill/:collection/:did', () => {
  const job = (did: string, state: string) =>
    served.store.database
      .prepare('INSERT INTO lexidex_job (did, collection, status, updated_at) VALUES (?, ?, ?, 0)')
      .run(did, NSID, state)

  test('how the history of an account stands', async () => {
    job(alice!, 'completed')
    job(bob!, 'pending')
    job(carol!, 'failed')
    const path = `/backfill/${NSID}`
    expect(await get(`${path}/${alice}`)).toEqual({ status: 'complete', did: alice, collection: NSID })
    expect((await get(`${path}/${bob}`)).status).toBe('in_progress')
    expect((await get(`${path}/${carol}`)).status).toBe('failed')
    expect((await get(`${path}/${did('nobody')}`)).status).toBe('unknown')
  })

  test('by handle, where the index knows it', async () => {
    served.store.database.exec(
      `INSERT INTO lexidex_account (did, handle, first_seen_at) VALUES ('${alice}', 'alice.test', 0)`,
    )
    expect(await get(`/backfill/${NSID}/alice.test`)).toMatchObject({ did: alice, status: 'unknown' })
    expect((await send(served.router, 'GET', `/backfill/${NSID}/bob.test`)).status).toBe(400)
    expect(await get(`/backfill/${NSID}/nobody`)).toMatchObject({ error: 'Invalid did parameter' })
  })
})

test('/cursor says what getCursor does', async () => {
  expect(await get('/cursor')).toEqual({ status: 200, cursor: null })
  served.store.database.exec("INSERT INTO lexidex_cursor VALUES ('jetstream', 'e', '1767225600000001', 2)")
  expect(await get('/cursor')).toEqual({ status: 200, ...(await served.call('getCursor')) })
})

describe('whatever is asked', () => {
  const paths = ['/records/', '/users/', '/stats/'].map((path) => path + NSID)

  test('a collection that is not indexed is a 404', async () => {
    for (const path of ['/records/a.b.c', '/users/a.b.c', '/stats/__proto__', '/backfill/a.b.c/did:plc:alice']) {
      expect(await get(path)).toMatchObject({ status: 404, error: 'Collection not tracked' })
    }
    for (const path of ['/records', '/records/', '/nowhere', `/backfill/${NSID}`]) {
      expect(await get(path)).toMatchObject({ status: 404, error: 'NotFound' })
    }
  })

  test('other methods are not allowed, and preflights answered', async () => {
    for (const path of paths) {
      const { status, headers } = await send(served.router, 'POST', path)
      expect([status, headers.allow]).toEqual([405, 'GET, HEAD, OPTIONS'])
      expect((await send(served.router, 'OPTIONS', path)).status).toBe(204)
      expect((await send(served.router, 'HEAD', path)).headers['access-control-allow-origin']).toBe('*')
    }
  })

  test('apps without `rest` have none of it', async () => {
    const router = createRouter({ app: { ...app, rest: false }, store: served.store })
    for (const path of paths) expect((await get(path, router)).status).toBe(404)
  })
})

test('getOverview counts records and accounts', async () => {
  for (const [author, rkey] of [
    [alice!, 'a'],
    [alice!, 'b'],
    [bob!, 'a'],
  ] as const) {
    insert(served.store, status, { did: author, rkey })
  }
  expect(await served.call('getOverview')).toEqual({
    total_records: 3,
    collections: [
      { collection: 'app.bsky.actor.profile', records: 0, unique_users: 0 },
      { collection: NSID, records: 3, unique_users: 2 },
    ],
  })
})
