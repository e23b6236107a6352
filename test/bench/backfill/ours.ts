/** The calendar app, which fetches a whole network into a SQLite file, as `lexidex backfill` does. */
import { createSqliteStore } from 'lexidex/sqlite'
import { createIndexer } from '../../../fixtures/apps/calendar/src/lexidex/index.ts'
import { keepHeapSmall } from '../../../generator/cli/heap.ts'
import { offer } from '../rpc.ts'
import type { Services } from './network.ts'

const methods = {
  /** Discovers and backfills everything; the load has ended, counted and indexed when this resolves. */
  async backfill(services: Services, database: string, concurrency: number): Promise<Fetched> {
    keepHeapSmall()
    const { jetstream, relay, plc, hosts } = services
    const indexer = createIndexer(createSqliteStore(database), {
      jetstreams: [jetstream],
      relays: [relay],
      plc,
      allowHosts: hosts,
      logger: { log: () => {}, warn: console.warn, error: console.error },
    })
    await indexer.migrate()
    const cpu = process.cpuUsage()
    const startedAt = performance.now()
    const { backfilled } = await indexer.backfillAll({ concurrency })
    const seconds = (performance.now() - startedAt) / 1000
    const { user, system } = process.cpuUsage(cpu)
    const lost = await indexer.db
      .selectFrom('lexidex_job')
      .select((eb) => eb.fn.count<number>('did').distinct().as('accounts'))
      .where('status', '!=', 'completed')
      .executeTakeFirstOrThrow()
    const { backfill } = await indexer.status()
    for (const { collection, lastError } of backfill) if (lastError !== null) console.error(collection, lastError)
    await indexer.close()
    return { seconds, cpuSeconds: (user + system) / 1e6, records: backfilled.records, lost: Number(lost.accounts) }
  },
}

export interface Fetched {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly records: number
  /** Accounts of which something could not be had. */
  readonly lost: number
}

export type Ours = typeof methods

offer(methods)
