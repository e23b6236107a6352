import { expect, test } from 'vitest'
import type { ApplyBatch } from '../../runtime/core/operation.ts'
import { did } from '../storage/app.ts'
import { rowsOf } from '../storage/harness.ts'
import { freshIndex, meetupItem, rkeysTo } from './support.ts'

const index = freshIndex({ writer: 'thread', busyTimeoutMs: 1 })

/** Sizes of the batches that were given to the store, and how many of them at a time. */
function watched() {
  const sizes: number[] = []
  let underWay = 0
  const seen = { sizes, most: 0 }
  const { store } = index
  const apply = (batch: ApplyBatch, follows?: ApplyBatch) => {
    sizes.push(batch.operations.length)
    seen.most = Math.max(seen.most, ++underWay)
    const result = Promise.resolve(store.apply(batch, follows))
    const ended = () => void underWay--
    result.then(ended, ended)
    return result
  }
  return { seen, store: { apply, background: true, isTransient: (error: unknown) => store.isTransient(error) } }
}

test('a store that works in the background has the next batch beside the one it is at, and no more', async () => {
  const { seen, store } = watched()
  const applier = index.applier({ store, batchSize: 5 })
  for (let n = 1; n <= 500; n++) await applier.push(meetupItem(n))
  await applier.flush()
  expect(seen.most).toBe(2)
  expect(await index.rkeys()).toEqual(rkeysTo(500))
})

test('batches that wait are applied as one, within bounds', async () => {
  const { seen, store } = watched()
  const applier = index.applier({ store, batchSize: 5 })
  for (let n = 1; n <= 500; n++) await applier.push(meetupItem(n))
  await applier.flush()
  expect(seen.sizes.reduce((sum, size) => sum + size)).toBe(500)
  expect(Math.max(...seen.sizes)).toBeLessThanOrEqual(20)
  expect(Math.max(...seen.sizes)).toBeGreaterThan(5)
})

test('small batches that wait for one that takes long are applied as one, up to the size of a batch', async () => {
  const sizes: number[] = []
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const apply = async ({ operations }: ApplyBatch) => {
    sizes.push(operations.length)
    await released
    return { puts: operations.length, deletes: 0, quarantined: 0 }
  }
  const applier = index.applier({ store: { apply, background: false, isTransient: () => false }, batchSize: 5 })
  const flushed: Promise<void>[] = []
  for (let n = 1; n <= 13; n++) {
    applier.push(meetupItem(n))
    flushed.push(applier.flush())
  }
  release()
  await Promise.all(flushed)
  expect(sizes).toEqual([1, 5, 5, 2])
  expect(applier.stats()).toMatchObject({ applied: 13, queued: 0 })
  await applier.close()
})

test('the position is never ahead of the rows, whatever fails meanwhile', async () => {
  const LENGTH = 300
  const other = await index.database.connect({ writer: 'inline' })
  const applier = index.applier({ batchSize: 5 })
  // What the store refuses as a whole is looked through for what is at fault.
  index.store.database.exec(`CREATE TRIGGER refuse BEFORE INSERT ON meetup WHEN NEW.rkey LIKE 'm_57'
    BEGIN SELECT RAISE(ABORT, 'poisoned'); END`)
  const poisoned = (rkey: string) => rkey.endsWith('57')
  const look = index.store.database.prepare(`SELECT
    coalesce((SELECT cast(cursor AS INTEGER) FROM lexidex_cursor), 0) AS position,
    (SELECT count(*) FROM meetup) AS rows, (SELECT count(*) FROM lexidex_quarantine) AS refused`)
  let done = false
  const troublemaker = (async () => {
    while (!done) {
      other.database.exec('BEGIN IMMEDIATE')
      await new Promise((resolve) => setTimeout(resolve, 2))
      other.database.exec('COMMIT')
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
  })()
  for (let n = 1; n <= LENGTH; n++) {
    await applier.push(meetupItem(n))
    const { position, rows, refused } = look.get() as Record<string, number>
    expect(rows! + refused!).toBeGreaterThanOrEqual(position!)
  }
  done = true
  await troublemaker
  await applier.flush()
  expect(await index.cursor()).toBe(String(LENGTH))
  expect(await index.rkeys()).toEqual(rkeysTo(LENGTH).filter((rkey) => !poisoned(rkey)))
  expect(await rowsOf(index.store, 'lexidex_quarantine')).toHaveLength(LENGTH / 100)
  expect(applier.stats()).toMatchObject({ received: LENGTH, applied: LENGTH * 0.99, dropped: 0 })
  expect((await rowsOf(index.store, 'lexidex_account', 'did')).map((row) => row.did)).toEqual([did('alice')])
})
