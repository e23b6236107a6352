import { expect, test } from 'vitest'
import { silentLogger } from '../../runtime/core/log.ts'
import type { OperationContext } from '../../runtime/operations/context.ts'
import { isLeased, takeLease } from '../../runtime/operations/runs/leases.ts'
import type { Store } from '../../runtime/storage/store.ts'
import { manualClock } from '../operations/support.ts'
import { freshStore, type OpenDatabase } from './harness.ts'

const WORK = 'work'

/** Rights that processes share by a table, on every database. What becomes of them in time is in `test/operations/runs`. */
export function leaseContract(open: OpenDatabase): void {
  const context = freshStore(open)
  const clock = manualClock()
  const party = (store: Store) => ({ store, clock, logger: silentLogger }) as unknown as OperationContext

  test('one has a lease, until it gives it back or has not renewed it in time', async () => {
    const [one, other] = [party(context.store), party(await context.database.connect())]
    const first = await takeLease(one, WORK)
    expect(first).not.toBeNull()
    expect(await isLeased(other, WORK)).toBe(true)
    expect(await takeLease(other, WORK)).toBeNull()
    const elsewhere = await takeLease(other, 'something else')
    expect(elsewhere).not.toBeNull()

    await first!.release()
    expect(await isLeased(other, WORK)).toBe(false)
    const second = await takeLease(other, WORK)
    expect(second).not.toBeNull()
    clock.advance(60_000)
    const third = await takeLease(one, WORK)
    expect(third).not.toBeNull()
    // What is not its own any more, it cannot give back.
    await second!.release()
    expect(await isLeased(other, WORK)).toBe(true)
    await Promise.all([third!.release(), elsewhere!.release()])
    expect(await isLeased(other, WORK)).toBe(false)
  })

  test('of many that ask at once one gets it', async () => {
    const parties = [party(context.store), party(await context.database.connect())]
    const taken = await Promise.all(Array.from({ length: 8 }, (_, i) => takeLease(parties[i % 2]!, WORK)))
    const leases = taken.filter((lease) => lease !== null)
    expect(leases).toHaveLength(1)
    await leases[0]!.release()
  })
}
