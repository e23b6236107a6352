import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { silentLogger } from '../../../runtime/core/log.ts'
import type { OperationContext } from '../../../runtime/operations/context.ts'
import { isLeased, type Lease, takeLease } from '../../../runtime/operations/runs/leases.ts'
import { failureOf } from '../../storage/harness.ts'
import { openSqlite, type SqliteDatabase } from '../../storage/sqlite-harness.ts'
import { manualClock } from '../support.ts'

const script = fileURLToPath(new URL('./lease-process.ts', import.meta.url))

let database: SqliteDatabase
beforeEach(async () => {
  database = await openSqlite()
})
afterEach(async () => {
  vi.useRealTimers()
  await database.drop()
})

/** A process as leases see it: a connection and a clock of its own. */
async function party(clock = manualClock()) {
  const store = await database.connect()
  store.migrate(database.migrations)
  return { store, clock, logger: silentLogger } as unknown as OperationContext
}

describe('never two holders', () => {
  test('whatever several of them do, and however long they sleep', async () => {
    const clock = manualClock()
    const parties = await Promise.all([party(clock), party(clock), party(clock)])
    const action = fc.oneof(
      fc.record({ by: fc.nat({ max: 2 }), op: fc.constantFrom('take', 'release') }),
      fc.record({ ms: fc.constantFrom(1, 5000, 11_000, 29_000, 31_000) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 30 }), async (actions) => {
        vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
        const held: (Lease | null)[] = [null, null, null]
        const holders = () => held.filter((lease) => lease !== null && !lease.lost.aborted)
        for (const one of actions) {
          if ('ms' in one) {
            // All of them are asleep, and wake up when the time is over.
            clock.advance(one.ms)
            await vi.advanceTimersByTimeAsync(one.ms)
          } else if (one.op === 'release') {
            await held[one.by]?.release()
            held[one.by] = null
          } else if (held[one.by] === null) {
            const others = holders().length
            held[one.by] = await takeLease(parties[one.by]!, 'one')
            if (others > 0) expect(held[one.by]).toBeNull()
          }
          expect(holders().length).toBeLessThanOrEqual(1)
        }
        for (const lease of held) await lease?.release()
        expect(await isLeased(parties[0]!, 'one')).toBe(false)
        vi.useRealTimers()
      }),
      { numRuns: 60 },
    )
  })

  test('in several processes at once', async () => {
    await party()
    const notes = `${database.path}-notes`
    const run = (name: string) =>
      promisify(execFile)(process.execPath, ['-C', 'lexidex-source', script, database.path, notes, name, '1500'])
    const outputs = await Promise.all(['a', 'b', 'c'].map(run))
    expect(outputs.map(({ stdout }) => Number(stdout)).reduce((sum, taken) => sum + taken)).toBeGreaterThan(3)
    const lines = readFileSync(notes, 'utf8').trimEnd().split('\n')
    for (let i = 0; i < lines.length; i += 2) {
      const [, holder] = lines[i]!.split(' ')
      expect(lines.slice(i, i + 2)).toEqual([`has ${holder}`, `gives ${holder}`])
    }
  })
})

describe('a lease', () => {
  test('is renewed while it is wanted', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const clock = manualClock()
    const [one, other] = [await party(clock), await party(clock)]
    const lease = (await takeLease(one, 'one'))!
    for (let i = 0; i < 20; i++) {
      clock.advance(10_000)
      await vi.advanceTimersByTimeAsync(10_000)
      expect(await takeLease(other, 'one')).toBeNull()
    }
    expect(lease.lost.aborted).toBe(false)
    await lease.release()
    expect(await takeLease(other, 'one')).not.toBeNull()
  })

  test('is taken over from one that died, after its time', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const [dead, other] = [await party(), await party()]
    await takeLease(dead, 'one')
    ;(other.clock as ReturnType<typeof manualClock>).advance(29_000)
    expect(await takeLease(other, 'one')).toBeNull()
    ;(other.clock as ReturnType<typeof manualClock>).advance(2000)
    expect(await takeLease(other, 'one')).not.toBeNull()
  })

  test('that cannot be renewed is lost before another may take it', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const clock = manualClock()
    const [one, other] = [await party(clock), await party(clock)]
    const lease = (await takeLease(one, 'one'))!
    await one.store.close()
    for (let i = 0; i < 28; i++) {
      clock.advance(1000)
      await vi.advanceTimersByTimeAsync(1000)
      expect(await takeLease(other, 'one')).toBeNull()
    }
    clock.advance(1000)
    await vi.advanceTimersByTimeAsync(1000)
    expect(lease.lost.aborted).toBe(true)
    clock.advance(2000)
    const taken = (await takeLease(other, 'one'))!
    expect(taken).not.toBeNull()
    expect(await failureOf(() => lease.release())).toBeInstanceOf(Error)
    await taken.release()
  })
})
