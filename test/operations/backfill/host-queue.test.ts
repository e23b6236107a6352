import { describe, expect, test } from 'vitest'
import { HostQueue, type HostQueueOptions } from '../../../runtime/operations/backfill/host-queue.ts'

/** Tasks that end when they are told to. */
class Bench {
  readonly running: string[] = []
  readonly ended: string[] = []
  readonly #ends = new Map<string, () => void>()

  task(name: string): () => Promise<void> {
    return async () => {
      this.running.push(name)
      await new Promise<void>((resolve) => this.#ends.set(name, resolve))
      this.running.splice(this.running.indexOf(name), 1)
      this.ended.push(name)
    }
  }

  async end(name: string): Promise<void> {
    this.#ends.get(name)!()
    await turn()
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))
const queueOf = (options: Partial<HostQueueOptions> = {}) =>
  new HostQueue({ concurrency: 10, hosts: 10, perHost: 10, waiting: 10, ...options })

describe('HostQueue', () => {
  test('runs no more than so many tasks of one host, and lets others pass them', async () => {
    const bench = new Bench()
    const queue = queueOf({ perHost: 2 })
    for (const name of ['a1', 'a2', 'a3']) await queue.add('a', bench.task(name))
    await queue.add('b', bench.task('b1'))
    expect(bench.running).toEqual(['a1', 'a2', 'b1'])
    await bench.end('b1')
    expect(bench.running).toEqual(['a1', 'a2'])
    await bench.end('a1')
    expect(bench.running).toEqual(['a2', 'a3'])
  })

  test('works on no more than so many hosts', async () => {
    const bench = new Bench()
    const queue = queueOf({ hosts: 2 })
    for (const host of ['a', 'b', 'c', 'a']) await queue.add(host, bench.task(host + bench.running.length))
    expect(bench.running).toEqual(['a0', 'b1', 'a2'])
    await bench.end('b1')
    expect(bench.running).toEqual(['a0', 'a2', 'c2'])
  })

  test('runs no more than so many tasks', async () => {
    const bench = new Bench()
    const queue = queueOf({ concurrency: 2 })
    for (const host of ['a', 'b', 'c']) await queue.add(host, bench.task(host))
    expect(bench.running).toEqual(['a', 'b'])
    await bench.end('a')
    expect(bench.running).toEqual(['b', 'c'])
  })

  test('makes its caller wait when many wait', async () => {
    const bench = new Bench()
    const queue = queueOf({ perHost: 1, waiting: 1 })
    await queue.add('a', bench.task('a1'))
    await queue.add('a', bench.task('a2'))
    let taken = false
    const third = queue.add('a', bench.task('a3')).then(() => {
      taken = true
    })
    await turn()
    expect(taken).toBe(false)
    await bench.end('a1')
    await third
    for (const name of ['a2', 'a3']) await bench.end(name)
    await queue.idle()
    expect(bench.ended).toEqual(['a1', 'a2', 'a3'])
  })

  test('forgets what waits, and is idle when the rest has ended', async () => {
    const bench = new Bench()
    const queue = queueOf({ perHost: 1 })
    for (const name of ['a1', 'a2']) await queue.add('a', bench.task(name))
    queue.clear()
    const idle = queue.idle()
    await bench.end('a1')
    await idle
    expect(bench.ended).toEqual(['a1'])
  })
})
