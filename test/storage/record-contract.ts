import { describe, expect, test } from 'vitest'
import type { Operation } from '../../runtime/core/operation.ts'
import { batchOf, del, did, meetup, NOW, put, refuse, rev, START_US, uriOf } from './app.ts'
import { freshStore, type OpenDatabase, rowsOf } from './harness.ts'

/** How every database orders writes, deletions and refused versions of a record. Run by each dialect's own test. */
export function recordContract(open: OpenDatabase): void {
  const context = freshStore(open)
  const apply = (...operations: Operation[]) => context.store.apply(batchOf(...operations))
  const meetups = () => rowsOf(context.store, 'meetup')

  describe('put', () => {
    test('stores the record and its columns', async () => {
      const record = { title: 'Kaffee ☕', mode: 'online', seats: 12, tags: ['tea', 'ünï'] }
      expect(await apply(put({ collection: meetup, rev: 1, record }))).toEqual({ puts: 1, deletes: 0, quarantined: 0 })
      expect(await meetups()).toEqual([
        {
          id: expect.any(Number),
          uri: uriOf(meetup),
          did: did('alice'),
          rkey: 'one',
          cid: 'bafy1',
          rev: rev(1),
          indexed_at: NOW * 1000 + 1,
          sort_at: START_US + 1,
          hidden: 0,
          mode: 'online',
          seats: 12,
          tags: '["tea","ünï"]',
          rsvps_count: 0,
          rsvps_going_count: 0,
          rsvps_maybe_count: 0,
          guests_count: 0,
          record: JSON.stringify(record),
        },
      ])
    })

    test('replaces an earlier rev, in every column', async () => {
      await apply(put({ collection: meetup, rev: 1, record: { mode: 'online', seats: 3 } }))
      expect(await apply(put({ collection: meetup, rev: 2, record: { mode: 'offline' } }))).toMatchObject({ puts: 1 })
      expect(await meetups()).toMatchObject([
        { rev: rev(2), cid: 'bafy2', mode: 'offline', seats: null, record: '{"mode":"offline"}' },
      ])
    })

    test('loses to a row of an equal or later rev', async () => {
      await apply(put({ collection: meetup, rev: 2, record: { mode: 'new' } }))
      for (const stale of [1, 2]) {
        expect(await apply(put({ collection: meetup, rev: stale, record: { mode: 'old' } }))).toMatchObject({ puts: 0 })
      }
      expect(await meetups()).toMatchObject([{ rev: rev(2), mode: 'new' }])
    })

    test('keeps the order within one batch', async () => {
      const result = await apply(
        put({ collection: meetup, rev: 1, record: { mode: 'a' } }),
        put({ collection: meetup, rev: 3, record: { mode: 'c' } }),
        put({ collection: meetup, rev: 2, record: { mode: 'b' } }),
      )
      expect(result).toMatchObject({ puts: 2 })
      expect(await meetups()).toMatchObject([{ mode: 'c' }])
    })

    test('keeps the time of the first meeting, and never sorts later than it', async () => {
      await apply(put({ collection: meetup, rev: 1, indexedAt: 5000, sortAt: 4000 }))
      await apply(put({ collection: meetup, rev: 2, indexedAt: 9000, sortAt: 8000 }))
      expect(await meetups()).toMatchObject([{ indexed_at: 5000, sort_at: 5000 }])
      await apply(put({ collection: meetup, rev: 3, indexedAt: 9500, sortAt: 3000 }))
      expect(await meetups()).toMatchObject([{ indexed_at: 5000, sort_at: 3000 }])
    })

    test('takes texts that databases stumble over', async () => {
      const record = { title: 'a\u0000b \ud800 "\\ 👩‍👩‍👧', mode: "'; DROP TABLE meetup; --", long: 'x'.repeat(50_000) }
      await apply(put({ collection: meetup, rev: 1, record }))
      const [row] = await meetups()
      expect(JSON.parse(row!.record)).toEqual(record)
      expect(row!.mode).toBe(record.mode)
    })
  })

  describe('delete', () => {
    test('removes rows up to its rev and keeps older versions away', async () => {
      await apply(put({ collection: meetup, rev: 2 }))
      expect(await apply(del({ collection: meetup, rev: 3 }))).toEqual({ puts: 0, deletes: 1, quarantined: 0 })
      expect(await meetups()).toEqual([])
      for (const stale of [1, 2, 3]) await apply(put({ collection: meetup, rev: stale }))
      expect(await meetups()).toEqual([])
      await apply(put({ collection: meetup, rev: 4 }))
      expect(await meetups()).toMatchObject([{ rev: rev(4) }])
    })

    test('counts before its put arrives', async () => {
      expect(await apply(del({ collection: meetup, rev: 3 }))).toMatchObject({ deletes: 1 })
      expect(await apply(put({ collection: meetup, rev: 2 }))).toMatchObject({ puts: 0 })
      expect(await meetups()).toEqual([])
    })

    test('leaves a later row alone', async () => {
      await apply(put({ collection: meetup, rev: 5 }))
      await apply(del({ collection: meetup, rev: 4 }))
      expect(await meetups()).toMatchObject([{ rev: rev(5) }])
    })

    test('remembers the latest rev', async () => {
      await apply(del({ collection: meetup, rev: 5 }))
      expect(await apply(del({ collection: meetup, rev: 3 }), del({ collection: meetup, rev: 5 }))).toMatchObject({
        deletes: 0,
      })
      await apply(put({ collection: meetup, rev: 4 }))
      expect(await meetups()).toEqual([])
    })
  })

  describe('quarantine', () => {
    const quarantine = () => rowsOf(context.store, 'lexidex_quarantine')

    test('hides what was shown and keeps the version with the reason', async () => {
      await apply(put({ collection: meetup, rev: 1 }))
      expect(await apply(refuse({ collection: meetup, rev: 2 }))).toEqual({ puts: 0, deletes: 0, quarantined: 1 })
      expect(await meetups()).toEqual([])
      expect(await quarantine()).toEqual([
        {
          uri: uriOf(meetup),
          collection: meetup.nsid,
          did: did('alice'),
          rev: rev(2),
          cid: 'bafy2',
          reason: 'Record/mode must be a string',
          record: '{"mode":1}',
          quarantined_at: NOW,
        },
      ])
      expect(await apply(refuse({ collection: meetup, rev: 2 }), put({ collection: meetup, rev: 1 }))).toEqual({
        puts: 0,
        deletes: 0,
        quarantined: 0,
      })
      expect(await meetups()).toEqual([])
    })

    test('is cleared by a later put or delete', async () => {
      await apply(refuse({ collection: meetup, rev: 2 }), refuse({ collection: meetup, rkey: 'two', rev: 2 }))
      await apply(put({ collection: meetup, rev: 3 }), del({ collection: meetup, rkey: 'two', rev: 3 }))
      expect(await quarantine()).toEqual([])
      expect(await meetups()).toMatchObject([{ rkey: 'one', rev: rev(3) }])
    })

    test('keeps the latest refused version only', async () => {
      await apply(refuse({ collection: meetup, rev: 3, reason: 'new' }))
      await apply(refuse({ collection: meetup, rev: 2, reason: 'old' }))
      expect(await quarantine()).toMatchObject([{ rev: rev(3), reason: 'new' }])
    })

    test('does not keep what a later put or delete has overtaken', async () => {
      await apply(put({ collection: meetup, rev: 3 }), del({ collection: meetup, rkey: 'two', rev: 3 }))
      const result = await apply(
        refuse({ collection: meetup, rev: 2 }),
        refuse({ collection: meetup, rkey: 'two', rev: 2 }),
      )
      expect(result).toMatchObject({ quarantined: 0 })
      expect(await quarantine()).toEqual([])
      expect(await meetups()).toMatchObject([{ rkey: 'one', rev: rev(3) }])
    })

    test('can be retried at the same rev', async () => {
      await apply(refuse({ collection: meetup, rev: 2 }))
      expect(await apply(put({ collection: meetup, rev: 2 }))).toMatchObject({ puts: 0 })
      expect(await apply(put({ collection: meetup, rev: 2, retry: true }))).toMatchObject({ puts: 1 })
      expect(await meetups()).toMatchObject([{ rev: rev(2) }])
      expect(await quarantine()).toEqual([])
    })

    test('a retry does not undo a deletion', async () => {
      await apply(refuse({ collection: meetup, rev: 2 }), del({ collection: meetup, rev: 3 }))
      await apply(put({ collection: meetup, rev: 2, retry: true }), put({ collection: meetup, rev: 3, retry: true }))
      expect(await meetups()).toEqual([])
    })
  })
}
