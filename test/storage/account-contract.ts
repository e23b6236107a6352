import { describe, expect, test } from 'vitest'
import type { AccountOperation, CheckOperation, Operation } from '../../runtime/core/operation.ts'
import { batchOf, del, did, meetup, NOW, profile, put, refuse, rev, rsvp, settle, uriOf } from './app.ts'
import { freshStore, type OpenDatabase, rowsOf } from './harness.ts'

/** What every database makes of hints at accounts, and of what is found out of them. Run by each dialect's own test. */
export function accountContract(open: OpenDatabase): void {
  const context = freshStore(open)
  const apply = (...operations: Operation[]) => context.store.apply(batchOf(...operations))
  const applyAt = (now: number, ...operations: Operation[]) => context.store.apply({ operations, positions: [], now })
  const account = async (name: string) =>
    (await rowsOf(context.store, 'lexidex_account', 'did')).find((row) => row.did === did(name))
  const visible = async (table: string) =>
    (await rowsOf(context.store, table)).filter((row) => row.hidden === 0).map((row) => row.uri)
  const bobGoes = (n: number) =>
    put({ collection: rsvp, did: did('bob'), rev: n, record: { status: 'going', subject: { uri: uriOf(meetup) } } })

  async function found(word: string): Promise<unknown[]> {
    const { store } = context
    const sql = `SELECT uri FROM meetup WHERE hidden = 0 AND ${store.reads.searchCondition(meetup)} ORDER BY uri`
    return (await store.prepare(sql).all([store.reads.compileSearch(word)])).map((row) => row.uri)
  }

  describe('check', () => {
    const check = (name: string, resync = false): CheckOperation => ({ op: 'check', did: did(name), resync })

    test('makes an account due, and notes that its repo is to be compared', async () => {
      await apply(put({ collection: meetup, rev: 1 }), put({ collection: meetup, rev: 1, did: did('bob') }))
      expect(await applyAt(5000, check('alice'))).toEqual({ puts: 0, deletes: 0, quarantined: 0 })
      await applyAt(6000, check('bob', true))
      await applyAt(7000, check('bob'))
      expect(await account('alice')).toMatchObject({ check_due_at: 5000, resync: 0, status: 'active', hidden: 0 })
      expect(await account('bob')).toMatchObject({ check_due_at: 7000, resync: 1 })
    })

    test('makes one due at once that would be later', async () => {
      await apply(put({ collection: meetup, rev: 1 }))
      await context.store.db.updateTable('lexidex_account').set({ check_due_at: 90_000, check_attempts: 3 }).execute()
      await applyAt(5000, check('alice'))
      expect(await account('alice')).toMatchObject({ check_due_at: 5000 })
    })

    test('of an account that is not known leaves nothing', async () => {
      await apply(check('eve', true))
      expect(await account('eve')).toBeUndefined()
    })
  })

  describe('an account', () => {
    test('is kept with what was found out of it, and is no longer due', async () => {
      await apply(put({ collection: meetup, rev: 1 }), { op: 'check', did: did('alice'), resync: true })
      await context.store.db.updateTable('lexidex_account').set({ check_attempts: 3, check_error: 'gone' }).execute()
      await applyAt(NOW + 9, settle(did('alice'), 'active', { handle: 'alice.test', askedAt: NOW + 1 }))
      expect(await account('alice')).toMatchObject({
        status: 'active',
        hidden: 0,
        handle: 'alice.test',
        pds: 'https://pds.test',
        resolved_at: NOW + 9,
        check_due_at: null,
        check_attempts: 0,
        check_error: null,
        resync: 1,
      })
    })

    test('stays due where a hint came after it was asked', async () => {
      await apply(put({ collection: meetup, rev: 1 }))
      await applyAt(7000, { op: 'check', did: did('alice'), resync: false })
      await applyAt(8000, settle(did('alice'), 'active', { askedAt: 6000 }))
      expect(await account('alice')).toMatchObject({ check_due_at: 7000, resolved_at: 8000 })
      await applyAt(9000, settle(did('alice'), 'active', { askedAt: 7001 }))
      expect(await account('alice')).toMatchObject({ check_due_at: null, resolved_at: 9000 })
    })

    test('that is not known is left alone', async () => {
      await apply(put({ collection: meetup, rev: 1 }), settle(did('alice'), 'active', { handle: 'alice.test' }))
      await apply(settle(did('eve'), 'deleted'), settle(did('eve'), 'active', { handle: 'alice.test' }))
      expect(await account('eve')).toBeUndefined()
      expect(await account('alice')).toMatchObject({ handle: 'alice.test' })
    })

    test('takes a handle over from another', async () => {
      await apply(put({ collection: meetup, rev: 1 }), put({ collection: meetup, rev: 1, did: did('bob') }))
      const named = (name: string, handle: string | null): AccountOperation => settle(did(name), 'active', { handle })
      await apply(named('alice', 'the.test'), named('bob', 'bob.test'))
      await apply(named('bob', 'the.test'))
      expect(await account('alice')).toMatchObject({ handle: null, pds: 'https://pds.test' })
      expect(await account('bob')).toMatchObject({ handle: 'the.test' })
      await apply(named('alice', null), named('alice', null))
      expect(await account('bob')).toMatchObject({ handle: 'the.test' })
    })
  })

  describe.each(['deactivated', 'suspended', 'takendown'])('%s', (status) => {
    test('hides all that the account has, and gives it back when it is active', async () => {
      const about = { title: 'chess' }
      await apply(put({ collection: meetup, rev: 1, record: about }), bobGoes(2))
      await apply(settle(did('bob'), status))
      expect(await account('bob')).toMatchObject({ status, hidden: 1 })
      expect(await visible('rsvp')).toEqual([])
      expect(await rowsOf(context.store, 'meetup')).toMatchObject([{ rsvps_count: 0, rsvps_going_count: 0 }])

      await apply(settle(did('alice'), status))
      expect(await found('chess')).toEqual([])
      // What is written meanwhile is kept, and hidden too.
      await apply(put({ collection: meetup, rev: 3, rkey: 'two', record: about }))
      expect(await visible('meetup')).toEqual([])

      await apply(settle(did('alice'), 'active'), settle(did('bob'), 'active'))
      expect(await found('chess')).toEqual([uriOf(meetup), uriOf(meetup, did('alice'), 'two')])
      expect((await rowsOf(context.store, 'meetup'))[0]).toMatchObject({ rsvps_count: 1, rsvps_going_count: 1 })
      expect(await account('bob')).toMatchObject({ status: 'active', hidden: 0, resync: 0 })
    })
  })

  test('an account that is back has its open jobs due at once', async () => {
    await apply(put({ collection: meetup, rev: 1 }), settle(did('alice'), 'deactivated'))
    const db = context.store.db
    const job = { did: did('alice'), attempts: 10, due_at: 9_000_000, updated_at: NOW }
    await db
      .insertInto('lexidex_job')
      .values([
        { ...job, collection: 'open.away', status: 'failed' },
        { ...job, collection: 'open.done', status: 'completed' },
        { ...job, collection: 'open.later', status: 'pending' },
      ])
      .execute()
    const jobs = async () => {
      const rows = await rowsOf(context.store, 'lexidex_job', 'collection')
      const mine = rows.filter(({ collection }) => collection.startsWith('open.'))
      return mine.map(({ collection, status, attempts, due_at }) => [collection, status, attempts, Number(due_at)])
    }
    const before = await jobs()
    await apply(settle(did('alice'), 'suspended'))
    expect(await jobs()).toEqual(before)
    await apply(settle(did('alice'), 'active'))
    expect(await jobs()).toEqual([
      ['open.away', 'pending', 0, 0],
      ['open.done', 'completed', 10, 9_000_000],
      ['open.later', 'pending', 0, 0],
    ])
    // One that was not away keeps to its times.
    await db.updateTable('lexidex_job').set({ due_at: 9_000_000 }).where('collection', '=', 'open.later').execute()
    await apply(settle(did('alice'), 'active'))
    expect((await jobs()).at(-1)).toEqual(['open.later', 'pending', 0, 9_000_000])
  })

  describe('deleted', () => {
    test('removes all that the account has, and nothing of others', async () => {
      await apply(
        put({ collection: meetup, rev: 1 }),
        put({ collection: meetup, rev: 1, did: did('bob'), record: { title: 'chess' } }),
        // A name that begins like another's.
        put({ collection: meetup, rev: 1, did: did('bobby') }),
        put({ collection: profile, rev: 1, did: did('bob'), rkey: 'self' }),
        refuse({ collection: meetup, rev: 1, did: did('bob'), rkey: 'bad' }),
        refuse({ collection: meetup, rev: 1, did: did('bobby'), rkey: 'bad' }),
        bobGoes(2),
      )
      await context.store.db
        .updateTable('lexidex_account')
        .set({ verified_rev: rev(2), resync: 1 })
        .execute()
      await apply(settle(did('bob'), 'deleted'))
      expect(await visible('meetup')).toEqual([uriOf(meetup), uriOf(meetup, did('bobby'))])
      expect((await rowsOf(context.store, 'meetup'))[0]).toMatchObject({ rsvps_count: 0 })
      expect(await rowsOf(context.store, 'rsvp')).toEqual([])
      expect(await rowsOf(context.store, 'profile')).toEqual([])
      expect(await found('chess')).toEqual([])
      expect(await rowsOf(context.store, 'lexidex_quarantine')).toMatchObject([{ did: did('bobby') }])
      const jobs = await rowsOf(context.store, 'lexidex_job', 'did')
      expect(new Set(jobs.map((job) => job.did))).toEqual(new Set([did('alice'), did('bobby')]))
      expect(await account('bob')).toMatchObject({ status: 'deleted', hidden: 2, verified_rev: null, resync: 0 })
    })

    test('takes no write until the account is back; then its repo is to be fetched', async () => {
      await apply(put({ collection: meetup, rev: 1 }), settle(did('alice'), 'deleted'))
      const result = await apply(
        put({ collection: meetup, rev: 2 }),
        put({ collection: profile, rev: 2, rkey: 'self' }),
        put({ collection: meetup, rev: 2, rkey: 'two', retry: true }),
        refuse({ collection: meetup, rev: 2, rkey: 'bad' }),
      )
      expect(result).toEqual({ puts: 0, deletes: 0, quarantined: 0 })
      expect(await rowsOf(context.store, 'meetup')).toEqual([])
      expect(await rowsOf(context.store, 'lexidex_quarantine')).toEqual([])

      await apply(settle(did('alice'), 'active'))
      expect(await account('alice')).toMatchObject({ status: 'active', hidden: 0, resync: 1 })
      await apply(put({ collection: meetup, rev: 1 }))
      expect(await visible('meetup')).toEqual([uriOf(meetup)])
    })

    test('still keeps away what the account had deleted before', async () => {
      await apply(put({ collection: meetup, rev: 1 }), del({ collection: meetup, rev: 2 }))
      await apply(settle(did('alice'), 'deleted'), settle(did('alice'), 'active'))
      await apply(put({ collection: meetup, rev: 1 }))
      expect(await rowsOf(context.store, 'meetup')).toEqual([])
    })

    test('forgets what was refused: it is judged anew when the account is back', async () => {
      await apply(put({ collection: meetup, rev: 1 }), refuse({ collection: meetup, rev: 2 }))
      await apply(settle(did('alice'), 'deleted'), refuse({ collection: meetup, rev: 3, rkey: 'two' }))
      await apply(settle(did('alice'), 'active'))
      await apply(put({ collection: meetup, rev: 2 }), refuse({ collection: meetup, rev: 3, rkey: 'two' }))
      expect(await visible('meetup')).toEqual([uriOf(meetup)])
      expect(await rowsOf(context.store, 'lexidex_quarantine')).toMatchObject([{ rev: rev(3) }])
    })

    test('may come back hidden', async () => {
      await apply(put({ collection: meetup, rev: 1 }), settle(did('alice'), 'deleted'))
      await apply(settle(did('alice'), 'deactivated'))
      expect(await account('alice')).toMatchObject({ hidden: 1, resync: 1 })
      await apply(put({ collection: meetup, rev: 2 }))
      expect(await rowsOf(context.store, 'meetup')).toMatchObject([{ hidden: 1 }])
    })
  })
}
