import { expect, test } from 'vitest'
import type { Operation } from '../../runtime/core/operation.ts'
import { batchOf, collections, del, did, meetup, put, refuse, rsvp, settle, uriOf } from './app.ts'
import { freshStore, type OpenDatabase } from './harness.ts'

const [alice, bob] = ['alice', 'bob'].map(did)

/** Versions tell of every write, to every connection. */
export function versionContract(open: OpenDatabase): void {
  const context = freshStore(open)

  /** Tables whose versions another connection sees changed by some work. */
  async function changedBy(work: () => unknown): Promise<string[]> {
    const other = await context.database.connect()
    const before = await other.versions!()
    await work()
    const after = await other.versions!()
    return [...after]
      .filter(([table, version]) => version !== before.get(table))
      .map(([table]) => table)
      .sort()
  }
  const applied = (...operations: Operation[]) => changedBy(() => context.store.apply(batchOf(...operations)))

  test('every table has one, and so do accounts', async ({ skip }) => {
    if (context.store.versions === undefined) skip('the database keeps no versions')
    const versions = await context.store.versions!()
    expect([...versions.keys()].sort()).toEqual(['lexidex_account', ...collections.map(({ table }) => table)].sort())
  })

  test('a version changes with the rows of its table, and with nothing else', async ({ skip }) => {
    if (context.store.versions === undefined) skip('the database keeps no versions')
    // The first batch of a process makes all of them new.
    await applied(put({ collection: meetup, did: alice!, rev: 1, record: { title: 'a' } }))
    expect(await applied(put({ collection: meetup, did: alice!, rev: 2, record: { title: 'b' } }))).toEqual(['meetup'])
    expect(await applied(put({ collection: meetup, did: alice!, rev: 2, record: { title: 'c' } }))).toEqual([])
    // A count is in the row of its parent.
    const child = { collection: rsvp, did: bob!, rev: 3, record: { subject: { uri: uriOf(meetup, alice) } } }
    expect(await applied(put(child))).toEqual(['meetup', 'rsvp'])
    expect(await applied(refuse({ collection: rsvp, did: bob!, rev: 4 }))).toEqual(['meetup', 'rsvp'])
    expect(await applied(del({ collection: meetup, did: bob!, rev: 5 }))).toEqual([])
    expect(await applied(settle(alice!, 'active'))).toEqual([])
    expect(await applied(settle(alice!, 'active', { handle: 'alice.test' }))).toEqual(['lexidex_account'])
    expect(await applied(settle(alice!, 'deactivated', { handle: 'alice.test' }))).toEqual([
      'lexidex_account',
      'meetup',
    ])
    expect(await changedBy(() => context.store.db.deleteFrom('meetup').execute())).toEqual(['meetup'])
  })

  test('there is no telling while a bulk load goes on, and everything is new after it', async ({ skip }) => {
    const { bulk } = context.store
    if (context.store.versions === undefined || bulk === undefined) skip('the database has none')
    const before = await context.store.versions!()
    await bulk!.begin()
    expect((await context.store.versions!()).size).toBe(0)
    await context.store.apply(batchOf(put({ collection: meetup, rev: 1 })))
    expect((await context.store.versions!()).size).toBe(0)
    await bulk!.end()
    const after = await context.store.versions!()
    expect(after.size).toBe(before.size)
    for (const [table, version] of after) expect(version).toBeGreaterThan(before.get(table)!)
  })

  test('another process that writes makes them new: it may have a backup before it', async ({ skip }) => {
    if (context.store.versions === undefined) skip('the database keeps no versions')
    const before = await context.store.versions!()
    const next = await context.database.connect()
    await next.use(collections)
    await next.apply(batchOf(put({ collection: meetup, rev: 1 })))
    for (const [table, version] of await next.versions!()) expect(version).toBeGreaterThan(before.get(table)!)
  })
}
