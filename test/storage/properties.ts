import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Operation } from '../../runtime/core/operation.ts'
import type { Store } from '../../runtime/storage/store.ts'
import {
  batchOf,
  collections,
  del,
  did,
  follow,
  initOf,
  meetup,
  profile,
  put,
  refuse,
  rsvp,
  settle,
  uriOf,
} from './app.ts'
import { type Database, expectLists, type OpenDatabase, rowsOf } from './harness.ts'

const AUTHORS = ['alice', 'bob', 'carol'].map(did)
const TITLES = ['chess', 'chess tea', 'coffee', '']
const WORDS = ['chess', 'tea', 'coffee']
const KINDS = [meetup, rsvp, profile, follow] as const

// Few keys, so that operations meet.
const [alice, bob, carol] = AUTHORS
const KEYS = [
  { collection: meetup, author: alice!, rkey: 'a' },
  { collection: meetup, author: bob!, rkey: 'b' },
  { collection: rsvp, author: alice!, rkey: 'a' },
  { collection: rsvp, author: bob!, rkey: 'a' },
  { collection: rsvp, author: bob!, rkey: 'b' },
  { collection: profile, author: alice!, rkey: 'a' },
  { collection: follow, author: bob!, rkey: 'a' },
  { collection: follow, author: carol!, rkey: 'a' },
] as const

const record = fc.record({
  title: fc.constantFrom(...TITLES),
  mode: fc.constantFrom('online', 'offline', null),
  status: fc.constantFrom('going', 'maybe', 'other', null),
  guest: fc.constantFrom('ann', 'ben', null),
  // Two meetups that exist at times, and one that never does.
  target: fc.constantFrom(uriOf(meetup, alice, 'a'), uriOf(meetup, bob, 'b'), 'at://nowhere', null),
  subject: fc.constantFrom(...AUTHORS),
  tags: fc.option(fc.uniqueArray(fc.constantFrom('tea', 'chess', 'ünï "q"'))),
})

const step = fc.record({
  key: fc.constantFrom(...KEYS),
  op: fc.constantFrom('put', 'put', 'put', 'delete', 'quarantine'),
  record,
})

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

function operationOf({ key: { collection, author, rkey }, op, record }: Step, rev: number): Operation {
  const key = { collection, did: author, rkey, rev }
  if (op === 'delete') return del(key)
  if (op === 'quarantine') return refuse(key)
  const { target, subject, ...rest } = record
  return put({ ...key, record: { ...rest, subject: collection === rsvp ? { uri: target } : subject } })
}

/** All accounts are known from the start: what a dependent collection keeps depends on when they become known. */
const seed = AUTHORS.map((author) => put({ collection: meetup, did: author, rkey: 'seed', rev: 0 }))

async function withStore<T>(open: OpenDatabase, use: (store: Store, database: Database) => Promise<T>): Promise<T> {
  const database = await open()
  try {
    const store = await database.connect()
    await store.migrate([initOf(database.dialect, database.partitions)])
    await store.use(collections)
    await store.apply(batchOf(...seed))
    return await use(store, database)
  } finally {
    await database.drop()
  }
}

/** Everything that readers see, and what decides on later writes; without row ids and the times of arrival. */
async function contents(store: Store) {
  const tables = [...KINDS.map(({ table }) => table), 'lexidex_quarantine']
  const rows = await Promise.all(tables.map((table) => rowsOf(store, table)))
  const accounts = await rowsOf(store, 'lexidex_account', 'did')
  const condition = store.reads.searchCondition(meetup)
  const search = store.prepare(`SELECT uri FROM meetup WHERE ${condition} ORDER BY uri`)
  const found = await Promise.all(WORDS.map((word) => search.all([store.reads.compileSearch(word)])))
  return {
    rows: rows.map((list) => list.map(({ id: _, indexed_at: _i, quarantined_at: _q, ...rest }) => rest)),
    tombstones: (await rowsOf(store, 'lexidex_tombstone')).map(({ uri, rev }) => ({ uri, rev })),
    accounts: accounts.map(({ did, status, hidden }) => ({ did, status, hidden })),
    found: found.map((list) => list.map((row) => row.uri)),
  }
}

type Contents = Awaited<ReturnType<typeof contents>>

type Row = Record<string, any>

/** Counts and the values of lists as they ought to be, from the rows themselves. */
async function expectRecount(store: Store): Promise<void> {
  await expectLists(store, KINDS)
  const [meetups, rsvps, profiles, follows] = await Promise.all(KINDS.map(({ table }) => rowsOf(store, table)))
  for (const parent of meetups!) {
    const children = rsvps!.filter((child) => child.subject_uri === parent.uri && child.hidden === 0)
    const inGroup = (group: string) => children.filter((child) => child.status === group).length
    const guests = new Set(children.map((child) => child.guest).filter((guest) => guest !== null))
    expect(pick(parent, ['rsvps_count', 'rsvps_going_count', 'rsvps_maybe_count', 'guests_count'])).toEqual([
      children.length,
      inGroup('going'),
      inGroup('maybe'),
      guests.size,
    ])
  }
  const authors = KINDS.flatMap(({ table }, i) => {
    const visible = [meetups, rsvps, profiles, follows][i]!.filter((row) => row.hidden === 0)
    const dids = [...new Set(visible.map((row) => String(row.did)))]
    return dids.map((did) => ({ name: table, did, records: visible.filter((row) => row.did === did).length }))
  })
  const byKey = (a: Row, b: Row) => (`${a.name} ${a.did}` < `${b.name} ${b.did}` ? -1 : 1)
  expect((await rowsOf(store, 'lexidex_author', 'did')).sort(byKey)).toEqual(authors.sort(byKey))
  for (const parent of profiles!) {
    const followers = follows!.filter((child) => child.subject === parent.did && child.hidden === 0)
    expect(parent.followers_count).toBe(followers.length)
  }
}

