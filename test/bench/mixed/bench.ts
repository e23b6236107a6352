import path from 'node:path'
import { writeLog } from '../live/log.ts'
import type { LogServer } from '../live/log-server.ts'
import { fill } from '../reads/bench.ts'
import type { Latencies, LoadGenerator } from '../reads/load.ts'
import { questions } from '../reads/questions.ts'
import type { Bench, Cell } from '../report.ts'
import { type Child, startChild } from '../rpc.ts'
import { withScratch } from '../scratch.ts'
import type { Mixed } from './ours.ts'

const SIZE = { events: 25_000, rsvps: 50_000, hottest: 2200 }
const FRAMES = 150_000
const QUICK_FRAMES = 80_000
/** Requests per second: few enough that what they wait for is the stream, not each other. */
const RATE = 200
const ASKED = ['list 50 events', 'getRecord']

/** Reads from a process that takes in a stream as fast as it can. */
export const mixedBench: Bench = {
  name: 'mixed',
  summary: 'p99 of reads while a Jetstream is taken in flat out, beside the same reads at rest',
  async run({ quick, progress }) {
    const frames = quick ? QUICK_FRAMES : FRAMES
    const seconds = quick ? 2 : 4
    return withScratch(async (directory) => {
      progress('mixed: filling an index and writing a log')
      const database = path.join(directory, 'index.sqlite')
      const filled = await fill(database, SIZE)
      const log = path.join(directory, 'log.jsonl')
      await writeLog(log, frames)
      const stream = startChild<LogServer>('live/log-server.ts')
      const ours = startChild<Mixed>('mixed/ours.ts')
      const load = startChild<LoadGenerator>('reads/load.ts')
      try {
        const url = await ours.call.listen(database, await stream.call.start(log))
        const asked = questions(filled).filter(({ name }) => ASKED.includes(name))
        const rest: Latencies[] = []
        for (const { name, paths } of asked) {
          progress(`mixed: ${name}, at rest`)
          await load.call.run(url, paths, seconds / 2)
          rest.push(await load.call.steady(url, paths, seconds, RATE))
        }
        await ours.call.follow()
        const rows: Record<string, Cell>[] = []
        for (const [i, { name, paths }] of asked.entries()) {
          progress(`mixed: ${name}, with the stream`)
          rows.push(toRow(name, rest[i]!, await withStream(ours, () => load.call.steady(url, paths, seconds, RATE))))
        }
        await ours.call.stop()
        return [
          {
            title: `Reads while a stream is taken in, SQLite: one process, ${RATE} requests/s`,
            rows,
            notes: ['p99 ratio: with the stream, to at rest.'],
          },
        ]
      } finally {
        await Promise.all([stream.close(), ours.close(), load.close()])
      }
    })
  },
}

async function withStream(
  ours: Child<Mixed>,
  work: () => Promise<Latencies>,
): Promise<Latencies & { eventsPerSecond: number }> {
  const before = await ours.call.records()
  const startedAt = performance.now()
  const load = await work()
  const written = (await ours.call.records()) - before
  if (written === 0) throw new Error('The stream was at its end: make its log longer')
  return { ...load, eventsPerSecond: written / ((performance.now() - startedAt) / 1000) }
}

function toRow(name: string, rest: Latencies, busy: Latencies & { eventsPerSecond: number }): Record<string, Cell> {
  return {
    read: name,
    'p99 at rest ms': rest.p99Ms,
    'p99 with stream ms': busy.p99Ms,
    'p99 ratio': busy.p99Ms / rest.p99Ms,
    'max at rest ms': rest.maxMs,
    'max with stream ms': busy.maxMs,
    'new records/s': Math.round(busy.eventsPerSecond),
  }
}
