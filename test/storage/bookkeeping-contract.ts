import { describe, expect, test } from 'vitest'
import { LexidexError } from '../../runtime/core/errors.ts'
import type { Operation } from '../../runtime/core/operation.ts'
import {
  batchOf,
  collections,
  del,
  did,
  follow,
  like,
  meetup,
  NOW,
  profile,
  put,
  refuse,
  rev,
  rsvp,
  uriOf,
} from './app.ts'
import { failureOf, freshStore, type OpenDatabase, rowsOf } from './harness.ts'

/** What every database keeps beside the records: accounts, positions, migrations. Run by each dialect's own test. */
export function bookkeepingContract(open: OpenDatabase): void {
  const context = freshStore(open)
  const apply = (...operations: Operation[]) => context.store.apply(batchOf(...operations))
  const meetups = () => rowsOf(context.store, 'meetup')

  describe('accounts', () => {
    const accounts = () => rowsOf(context.store, 'lexidex_account', 'did')

    test('authors of discovered collections become known, with a job per dependent collection', async () => {
      await apply(put({ collection: meetup, rev: 1 }), put({ collection: rsvp, rev: 2, did: did('bob') }))
      expect(await accounts()).toMatchObject([
        { did: did('alice'), status: 'active', hidden: 0, handle: null, first_seen_at: NOW },
        { did: did('bob') },
      ])
      const jobs = await rowsOf(context.store, 'lexidex_job', 'did')
      expect(jobs.map((job) => [job.did, job.collection, job.status]).sort()).toEqual([
        [did('alice'), follow.nsid, 'pending'],
        [did('alice'), profile.nsid, 'pending'],
        [did('bob'), follow.nsid, 'pending'],
        [did('bob'), profile.nsid, 'pending'],
      ])
    })

    test('a known account keeps its first time and its jobs', async () => {
      await apply(put({ collection: meetup, rev: 1 }))
      await context.store.db.updateTable('lexidex_job').set({ status: 'completed' }).execute()
      await context.store.apply({ ...batchOf(put({ collection: meetup, rev: 2, rkey: 'two' })), now: NOW + 1 })
      expect(await accounts()).toMatchObject([{ first_seen_at: NOW }])
      const jobs = await rowsOf(context.store, 'lexidex_job', 'collection')
      expect(jobs.map((job) => job.status)).toEqual(['completed', 'completed'])
    })

    test('dependent records need a known author', async () => {
      expect(await apply(put({ collection: profile, rev: 1, rkey: 'self' }))).toMatchObject({ puts: 0 })
      expect(await accounts()).toEqual([])
      await apply(put({ collection: meetup, rev: 2 }))
      expect(await apply(put({ collection: profile, rev: 3, rkey: 'self' }))).toMatchObject({ puts: 1 })
    })

    test('an account that becomes known later in the batch is known in all of it', async () => {
      const result = await apply(
        put({ collection: profile, rev: 1, rkey: 'self' }),
        put({ collection: meetup, rev: 2 }),
      )
      expect(result).toMatchObject({ puts: 2 })
    })

    test('nothing is kept of strangers in dependent collections', async () => {
      const result = await apply(del({ collection: follow, rev: 1 }), refuse({ collection: profile, rev: 1 }))
      expect(result).toEqual({ puts: 0, deletes: 0, quarantined: 0 })
      expect(await rowsOf(context.store, 'lexidex_tombstone')).toEqual([])
      expect(await rowsOf(context.store, 'lexidex_quarantine')).toEqual([])
    })

    test('records about somebody need that account to be known', async () => {
      await apply(put({ collection: meetup, rev: 1 }), put({ collection: meetup, rev: 1, did: did('bob') }))
      const about = (rkey: string, record: Record<string, unknown>, collection: typeof follow | typeof like) =>
        put({ collection, rev: 2, rkey, record })
      const result = await apply(
        about('known', { subject: did('bob') }, follow),
        about('unknown', { subject: did('eve') }, follow),
        about('none', {}, follow),
        about('known', { subject: { uri: uriOf(meetup, did('bob')) } }, like),
        about('unknown', { subject: { uri: uriOf(meetup, did('eve')) } }, like),
      )
      expect(result).toMatchObject({ puts: 2 })
      expect(await rowsOf(context.store, 'follow')).toMatchObject([{ rkey: 'known' }])
      expect(await rowsOf(context.store, 'like')).toMatchObject([{ rkey: 'known' }])
    })

    test('records of a hidden account arrive hidden, and do not count', async () => {
      await apply(put({ collection: meetup, rev: 1 }), put({ collection: meetup, rev: 1, did: did('bob') }))
      await context.store.db.updateTable('lexidex_account').set({ hidden: 1 }).where('did', '=', did('bob')).execute()
      const record = { status: 'going', subject: { uri: uriOf(meetup) } }
      await apply(put({ collection: rsvp, rev: 2, did: did('bob'), record }))
      expect(await rowsOf(context.store, 'rsvp')).toMatchObject([{ hidden: 1 }])
      expect((await meetups())[0]).toMatchObject({ did: did('alice'), rsvps_count: 0 })
    })
  })

  describe('positions', () => {
    const cursors = () => rowsOf(context.store, 'lexidex_cursor', 'source')
    const at = (cursor: string, source = 'jetstream') => ({ source, epoch: 'host', cursor })

    test('are kept, one per source', async () => {
      await context.store.apply({ operations: [], positions: [at('1'), at('7', 'relay')], now: NOW })
      await context.store.apply({ operations: [], positions: [at('2')], now: NOW + 1 })
      expect(await cursors()).toEqual([
        { source: 'jetstream', epoch: 'host', cursor: '2', updated_at: NOW + 1 },
        { source: 'relay', epoch: 'host', cursor: '7', updated_at: NOW },
      ])
    })

    test('stay with the rows when a batch fails: all of it or nothing', async () => {
      await context.store.apply({ operations: [put({ collection: meetup, rev: 1 })], positions: [at('1')], now: NOW })
      const broken = put({ collection: meetup, rev: 3, rkey: 'broken', values: ['online', 'not a number'] })
      const operations = [
        put({ collection: meetup, rev: 2, record: { mode: 'new' } }),
        put({ collection: rsvp, rev: 2, did: did('bob') }),
        del({ collection: rsvp, rev: 2 }),
        broken,
      ]
      const failure = await failureOf(() => context.store.apply({ operations, positions: [at('2')], now: NOW }))
      expect(failure).toBeInstanceOf(Error)
      expect(context.store.isTransient(failure)).toBe(false)
      expect(await cursors()).toMatchObject([{ cursor: '1' }])
      expect(await meetups()).toMatchObject([{ rev: rev(1) }])
      expect(await rowsOf(context.store, 'lexidex_account', 'did')).toHaveLength(1)
      expect(await rowsOf(context.store, 'lexidex_tombstone')).toEqual([])
      await context.store.apply({ operations: operations.slice(0, 3), positions: [at('2')], now: NOW })
      expect(await cursors()).toMatchObject([{ cursor: '2' }])
      expect(await meetups()).toMatchObject([{ rev: rev(2) }])
    })
  })

  describe('several writers', () => {
    test('two connections see and respect what the other wrote', async () => {
      const other = await context.database.connect()
      await other.use(collections)
      await context.store.apply(batchOf(put({ collection: meetup, rev: 2, record: { mode: 'two' } })))
      expect(await other.apply(batchOf(put({ collection: meetup, rev: 1 })))).toMatchObject({ puts: 0 })
      await other.apply(batchOf(del({ collection: meetup, rev: 3 })))
      expect(await context.store.apply(batchOf(put({ collection: meetup, rev: 3 })))).toMatchObject({ puts: 0 })
      expect(await meetups()).toEqual([])
    })

    test('a batch and a transaction of `db` do not become one', async () => {
      await apply(put({ collection: meetup, rev: 1 }))
      let applied: unknown
      const failed = context.store.db
        .transaction()
        .execute(async (trx) => {
          await trx.updateTable('lexidex_account').set({ status: 'suspended' }).execute()
          applied = context.store.apply(batchOf(put({ collection: meetup, rev: 2, record: { mode: 'kept' } })))
          await trx.updateTable('lexidex_account').set({ handle: 'alice.test' }).execute()
          throw new Error('rolled back')
        })
        .catch((error: Error) => error.message)
      expect(await failed).toBe('rolled back')
      expect(await applied).toMatchObject({ puts: 1 })
      expect(await meetups()).toMatchObject([{ mode: 'kept' }])
      expect(await rowsOf(context.store, 'lexidex_account', 'did')).toMatchObject([{ status: 'active', handle: null }])
    })
  })

  describe('migrate', () => {
    const second = { name: '0002_more', statements: ['CREATE TABLE more (id INTEGER)'] }

    test('applies each migration once', async () => {
      expect(await context.store.migrate(context.migrations)).toEqual([])
      expect(await context.store.migrate([...context.migrations, second])).toEqual(['0002_more'])
      expect(await rowsOf(context.store, 'lexidex_migration', 'name')).toMatchObject([
        { name: '0001_init' },
        { name: '0002_more' },
      ])
    })

    test('leaves nothing of a migration that fails', async () => {
      const broken = { name: '0002_broken', statements: [...second.statements, 'CREATE TABLE nonsense ('] }
      const failure = await failureOf(() => context.store.migrate([...context.migrations, broken]))
      expect(failure).toBeInstanceOf(LexidexError)
      expect((failure as LexidexError).message).toContain('0002_broken')
      expect(await context.store.migrate([...context.migrations, second])).toEqual(['0002_more'])
    })

    test('refuses a database that is ahead', async () => {
      await context.store.migrate([...context.migrations, second])
      const failure = await failureOf(() => context.store.migrate(context.migrations))
      expect(failure).toBeInstanceOf(LexidexError)
      expect((failure as LexidexError).message).toContain('0002_more')
      expect((failure as LexidexError).hint).toBeTruthy()
    })
  })

  test('a store that was not told of a collection says so', async () => {
    await context.store.use(collections.filter((collection) => collection !== meetup))
    const failure = await failureOf(() => context.store.apply(batchOf(put({ collection: meetup, rev: 1 }))))
    expect(failure).toBeInstanceOf(LexidexError)
    expect((failure as LexidexError).message).toContain('meetup')
  })

  test('collections that the database lacks are found before the first batch', async () => {
    const elsewhere = { ...meetup, table: 'elsewhere' }
    const failure = await failureOf(() => context.store.use([elsewhere]))
    expect(failure).toBeInstanceOf(LexidexError)
  })
}
