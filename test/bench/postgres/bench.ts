import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import pg from 'pg'
import { startPostgres } from '../../postgres/server.ts'
import type { NetworkProcess } from '../backfill/network.ts'
import { writeLog } from '../live/log.ts'
import type { LogServer } from '../live/log-server.ts'
import type { Bench, BenchOptions, Cell } from '../report.ts'
import { median } from '../report.ts'
import { startChild } from '../rpc.ts'
import { withScratch } from '../scratch.ts'
import type { Ours } from './ours.ts'
import type { Raw } from './raw.ts'
import { measureReads } from './reads.ts'

const FULL = {
  live: [
    { frames: 20_000, turns: 3 },
    { frames: 100_000, turns: 2 },
  ],
  backfill: { accounts: 2000, records: 200_000 },
  reads: { events: 50_000, rsvps: 500_000, hottest: 22_000 },
  seconds: 4,
}
const QUICK: typeof FULL = {
  live: [{ frames: 20_000, turns: 2 }],
  backfill: { accounts: 500, records: 50_000 },
  reads: { events: 25_000, rsvps: 50_000, hottest: 2200 },
  seconds: 1.5,
}

/** Everything that is measured on SQLite, on a Postgres of its own. */
export const postgresBench: Bench = {
  name: 'postgres',
  summary: 'live apply, backfill and reads on Postgres, each beside the same by hand',
  async run(options) {
    const size = options.quick ? QUICK : FULL
    options.progress('postgres: starting a server')
    const server = await startPostgres()
    const databases = new Databases(server.url)
    try {
      const live: Record<string, Cell>[] = []
      for (const { frames, turns } of size.live) live.push(await runLive(databases, frames, turns, options))
      const backfill = await runBackfill(databases, size.backfill, options)
      return [
        {
          title: 'Live apply, Postgres: calendar log (10 % events, 85 % RSVPs, 5 % updates and deletions)',
          rows: live,
          notes: [
            'lexidex: first frame sent to last position durable (socket, decoding, validation, batches of 500).',
            'raw: the same schema and triggers, rows parsed beforehand, UNNEST of 500 rows, one connection.',
            'The server flushes nothing to disk (fsync = off), and shares the cores with all of it.',
          ],
        },
        {
          title: 'Backfill, Postgres: a calendar network of 10 PDSes on loopback',
          rows: [backfill],
          notes: [
            'lexidex: discovery, listings or archives, validation, bulk load, and its end: indexes, counts, words.',
            'raw: the same rows, ready in memory, by COPY, and the same end.',
          ],
        },
        await runReads(databases, size, options),
      ]
    } finally {
      await server.stop()
    }
  },
}

/** New databases of one server. */
class Databases {
  readonly #url: string
  #count = 0

  constructor(url: string) {
    this.#url = url
  }

  async create(): Promise<string> {
    const name = `bench_${++this.#count}`
    const admin = new pg.Client(this.#url)
    await admin.connect()
    await admin.query(`CREATE DATABASE ${name}`)
    await admin.end()
    return Object.assign(new URL(this.#url), { pathname: `/${name}` }).href
  }
}

function runLive(databases: Databases, frames: number, turns: number, { progress }: BenchOptions) {
  return withScratch(async (directory) => {
    const file = path.join(directory, 'log.jsonl')
    const lastCursor = await writeLog(file, frames)
    const seconds = { ours: [] as number[], raw: [] as number[], cpu: [] as number[] }
    for (let turn = 0; turn < turns; turn++) {
      progress(`postgres: ${frames} frames, turn ${turn + 1} of ${turns}`)
      const log = startChild<LogServer>('live/log-server.ts')
      const ours = startChild<Ours>('postgres/ours.ts')
      const raw = startChild<Raw>('postgres/raw.ts')
      try {
        const followed = await ours.call.follow(await log.call.start(file), await databases.create(), lastCursor)
        const { firstFrameAt } = await log.call.sent()
        const applied = await raw.call.apply(file, await databases.create())
        const { totals } = followed
        if (!isDeepStrictEqual(totals, applied.totals) || totals.counted !== totals.recounted) {
          throw new Error(`The totals differ: ${JSON.stringify([totals, applied.totals])}`)
        }
        seconds.ours.push((followed.appliedAt - firstFrameAt!) / 1000)
        seconds.raw.push(applied.seconds)
        seconds.cpu.push(followed.cpuSeconds)
      } finally {
        await Promise.all([log.close(), ours.close(), raw.close()])
      }
    }
    const [mine, hand] = [frames / median(seconds.ours), frames / median(seconds.raw)]
    return {
      frames,
      'lexidex events/s': Math.round(mine),
      'raw events/s': Math.round(hand),
      ratio: mine / hand,
      'lexidex CPU s': median(seconds.cpu),
    }
  })
}

async function runBackfill(databases: Databases, size: typeof FULL.backfill, { progress }: BenchOptions) {
  progress(`postgres: a network of ${size.accounts} accounts`)
  const network = startChild<NetworkProcess>('backfill/network.ts')
  const ours = startChild<Ours>('postgres/ours.ts')
  const raw = startChild<Raw>('postgres/raw.ts')
  try {
    const services = await network.call.start(size)
    const filled = await databases.create()
    const { seconds, cpuSeconds, records, failed } = await ours.call.backfill(services, filled)
    if (records !== services.held || failed > 0)
      throw new Error(`${records} of ${services.held} records, ${failed} failed`)
    await network.close()
    const loaded = await raw.call.load(filled, await databases.create())
    const [mine, hand] = [records / seconds, records / loaded.seconds]
    return {
      accounts: size.accounts,
      records,
      'lexidex records/s': Math.round(mine),
      'raw records/s': Math.round(hand),
      ratio: mine / hand,
      'lexidex CPU s': cpuSeconds,
    }
  } finally {
    await Promise.all([network.close(), ours.close(), raw.close()])
  }
}

async function runReads(databases: Databases, { reads, seconds }: typeof FULL, options: BenchOptions) {
  options.progress(`postgres: filling an index of ${reads.events} events and ${reads.rsvps} RSVPs`)
  const url = await databases.create()
  const filler = startChild<Ours>('postgres/ours.ts')
  const filled = await filler.call.fill(url, reads).finally(() => filler.close())
  return {
    title: `Reads, Postgres: ${reads.events} events, ${reads.rsvps} RSVPs, 10 connections`,
    rows: await measureReads(url, filled, seconds, options.progress),
    notes: ['bare: node:http and pg, one prepared statement by hand, the same answers. The server is beside both.'],
  }
}
