import { describe, expect, test, vi } from 'vitest'
import { LexidexError } from '../../runtime/core/errors.ts'
import { did, meetup, rev } from '../storage/app.ts'
import { failureOf, rowsOf } from '../storage/harness.ts'
import { freshIndex, item, meetupItem, rkeyOf, rkeysTo } from './support.ts'

describe.each(['inline', 'thread'] as const)('%s', (writer) => {
  const index = freshIndex({ busyTimeoutMs: 1, writer })

  /** Makes the database refuse rows of a table, as it does what it cannot store. */
  function refuse(table: string, condition: string): void {
    const name = `refuse_${table}`
    index.store.database.exec(`CREATE TRIGGER ${name} BEFORE INSERT ON ${table} WHEN ${condition}
      BEGIN SELECT RAISE(ABORT, 'poisoned'); END`)
  }

  const without = (...gone: number[]) => rkeysTo(20).filter((rkey) => !gone.map(rkeyOf).includes(rkey))

  describe('a busy database', () => {
    test('is waited for; nothing is lost and the position stays behind', async () => {
      const other = await index.database.connect()
      other.database.exec('BEGIN IMMEDIATE')
      const applier = index.applier({ batchSize: 2 })
      for (const n of [1, 2, 3, 4]) applier.push(meetupItem(n))
      await vi.waitFor(() => expect(index.log.join()).toContain('next attempt'))
      expect(await index.cursor()).toBeUndefined()
      expect(applier.stats()).toMatchObject({ applied: 0, queued: 4 })
      other.database.exec('ROLLBACK')
      await applier.flush()
      expect(await index.cursor()).toBe('4')
      expect(await index.rkeys()).toEqual(rkeysTo(4))
      expect(applier.stats()).toMatchObject({ applied: 4, quarantined: 0, dropped: 0 })
    })

    test('that stays busy ends close with an error, and the position stays behind', async () => {
      const other = await index.database.connect()
      other.database.exec('BEGIN IMMEDIATE')
      const applier = index.applier()
      applier.push(meetupItem(1))
      const failure = await failureOf(() => applier.close())
      expect(failure).toBeInstanceOf(LexidexError)
      expect((failure as LexidexError).hint).toContain('again')
      other.database.exec('ROLLBACK')
      expect(await index.cursor()).toBeUndefined()
    })
  })

  describe('a poisoned operation', () => {
    test('is quarantined with the reason; the rest of the batch and its position are applied', async () => {
      refuse('meetup', "NEW.rkey IN ('m003', 'm017')")
      const applier = index.applier({ batchSize: 20 })
      for (let n = 1; n <= 20; n++) applier.push(meetupItem(n))
      await applier.flush()
      expect(await index.rkeys()).toEqual(without(3, 17))
      expect(await index.cursor()).toBe('20')
      expect(await rowsOf(index.store, 'lexidex_quarantine')).toMatchObject([
        { rev: rev(3), cid: 'bafy3', reason: expect.stringContaining('poisoned'), record: '{"title":"no 3"}' },
        { rev: rev(17) },
      ])
      expect(applier.stats()).toMatchObject({ applied: 18, quarantined: 2, dropped: 0, queued: 0 })
    })

    test('hides the version before it', async () => {
      const applier = index.applier()
      applier.push(meetupItem(1, { rkey: 'same' }))
      await applier.flush()
      index.store.database.exec(`CREATE TRIGGER refuse_update BEFORE UPDATE ON meetup
        BEGIN SELECT RAISE(ABORT, 'poisoned'); END`)
      applier.push(meetupItem(2, { rkey: 'same' }))
      await applier.flush()
      expect(await index.rkeys()).toEqual([])
      expect(await rowsOf(index.store, 'lexidex_quarantine')).toMatchObject([{ rev: rev(2) }])
    })

    test('that cannot be quarantined either is dropped, logged and counted', async () => {
      refuse('meetup', "NEW.rkey = 'm003'")
      refuse('lexidex_quarantine', "NEW.uri LIKE '%m003'")
      const applier = index.applier()
      for (let n = 1; n <= 20; n++) applier.push(meetupItem(n))
      await applier.flush()
      expect(await index.rkeys()).toEqual(without(3))
      expect(await index.cursor()).toBe('20')
      expect(applier.stats()).toMatchObject({ applied: 19, quarantined: 0, dropped: 1 })
      expect(index.log.join()).toMatch(/Dropped the put of at:.*m003/)
    })

    test('alone in its batch is given up only beside another that goes through', async () => {
      refuse('meetup', "NEW.rkey = 'm001'")
      refuse('lexidex_quarantine', 'true')
      const applier = index.applier({ batchSize: 1 })
      applier.push(meetupItem(1))
      await vi.waitFor(() => expect(index.log.join()).toContain('next attempt'))
      expect(await index.cursor()).toBeUndefined()
      expect(applier.stats()).toMatchObject({ dropped: 0 })
      applier.push(meetupItem(2))
      await applier.flush()
      expect(await index.rkeys()).toEqual(['m002'])
      expect(await index.cursor()).toBe('2')
      expect(applier.stats()).toMatchObject({ applied: 1, dropped: 1, queued: 0 })
    })

    test('can be a delete: it has no quarantine', async () => {
      const key = { did: did('alice'), collection: meetup.nsid, rkey: 'stuck' }
      const applier = index.applier()
      refuse('lexidex_tombstone', "NEW.uri LIKE '%stuck'")
      applier.push(item(1, { kind: 'delete', ...key, rev: rev(1) }))
      applier.push(meetupItem(2))
      await applier.flush()
      expect(await index.rkeys()).toEqual(['m002'])
      expect(applier.stats()).toMatchObject({ dropped: 1 })
    })
  })

  describe('a broken database', () => {
    test('is not taken for poison: nothing is given up, and all is applied once it is mended', async () => {
      index.store.database.exec('ALTER TABLE lexidex_tombstone RENAME TO lost')
      const applier = index.applier({ batchSize: 5 })
      for (let n = 1; n <= 20; n++) applier.push(meetupItem(n))
      await vi.waitFor(() => expect(index.log.join()).toContain('next attempt'))
      expect(applier.stats()).toMatchObject({ applied: 0, quarantined: 0, dropped: 0, queued: 20 })
      index.store.database.exec('ALTER TABLE lost RENAME TO lexidex_tombstone')
      await applier.flush()
      expect(await index.rkeys()).toEqual(rkeysTo(20))
      expect(await index.cursor()).toBe('20')
      expect(applier.stats()).toMatchObject({ applied: 20, quarantined: 0, dropped: 0, queued: 0 })
    })
  })
})
