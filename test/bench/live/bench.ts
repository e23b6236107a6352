import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Bench, BenchOptions, Cell, Table } from '../report.ts'
import { median } from '../report.ts'
import { startChild } from '../rpc.ts'
import { withScratch } from '../scratch.ts'
import { writeLog } from './log.ts'
import type { LogServer } from './log-server.ts'
import type { Followed, Ours } from './ours.ts'
import type { Applied, Raw } from './raw.ts'

/** Frames of each log, and how often it is run. Multiples of a batch, so that no run ends with a wait. */
const SIZES = [
  { frames: 20_000, turns: 3 },
  { frames: 100_000, turns: 3 },
  { frames: 400_000, turns: 1 },
]
const QUICK_SIZES = [{ frames: 20_000, turns: 3 }]

/** Live apply on SQLite: from a socket to durable, beside the same writes by hand. */
export const liveBench: Bench = {
  name: 'live',
  summary: 'events/s from a Jetstream into SQLite, beside prepared statements in a loop',
  async run(options) {
    const rows: Record<string, Cell>[] = []
    for (const size of options.quick ? QUICK_SIZES : SIZES) rows.push(await runSize(size, options))
    return [table(rows)]
  },
}

function table(rows: Record<string, Cell>[]): Table {
  return {
    title: 'Live apply, SQLite: calendar log (10 % events, 85 % RSVPs, 5 % updates and deletions)',
    rows,
    notes: [
      'lexidex: first frame sent to last position durable (socket, decoding, validation, batches of 500).',
      'raw: the same schema and guards, rows parsed beforehand, prepared statements, transactions of 500.',
      'A ratio above 1: while it is behind, lexidex makes one transaction of several batches, and writes fewer pages.',
      'max RSS: pages of the database that are mapped into memory included, up to 256 MB a connection.',
      'turn: of the event loop that reads the socket and serves, in CPU time of its thread.',
      'delay: how late its timers are, with all else that the machine does.',
      'Medians where there are several turns. CPU: seconds of the process, its garbage collector included.',
    ],
  }
}

async function runSize({ frames, turns }: (typeof SIZES)[number], { progress }: BenchOptions) {
  return withScratch(async (directory) => {
    progress(`live: writing a log of ${frames} frames`)
    const file = path.join(directory, 'log.jsonl')
    const lastCursor = await writeLog(file, frames)
    const ours: (Followed & { seconds: number })[] = []
    const raw: Applied[] = []
    for (let turn = 0; turn < turns; turn++) {
      progress(`live: ${frames} frames, turn ${turn + 1} of ${turns}`)
      ours.push(await runOurs(file, path.join(directory, `ours-${turn}.sqlite`), lastCursor))
      raw.push(await runRaw(file, path.join(directory, `raw-${turn}.sqlite`)))
      const [mine, hand] = [ours.at(-1)!.totals, raw.at(-1)!.totals]
      if (!isDeepStrictEqual(mine, hand) || mine.counted !== mine.recounted) {
        throw new Error(`The totals differ: lexidex ${JSON.stringify(mine)}, raw ${JSON.stringify(hand)}`)
      }
    }
    const oursPerSecond = frames / median(ours.map(({ seconds }) => seconds))
    const rawPerSecond = frames / median(raw.map(({ seconds }) => seconds))
    return {
      frames,
      'lexidex events/s': Math.round(oursPerSecond),
      'raw events/s': Math.round(rawPerSecond),
      ratio: oursPerSecond / rawPerSecond,
      'lexidex CPU s': median(ours.map(({ cpuSeconds }) => cpuSeconds)),
      'raw CPU s': median(raw.map(({ cpuSeconds }) => cpuSeconds)),
      'max RSS MB': Math.round(Math.max(...ours.map(({ maxRssMb }) => maxRssMb))),
      'p99 turn ms': median(ours.map(({ turns }) => turns.p99Ms)),
      'longest turn ms': median(ours.map(({ turns }) => turns.maxMs)),
      'p99 delay ms': Math.round(median(ours.map(({ delayP99Ms }) => delayP99Ms))),
      'longest delay ms': Math.round(Math.max(...ours.map(({ longestDelayMs }) => longestDelayMs))),
    }
  })
}

async function runOurs(file: string, database: string, lastCursor: string): Promise<Followed & { seconds: number }> {
  const server = startChild<LogServer>('live/log-server.ts')
  const indexer = startChild<Ours>('live/ours.ts')
  try {
    const host = await server.call.start(file)
    const followed = await indexer.call.follow(host, database, lastCursor)
    const { firstFrameAt, connections } = await server.call.sent()
    if (connections !== 1) throw new Error(`The indexer connected ${connections} times: the figure means nothing`)
    return { ...followed, seconds: (followed.appliedAt - firstFrameAt!) / 1000 }
  } finally {
    await Promise.all([server.close(), indexer.close()])
  }
}

async function runRaw(file: string, database: string): Promise<Applied> {
  const raw = startChild<Raw>('live/raw.ts')
  try {
    return await raw.call.apply(file, database)
  } finally {
    await raw.close()
  }
}
