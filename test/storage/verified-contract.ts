import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Operation } from '../../runtime/core/operation.ts'
import type { Store } from '../../runtime/storage/store.ts'
import { batchOf, collections, del, did, initOf, meetup, profile, put, refuse, rev, rsvp, uriOf } from './app.ts'
import { freshStore, type OpenDatabase, rowsOf } from './harness.ts'

const AUTHORS = ['alice', 'bob'].map(did)
const KEYS = AUTHORS.flatMap((author) => [
  { collection: meetup, did: author, rkey: 'a' },
  { collection: rsvp, did: author, rkey: 'a' },
  { collection: profile, did: author, rkey: 'a' },
])

/** What is written, in order: the n-th has rev n. Few texts, so that a record may come to be what it was before. */
const write = fc.record({
  key: fc.constantFrom(...KEYS),
  title: fc.constantFrom('chess', 'tea', null),
})

type Write = typeof write extends fc.Arbitrary<infer W> ? W : never

function operationOf({ key, title }: Write, n: number): Operation {
  if (title === null) return del({ ...key, rev: n })
  return { ...put({ ...key, rev: n, record: { title, mode: title } }), cid: `bafy-${title}` }
}

/** Of every record the CID that it has after `writes`, by URI. */
function truthAfter(writes: readonly Write[]): Record<string, string> {
  const held = new Map<string, string>()
  for (const { key, title } of writes) {
    const uri = uriOf(key.collection, key.did, key.rkey)
    if (title === null) held.delete(uri)
    else held.set(uri, `bafy-${title}`)
  }
  return Object.fromEntries([...held].sort(([a], [b]) => (a < b ? -1 : 1)))
}

async function stored(store: Store): Promise<Record<string, string>> {
  const rows = (await Promise.all([meetup, rsvp, profile].map(({ table }) => rowsOf(store, table)))).flat()
  const mine = rows.filter(({ rkey }) => rkey === 'a').sort((a, b) => (a.uri < b.uri ? -1 : 1))
  return Object.fromEntries(mine.map(({ uri, cid }) => [uri, cid]))
}

/** Makes what is stored the same as whole repos of a rev have it, as a refresh does, and says so of their accounts. */
async function compare(store: Store, truth: Record<string, string>, n: number): Promise<void> {
  const before = await stored(store)
  const operations = KEYS.flatMap((key): Operation[] => {
    const uri = uriOf(key.collection, key.did, key.rkey)
    if (before[uri] === truth[uri]) return []
    if (truth[uri] === undefined) return [del({ ...key, rev: n })]
    return [operationOf({ key, title: truth[uri].slice(5) as 'chess' }, n)]
  })
  await store.apply(batchOf(...operations))
  await verify(store, n)
}

async function verify(store: Store, n: number): Promise<void> {
  await store.db
    .updateTable('lexidex_account')
    .set({ verified_rev: rev(n) })
    .execute()
}

/** What a repo was found to hold as a whole has the last word on all before it. Run by each dialect's own test. */
export function verifiedContract(open: OpenDatabase, runs: number): void {
  describe('of an account that was compared as a whole', () => {
    const context = freshStore(open)
    const apply = (...operations: Operation[]) => context.store.apply(batchOf(...operations))

    test('nothing of an earlier rev is taken, nor anything refused', async () => {
      await apply(put({ collection: meetup, rev: 2 }))
      await verify(context.store, 5)
      const result = await apply(
        put({ collection: meetup, rev: 3 }),
        put({ collection: meetup, rkey: 'new', rev: 4 }),
        refuse({ collection: meetup, rkey: 'bad', rev: 4 }),
        del({ collection: meetup, rev: 4 }),
      )
      expect(result).toEqual({ puts: 0, deletes: 0, quarantined: 0 })
      expect(await rowsOf(context.store, 'meetup')).toMatchObject([{ rkey: 'one', rev: rev(2) }])
      for (const table of ['lexidex_tombstone', 'lexidex_quarantine']) {
        expect(await rowsOf(context.store, table)).toEqual([])
      }
    })

    test('everything of that rev and later is', async () => {
      await apply(put({ collection: meetup, rev: 1 }), put({ collection: meetup, rkey: 'old', rev: 1 }))
      await verify(context.store, 5)
      const result = await apply(
        put({ collection: meetup, rev: 5 }),
        put({ collection: meetup, rkey: 'new', rev: 5 }),
        del({ collection: meetup, rkey: 'old', rev: 5 }),
        refuse({ collection: meetup, rkey: 'bad', rev: 6 }),
      )
      expect(result).toEqual({ puts: 2, deletes: 1, quarantined: 1 })
    })

    test('a version that was refused before may still be tried again, and is not forgotten for an earlier one', async () => {
      await apply(refuse({ collection: meetup, rev: 2 }), refuse({ collection: meetup, rkey: 'two', rev: 2 }))
      await apply(put({ collection: meetup, rkey: 'known', rev: 1 }))
      await verify(context.store, 5)
      await apply(put({ collection: meetup, rev: 3 }), del({ collection: meetup, rkey: 'two', rev: 3 }))
      expect(await rowsOf(context.store, 'lexidex_quarantine')).toHaveLength(2)
      expect(await apply(put({ collection: meetup, rev: 2, retry: true }))).toMatchObject({ puts: 1 })
      expect(await rowsOf(context.store, 'lexidex_quarantine')).toMatchObject([{ uri: expect.stringMatching(/two$/) }])
    })

    test('others are not concerned', async () => {
      await apply(put({ collection: meetup, rev: 1 }))
      await verify(context.store, 5)
      expect(await apply(put({ collection: meetup, rev: 1, did: did('bob') }))).toMatchObject({ puts: 1 })
    })
  })

  test('whatever was lost before it and arrives after it changes nothing; what is later counts', async () => {
    const history = fc.array(write, { minLength: 2, maxLength: 20 }).chain((writes) =>
      fc.record({
        writes: fc.constant(writes),
        /** The comparison is of this rev. */
        at: fc.integer({ min: 1, max: writes.length }),
        lost: fc.array(fc.boolean(), { minLength: writes.length, maxLength: writes.length }),
        late: fc.shuffledSubarray([...writes.keys()], { minLength: writes.length }),
      }),
    )
    await fc.assert(
      fc.asyncProperty(history, async ({ writes, at, lost, late }) => {
        const database = await open()
        try {
          const store = await database.connect()
          await store.migrate([initOf(database.dialect, database.partitions)])
          await store.use(collections)
          await store.apply(batchOf(...AUTHORS.map((author) => put({ collection: meetup, did: author, rev: 0 }))))
          const operations = writes.map((one, i) => operationOf(one, i + 1))
          await store.apply(batchOf(...operations.slice(0, at).filter((_, i) => !lost[i])))
          const truth = truthAfter(writes.slice(0, at))
          await compare(store, truth, at)
          expect(await stored(store)).toEqual(truth)
          for (const i of late) if (i < at) await store.apply(batchOf(operations[i]!))
          expect(await stored(store)).toEqual(truth)
          for (const i of late) await store.apply(batchOf(operations[i]!))
          expect(await stored(store)).toEqual(truthAfter(writes))
        } finally {
          await database.drop()
        }
      }),
      { numRuns: runs },
    )
  })
}
