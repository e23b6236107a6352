import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { app } from '../../../fixtures/apps/calendar/src/lexidex/index.ts'
import type { Operation } from '../../../runtime/core/operation.ts'
import { createRouter, type Router } from '../../../runtime/index.ts'
import type { Store } from '../../../runtime/storage/store.ts'
import { batchOf, del, did, put, refuse, settle, uriOf } from '../../storage/app.ts'
import { databases } from '../../storage/databases.ts'
import type { Database, OpenDatabase } from '../../storage/harness.ts'
import { send } from '../support/index.ts'

const [event, profile, rsvp] = ['event', 'profile', 'rsvp'].map((name) => app.collections.find((c) => c.name === name)!)
const AUTHORS = ['alice', 'bob'].map(did)
const [alice, bob] = AUTHORS
const GOING = 'community.lexicon.calendar.rsvp#going'

const METHOD = '/xrpc/com.example'
const URLS = [
  `${METHOD}.event.listRecords`,
  `${METHOD}.event.listRecords?hydrateRsvps=2`,
  `${METHOD}.event.listRecords?hydrateRsvps=2&profiles=true`,
  `${METHOD}.event.listRecords?profiles=true&limit=1`,
  `${METHOD}.event.listRecords?rsvpsGoingCountMin=1&sort=rsvpsCount`,
  `${METHOD}.event.listRecords?search=chess`,
  `${METHOD}.event.listRecords?actor=alice.test`,
  `${METHOD}.event.listRecords?did=${bob}`,
  `${METHOD}.event.getRecord?uri=${uriOf(event!, alice, 'a')}`,
  `${METHOD}.event.getRecord?uri=at://alice.test/${event!.nsid}/a&hydrateRsvps=1`,
  `${METHOD}.rsvp.listRecords?status=${encodeURIComponent(GOING)}`,
  `${METHOD}.rsvp.listRecords?hydrateEvent=true`,
  `${METHOD}.getProfile?actor=alice.test`,
  `${METHOD}.getProfile?actor=${bob}`,
]

interface Opened {
  readonly database: Database
  /** The one that serves, and another. */
  readonly stores: readonly [Store, Store]
  readonly router: Router
  /** One that keeps nothing. */
  readonly honest: Router
}

async function openApp(open: OpenDatabase): Promise<Opened> {
  const database = await open()
  const stores = [await database.connect(), await database.connect()] as const
  for (const store of stores) {
    await store.migrate(app.migrations[database.dialect]!)
    await store.use(app.collections)
  }
  return {
    database,
    stores,
    router: createRouter({ app, store: stores[0] }),
    honest: createRouter({ app, store: stores[0], cache: false }),
  }
}

/** Both are known from the beginning, and one has a name. */
const SEED = [
  put({ collection: event!, did: alice!, rkey: 'a', rev: 0, record: { name: 'chess' } }),
  put({ collection: event!, did: bob!, rkey: 'b', rev: 0, record: { name: 'tea' } }),
  put({ collection: profile!, did: bob!, rkey: 'self', rev: 0, record: {} }),
  settle(alice!, 'active', { handle: 'alice.test' }),
]

type Step = (store: Store, rev: number) => unknown

const apply =
  (operation: (rev: number) => Operation): Step =>
  (store, rev) =>
    store.apply(batchOf(operation(rev)))

const author = fc.constantFrom(...AUTHORS)
const rkey = fc.constantFrom('a', 'b')
const target = fc.constantFrom(uriOf(event!, alice, 'a'), uriOf(event!, bob, 'b'), 'at://nowhere')

const step: fc.Arbitrary<Step> = fc.oneof(
  fc
    .record({ did: author, rkey, name: fc.constantFrom('chess', 'tea'), mode: fc.constantFrom('#online', null) })
    .map(({ did, rkey, ...record }) => apply((rev) => put({ collection: event!, did, rkey, rev, record }))),
  fc
    .record({ did: author, rkey, target, status: fc.constantFrom(GOING, 'other') })
    .map(({ did, rkey, target, status }) =>
      apply((rev) => put({ collection: rsvp!, did, rkey, rev, record: { status, subject: { uri: target } } })),
    ),
  author.map((did) => apply((rev) => put({ collection: profile!, did, rkey: 'self', rev, record: { rev } }))),
  fc
    .record({ collection: fc.constantFrom(event!, rsvp!), did: author, rkey, isRefused: fc.boolean() })
    .map(({ isRefused, ...key }) => apply((rev) => (isRefused ? refuse : del)({ ...key, rev }))),
  fc
    .record({
      did: author,
      status: fc.constantFrom('active', 'active', 'deactivated', 'deleted'),
      handle: fc.constantFrom('alice.test', 'bob.test', null),
    })
    .map(({ did, status, handle }) => apply(() => settle(did, status, { handle }))),
  // What goes past the applier is noticed as well, and what is undone is not kept.
  fc.constant<Step>((store) => store.db.deleteFrom('rsvp').where('rkey', '=', 'a').execute()),
  fc.constant<Step>((store) =>
    store.db
      .transaction()
      .execute(async (transaction) => {
        await transaction.updateTable('event').set({ record: '{"undone":true}' }).execute()
        throw new Error('undone')
      })
      .catch((error) => {
        // D1 has none.
        if (error.message !== 'undone' && !error.message.includes('transaction')) throw error
      }),
  ),
  fc.constant<Step>((store) => store.bulk?.begin()),
  fc.constant<Step>((store) => store.bulk?.end()),
)

