import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Operation } from '../../runtime/core/operation.ts'
import type { Store } from '../../runtime/storage/store.ts'
import { batchOf, collections, del, did, follow, meetup, profile, put, refuse, rsvp, uriOf } from './app.ts'
import { type OpenDatabase, rowsOf } from './harness.ts'

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

async function withStore<T>(open: OpenDatabase, use: (store: Store) => Promise<T>): Promise<T> {
  const database = await open()
  try {
    const store = await database.connect()
    await store.migrate(database.migrations)
    await store.use(collections)
    await store.apply(batchOf(...seed))
    return await use(store)
  } finally {
    await database.drop()
  }
}

/** Everything that readers see, without row ids and the times of arrival. */
async function contents(store: Store) {
  const tables = [...KINDS.map(({ table }) => table), 'lexidex_quarantine', 'lexidex_tombstone']
  const rows = await Promise.all(tables.map((table) => rowsOf(store, table)))
  const stripped = rows.map((list) =>
    list.map(({ id: _, indexed_at: _i, quarantined_at: _q, deleted_at: _d, ...rest }) => rest),
  )
  const condition = store.reads.searchCondition(meetup)
  const search = store.prepare(`SELECT uri FROM meetup WHERE ${condition} ORDER BY uri`)
  const found = await Promise.all(WORDS.map((word) => search.all([store.reads.compileSearch(word)])))
  return { rows: stripped, found: found.map((list) => list.map((row) => row.uri)) }
}

type Row = Record<string, any>

/** Counts as they ought to be, from the rows themselves. */
async function expectRecount(store: Store): Promise<void> {
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
  for (const parent of profiles!) {
    const followers = follows!.filter((child) => child.subject === parent.did && child.hidden === 0)
    expect(parent.followers_count).toBe(followers.length)
  }
}

function pick(row: Row, names: readonly string[]): unknown[] {
  return names.map((name) => row[name])
}

/** Invariants of a store under arbitrary streams. Run by each dialect's own test. */
export function writeProperties(open: OpenDatabase, runs: number): void {
  test('any order, duplication and batching of a log ends in what its replay in order does', async () => {
    const log = fc.array(step, { minLength: 1, maxLength: 25 }).chain((steps) => {
      const operations = steps.map((one, i) => operationOf(one, i + 1))
      const shuffled = fc
        .tuple(
          fc.shuffledSubarray(operations, { minLength: operations.length }),
          fc.array(fc.constantFrom(...operations), { maxLength: 10 }),
          fc.integer({ min: 1, max: 8 }),
        )
        .map(([all, again, size]) => ({ stream: [...all, ...again], size }))
      return fc.tuple(fc.constant(operations), shuffled)
    })
    await fc.assert(
      fc.asyncProperty(log, async ([operations, { stream, size }]) => {
        const expected = await withStore(open, async (store) => {
          for (const operation of operations) await store.apply(batchOf(operation))
          return contents(store)
        })
        const actual = await withStore(open, async (store) => {
          for (let i = 0; i < stream.length; i += size) await store.apply(batchOf(...stream.slice(i, i + size)))
          return contents(store)
        })
        expect(actual).toEqual(expected)
      }),
      { numRuns: runs },
    )
  })

  test('counts equal a recount after any operations, accounts hidden and shown again among them', async () => {
    const action = fc.oneof(
      { weight: 4, arbitrary: fc.record({ step, rev: fc.integer({ min: 1, max: 40 }) }) },
      { weight: 1, arbitrary: fc.record({ hide: fc.constantFrom(...AUTHORS), hidden: fc.constantFrom(0, 1) }) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
        await withStore(open, async (store) => {
          for (const one of actions) {
            if ('hide' in one) {
              const tables = ['lexidex_account', ...KINDS.map(({ table }) => table)]
              for (const table of tables) {
                await store.db.updateTable(table).set({ hidden: one.hidden }).where('did', '=', one.hide).execute()
              }
            } else {
              await store.apply(batchOf(operationOf(one.step, one.rev)))
            }
            await expectRecount(store)
          }
        })
      }),
      { numRuns: runs },
    )
  })
}
