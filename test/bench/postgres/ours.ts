/** The calendar app on Postgres: from a socket, from PDSes, and to whoever asks. */
import { serve } from 'lexidex/node'
import { createPostgresStore } from 'lexidex/postgres'
import pg from 'pg'
import { createIndexer } from '../../../fixtures/apps/calendar/src/lexidex/index.ts'
import type { Services } from '../backfill/network.ts'
import { offer, preciseNow } from '../rpc.ts'
import { type Filled, fill, type Size } from './fill.ts'
import { readTotals, type Totals } from './totals.ts'

const POLL_MS = 5
const logger = { log: () => {}, warn: console.warn, error: console.error }

const methods = {
  /** Follows the stream of `host` until the position `lastCursor` is durable, and every event before it with it. */
  async follow(host: string, url: string, lastCursor: string): Promise<Followed> {
    const indexer = createIndexer(createPostgresStore(url, { logger }), {
      jetstreams: [`ws://${host}`],
      plc: `http://${host}`,
      allowHosts: [host],
      logger,
    })
    await indexer.migrate()
    const look = new pg.Client(url)
    await look.connect()
    const stop = new AbortController()
    const cpu = process.cpuUsage()
    const running = indexer.runPersistent({ signal: stop.signal, backfill: false })
    let appliedAt = 0
    while (appliedAt === 0) {
      const { rows } = await look.query('SELECT cursor FROM lexidex_cursor')
      if (rows[0]?.cursor === lastCursor) appliedAt = preciseNow()
      else await Promise.race([running, new Promise((resolve) => setTimeout(resolve, POLL_MS))])
    }
    const { user, system } = process.cpuUsage(cpu)
    stop.abort()
    await running
    const totals = await readTotals(look)
    await look.end()
    await indexer.close()
    return { appliedAt, totals, cpuSeconds: (user + system) / 1e6 }
  },
  /** Discovers and backfills everything; the load has ended, counted and indexed when this resolves. */
  async backfill({ jetstream, relay, plc, hosts }: Services, url: string): Promise<Fetched> {
    const options = { jetstreams: [jetstream], relays: [relay], plc, allowHosts: hosts, logger }
    const indexer = createIndexer(createPostgresStore(url, { logger }), options)
    await indexer.migrate()
    const cpu = process.cpuUsage()
    const startedAt = performance.now()
    const { backfilled } = await indexer.backfillAll({ concurrency: 100 })
    const seconds = (performance.now() - startedAt) / 1000
    const { user, system } = process.cpuUsage(cpu)
    await indexer.close()
    return { seconds, cpuSeconds: (user + system) / 1e6, records: backfilled.records, failed: backfilled.failed }
  },
  async fill(url: string, size: Size): Promise<Filled> {
    const store = createPostgresStore(url, { logger })
    const filled = await fill(store, size)
    await store.pool.query('VACUUM ANALYZE')
    await store.close()
    return filled
  },
  async listen(url: string): Promise<string> {
    const indexer = createIndexer(createPostgresStore(url, { logger }), { cache: { maxBytes: 0 }, logger })
    await indexer.migrate()
    return (await serve(indexer, { port: 0 })).url
  },
  /** CPU time of the process since it began, in µs. */
  cpu() {
    const { user, system } = process.cpuUsage()
    return user + system
  },
}

export interface Followed {
  /** ms since 1970 */
  readonly appliedAt: number
  readonly totals: Totals
  readonly cpuSeconds: number
}

export interface Fetched {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly records: number
  readonly failed: number
}

export type Ours = typeof methods

offer(methods)