function pick(row: Row, names: readonly string[]): unknown[] {
  return names.map((name) => row[name])
}

const STATUSES = ['active', 'deactivated', 'takendown'] as const

/** Operations in order of rev, and what is found out of accounts meanwhile; who is gone is gone for good. */
const log = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 25 }),
  statuses: fc.array(fc.tuple(fc.constantFrom(...AUTHORS), fc.constantFrom(...STATUSES)), { maxLength: 6 }),
  gone: fc.subarray(AUTHORS, { maxLength: 1 }),
})

/**
 * The log as it might arrive: record operations in any order and repeated, findings in theirs at any place between.
 * `inOrder` is the log as it happened, the findings last.
 */
const arrival = log.chain(({ steps, statuses, gone }) => {
  const operations = steps.map((one, i) => operationOf(one, i + 1))
  const findings = [
    ...statuses.map(([did, status]) => settle(did, status)),
    ...gone.map((did) => settle(did, 'deleted')),
  ]
  return fc
    .record({
      all: fc.shuffledSubarray(operations, { minLength: operations.length }),
      again: fc.array(fc.constantFrom(...operations), { maxLength: 10 }),
      places: fc.array(fc.nat({ max: 40 }), { minLength: findings.length, maxLength: findings.length }),
      size: fc.integer({ min: 1, max: 8 }),
    })
    .map(({ all, again, places, size }) => {
      const stream: Operation[] = [...all, ...again]
      const end = stream.length
      // From the last one on, so that no place moves before it is used.
      places.sort((a, b) => b - a)
      places.forEach((place, i) => void stream.splice(Math.min(place, end), 0, findings.at(-1 - i)!))
      return { inOrder: [...operations, ...findings], stream, size, gone }
    })
})

async function applyAll(store: Store, stream: readonly Operation[], size: number): Promise<void> {
  for (let i = 0; i < stream.length; i += size) await store.apply(batchOf(...stream.slice(i, i + size)))
}

/** Of accounts that are gone, tombstones alone may be left, and which ones depends on when they went. */
function withoutTombstonesOf(gone: readonly string[], contents: Contents): Contents {
  const kept = contents.tombstones.filter((row) => !gone.some((did) => String(row.uri).startsWith(`at://${did}/`)))
  return { ...contents, tombstones: kept }
}

/** Invariants of a store under arbitrary streams. Run by each dialect's own test. */
export function writeProperties(open: OpenDatabase, runs: number): void {
  test('any order, duplication and batching of a log ends in what its replay in order does', async () => {
    await fc.assert(
      fc.asyncProperty(arrival, async ({ inOrder, stream, size, gone }) => {
        const expected = await withStore(open, async (store) => {
          await applyAll(store, inOrder, 1)
          return contents(store)
        })
        const actual = await withStore(open, async (store) => {
          await applyAll(store, stream, size)
          return contents(store)
        })
        expect(withoutTombstonesOf(gone, actual)).toEqual(withoutTombstonesOf(gone, expected))
      }),
      { numRuns: runs },
    )
  })

  test('several writers at a time end in what one does in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        arrival,
        fc.array(fc.nat({ max: 2 }), { minLength: 60, maxLength: 60 }),
        async (one, writers) => {
          const expected = await withStore(open, async (store) => {
            await applyAll(store, one.inOrder, 1)
            return contents(store)
          })
          // What is found out of an account comes from one writer, in its order; everything else from any.
          const streams: Operation[][] = [[], [], []]
          one.stream.forEach((operation, i) => {
            const writer = operation.op === 'account' ? 0 : writers[i % writers.length]!
            streams[writer]!.push(operation)
          })
          await withStore(open, async (store, database) => {
            const stores = [store, await database.connect(), await database.connect()]
            for (const other of stores.slice(1)) await other.use(collections)
            await Promise.all(stores.map((store, i) => applyAll(store, streams[i]!, one.size)))
            expect(withoutTombstonesOf(one.gone, await contents(store))).toEqual(
              withoutTombstonesOf(one.gone, expected),
            )
            await expectRecount(store)
          })
        },
      ),
      { numRuns: runs },
    )
  })

  test('counts equal a recount after any operations, accounts hidden, shown again and removed among them', async () => {
    const action = fc.oneof(
      { weight: 4, arbitrary: fc.record({ step, rev: fc.integer({ min: 1, max: 40 }) }) },
      { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...AUTHORS), fc.constantFrom(...STATUSES, 'deleted')) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
        await withStore(open, async (store) => {
          for (const one of actions) {
            await store.apply(batchOf('step' in one ? operationOf(one.step, one.rev) : settle(...one)))
            await expectRecount(store)
          }
        })
      }),
      { numRuns: runs },
    )
  })

  test('a bulk load ends in what the same writes end in without one', async ({ skip }) => {
    await fc.assert(
      fc.asyncProperty(arrival, fc.nat({ max: 20 }), async ({ stream, size }, before) => {
        const expected = await withStore(open, async (store) => {
          await applyAll(store, stream, size)
          return contents(store)
        })
        await withStore(open, async (store) => {
          if (store.bulk === undefined) return skip('This database has no bulk loads')
          await applyAll(store, stream.slice(0, before), size)
          expect(await store.bulk.begin()).toBe(true)
          await applyAll(store, stream.slice(before), size)
          await store.bulk.end()
          expect(await contents(store)).toEqual(expected)
          await expectRecount(store)
          // And what keeps them is back.
          await store.apply(batchOf(...AUTHORS.map((author) => settle(author, 'deactivated'))))
          await expectRecount(store)
        })
      }),
      { numRuns: runs },
    )
  })
}
