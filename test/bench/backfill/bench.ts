import path from 'node:path'
import type { Bench, BenchOptions, Cell } from '../report.ts'
import { startChild } from '../rpc.ts'
import { withScratch } from '../scratch.ts'
import { watchMemory } from './memory.ts'
import type { NetworkProcess, NetworkSize } from './network.ts'
import type { Ours } from './ours.ts'
import type { Raw } from './raw.ts'

/** `concurrency`: accounts at a time, each size once for every one of them. */
const SIZES = [
  { accounts: 2000, records: 200_000, concurrency: [100] },
  { accounts: 5000, records: 550_000, concurrency: [20, 500] },
]
const QUICK_SIZES = [{ accounts: 500, records: 50_000, concurrency: [100] }]

/** Backfill into SQLite: from nothing to an index of everything that a network on loopback holds. */
export const backfillBench: Bench = {
  name: 'backfill',
  summary: 'records/s from PDSes into SQLite, beside a bulk load of rows that are ready; memory, accounts lost',
  async run(options) {
    const rows: Record<string, Cell>[] = []
    for (const { concurrency, ...size } of options.quick ? QUICK_SIZES : SIZES) {
      for (const accounts of concurrency) rows.push(await runSize(size, accounts, options))
    }
    return [
      {
        title: 'Backfill, SQLite: a calendar network of 10 PDSes on loopback',
        rows,
        notes: [
          'lexidex: discovery, listings or archives, validation, bulk load, and its end: indexes, counts, words.',
          'raw: the same rows, ready in memory, in a bulk load by hand, in transactions of 1000, and the same end.',
          'The network answers on the same cores, from archives that it has made beforehand.',
          'anonymous: what no file stands behind. RSS: pages of the database that are mapped included.',
          'at a time: accounts; on one host three. lost: accounts of which anything could not be had.',
        ],
      },
    ]
  },
}

async function runSize(
  size: NetworkSize,
  concurrency: number,
  { progress }: BenchOptions,
): Promise<Record<string, Cell>> {
  return withScratch(async (directory) => {
    const [mine, hand] = [path.join(directory, 'ours.sqlite'), path.join(directory, 'raw.sqlite')]
    const network = startChild<NetworkProcess>('backfill/network.ts')
    const ours = startChild<Ours>('backfill/ours.ts')
    const raw = startChild<Raw>('backfill/raw.ts')
    try {
      progress(`backfill: a network of ${size.accounts} accounts`)
      const services = await network.call.start(size)
      progress(`backfill: ${services.held} records, ${concurrency} accounts at a time`)
      const { result, peak } = await watchMemory(ours.pid, () => ours.call.backfill(services, mine, concurrency))
      if (result.records !== services.held && result.lost === 0) {
        throw new Error(`The network holds ${services.held} records and ${result.records} were fetched`)
      }
      await Promise.all([network.close(), ours.close()])
      progress('backfill: the same rows by hand')
      const { seconds } = await raw.call.load(mine, hand)
      const [oursPerSecond, rawPerSecond] = [services.held / result.seconds, services.held / seconds]
      return {
        accounts: size.accounts,
        records: services.held,
        'at a time': concurrency,
        'lexidex records/s': Math.round(oursPerSecond),
        'raw records/s': Math.round(rawPerSecond),
        ratio: oursPerSecond / rawPerSecond,
        'lexidex CPU s': result.cpuSeconds,
        'max anonymous MB': peak && Math.round(peak.anonymousMb),
        'max RSS MB': peak && Math.round(peak.rssMb),
        lost: result.lost,
      }
    } finally {
      await Promise.all([network.close(), ours.close(), raw.close()])
    }
  })
}