describe.each(databases)('$name', ({ open, share }) => {
  test('no answer is stale after a write, whoever made it, and no tag stands for two answers', async () => {
    const steps = fc.array(fc.record({ step, writer: fc.constantFrom(0, 1) }), { minLength: 1, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(steps, async (steps) => {
        const { database, stores, router, honest } = await openApp(open)
        const tags = new Map<string, string>()
        try {
          await stores[0].apply(batchOf(...SEED))
          let rev = 1
          for (const { step, writer } of steps) {
            await step(stores[writer as 0 | 1], ++rev)
            for (const url of URLS) {
              const truth = await send(honest, 'GET', url)
              // Put together, then kept, then from memory.
              for (let i = 0; i < 3; i++) {
                const { status, body, headers } = await send(router, 'GET', url)
                expect({ url, status, body }).toEqual({ url, status: truth.status, body: truth.body })
                if (headers.etag === undefined) continue
                expect(tags.get(url + headers.etag) ?? body).toBe(body)
                tags.set(url + headers.etag, body)
              }
            }
          }
        } finally {
          // A load that was begun is ended by whoever began it.
          for (const store of stores) await store.bulk?.end()
          await database.drop()
        }
      }),
      { numRuns: Math.ceil(30 * share) },
    )
  }, 240_000)
})

describe.each(databases)('$name: what is kept', ({ open }) => {
  const list = `${METHOD}.event.listRecords`
  const rsvps = `${METHOD}.rsvp.listRecords`
  let opened: Opened
  beforeEach(async () => {
    opened = await openApp(open)
    await write(put({ collection: event!, did: alice!, rkey: 'a', rev: 1, record: { name: 'chess' } }))
    await write(
      put({
        collection: rsvp!,
        did: bob!,
        rkey: 'a',
        rev: 1,
        record: { status: GOING, subject: { uri: uriOf(event!, alice, 'a') } },
      }),
    )
  })
  afterEach(() => opened.database.drop())

  const write = (...operations: Operation[]) => opened.stores[1].apply(batchOf(...operations))
  const get = (url: string, headers?: Record<string, string>) => send(opened.router, 'GET', url, headers)
  const bytes = async (url: string) =>
    (await opened.router.handle({ method: 'GET', url, headers: { get: () => null } })).body
  /** Whether asking twice more gives the very same bytes. */
  const isKept = async (url: string) => {
    await bytes(url)
    const second = await bytes(url)
    return second instanceof Uint8Array && (await bytes(url)) === second
  }

  test('an answer from the second time on, until something is written to what it was read from', async () => {
    expect(await isKept(list)).toBe(true)
    const kept = await bytes(list)
    await write(put({ collection: profile!, did: bob!, rkey: 'self', rev: 2, record: {} }))
    expect(await bytes(list)).toBe(kept)
    // The count on its event changes with it.
    await write(del({ collection: rsvp!, did: bob!, rkey: 'a', rev: 2 }))
    expect(await bytes(list)).not.toBe(kept)
    expect((await get(list)).body).not.toContain('rsvpsCount')
  })

  test('a write that changes nothing costs no answer', async () => {
    const old = put({ collection: event!, did: alice!, rkey: 'a', rev: 0, record: { name: 'older' } })
    expect(await isKept(list)).toBe(true)
    const kept = await bytes(list)
    await write(old)
    expect(await bytes(list)).toBe(kept)
  })

  test('what is embedded counts as read', async () => {
    const plain = await get(rsvps)
    const hydrated = await get(`${rsvps}?hydrateEvent=true`)
    await write(put({ collection: event!, did: alice!, rkey: 'a', rev: 2, record: { name: 'tea' } }))
    const ask = (url: string, etag: string) => get(url, { 'if-none-match': etag })
    expect((await ask(rsvps, plain.headers.etag!)).status).toBe(304)
    expect((await ask(`${rsvps}?hydrateEvent=true`, hydrated.headers.etag!)).status).toBe(200)
  })

  test('no error, and nothing that says how things stand', async () => {
    for (const url of [
      `${list}?limit=x`,
      `${METHOD}.event.getRecord?uri=${uriOf(event!, bob)}`,
      '/status',
      '/health',
    ]) {
      const { headers } = await get(url)
      expect([url, headers['cache-control'], headers.etag]).toEqual([url, 'no-store', undefined])
      expect(await isKept(url)).toBe(false)
    }
  })

  test('the lexicons, for good', async () => {
    expect(await isKept(`${METHOD}.lexicons`)).toBe(true)
  })

  test('nothing while a bulk load goes on', async ({ skip }) => {
    const { bulk } = opened.stores[1]
    if (bulk === undefined) skip('the database has no bulk load')
    expect(await bulk!.begin()).toBe(true)
    expect((await get(list)).headers.etag).toBeUndefined()
    expect(await isKept(list)).toBe(false)
    await bulk!.end()
    expect(await isKept(list)).toBe(true)
  })

  test('no more than the memory that it may take', async () => {
    const size = (await get(list)).body.length
    const router = createRouter({ app, store: opened.stores[0], cache: { maxBytes: 10 * (size + 1000) } })
    const ask = async (i: number) => {
      const url = `${list}?limit=${100 + i}`
      return (await router.handle({ method: 'GET', url, headers: { get: () => null } })).body
    }
    const last: unknown[] = []
    for (let round = 0; round < 2; round++) for (let i = 0; i < 30; i++) last[i] = await ask(i)
    // The last ones first: what is put together anew pushes out others.
    const kept = []
    for (let i = 29; i >= 0; i--) if ((await ask(i)) === last[i]) kept.unshift(i)
    expect(kept.length).toBeGreaterThan(5)
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, n) => 30 - kept.length + n))
    expect(kept.length * size).toBeLessThanOrEqual(10 * (size + 1000))
  })

  test('nothing where that is switched off', async () => {
    const off = createRouter({ app, store: opened.stores[0], cache: false })
    expect((await send(off, 'GET', list)).headers.etag).toBeUndefined()
    const tagsOnly = createRouter({ app, store: opened.stores[0], cache: { maxBytes: 0 } })
    const { headers } = await send(tagsOnly, 'GET', list)
    expect((await send(tagsOnly, 'GET', list, { 'if-none-match': headers.etag! })).status).toBe(304)
    const body = async () => (await tagsOnly.handle({ method: 'GET', url: list, headers: { get: () => null } })).body
    for (let i = 0; i < 3; i++) expect(await body()).toBeTypeOf('string')
  })

  test('a client that has the answer is told so, in few bytes', async () => {
    const { headers } = await get(list)
    expect(headers).toMatchObject({
      'cache-control': 'public, max-age=0, must-revalidate',
      etag: expect.stringMatching(/^W\/"[a-z0-9.]+"$/),
    })
    const etag = headers.etag!
    for (const wanted of [etag, etag.slice(2), `"x", ${etag}`, `W/"x",${etag.slice(2)}`, '*', ' * ']) {
      const answer = await get(list, { 'if-none-match': wanted })
      expect([wanted, answer.status, answer.body]).toEqual([wanted, 304, ''])
      expect(answer.headers).toMatchObject({ etag, 'access-control-allow-origin': '*' })
      expect(answer.headers['content-type']).toBeUndefined()
    }
    for (const wanted of ['"x"', etag.slice(0, -1), `${etag}x`, '', 'W/']) {
      expect((await get(list, { 'if-none-match': wanted })).status).toBe(200)
    }
    expect((await send(opened.router, 'HEAD', list)).headers.etag).toBe(etag)
  })

  test('fetch has no body of a 304 either', async () => {
    const url = `http://localhost${list}`
    const first = await opened.router.fetch(new Request(url))
    const again = await opened.router.fetch(
      new Request(url, { headers: { 'if-none-match': first.headers.get('etag')! } }),
    )
    expect([again.status, await again.text()]).toEqual([304, ''])
    // From memory: bytes.
    await opened.router.fetch(new Request(url))
    expect(await (await opened.router.fetch(new Request(url))).json()).toEqual(await first.json())
  })
})
