/** The calendar app, from a socket into a SQLite file. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createSqliteStore } from 'lexidex/sqlite'
import { createIndexer } from '../../../fixtures/apps/calendar/src/lexidex/index.ts'
import { offer, preciseNow } from '../rpc.ts'
import { type Turns, watchTurns } from '../turns.ts'
import { readTotals, type Totals } from './totals.ts'

const POLL_MS = 5

const methods = {
  /**
   * Follows the stream of `host` into a new database until the position `lastCursor` is durable, and every event before
   * it with it.
   */
  async follow(host: string, database: string, lastCursor: string): Promise<Followed> {
    const store = createSqliteStore(database)
    const logger = { log: () => {}, warn: console.warn, error: console.error }
    const indexer = createIndexer(store, {
      jetstreams: [`ws://${host}`],
      plc: `http://${host}`,
      allowHosts: [host],
      logger,
    })
    await indexer.migrate()
    const position = store.database.prepare('SELECT cursor FROM lexidex_cursor')
    const stop = new AbortController()
    const delay = monitorEventLoopDelay({ resolution: 5 })
    const cpu = process.cpuUsage()
    delay.enable()
    const watched = watchTurns()
    const running = indexer.runPersistent({ signal: stop.signal })
    const appliedAt = await new Promise<number>((resolve, reject) => {
      running.catch(reject)
      const timer = setInterval(() => {
        if (position.get()?.cursor !== lastCursor) return
        clearInterval(timer)
        resolve(preciseNow())
      }, POLL_MS)
    })
    delay.disable()
    const turns = watched.end()
    const maxRssMb = process.resourceUsage().maxRSS / 1024
    const { user, system } = process.cpuUsage(cpu)
    stop.abort()
    await running
    const totals = readTotals(store.database)
    await indexer.close()
    return {
      appliedAt,
      totals,
      cpuSeconds: (user + system) / 1e6,
      maxRssMb,
      delayP99Ms: delay.percentile(99) / 1e6,
      longestDelayMs: delay.max / 1e6,
      turns,
    }
  },
}

export interface Followed {
  /** ms since 1970 */
  readonly appliedAt: number
  readonly totals: Totals
  readonly cpuSeconds: number
  readonly maxRssMb: number
  readonly delayP99Ms: number
  readonly longestDelayMs: number
  readonly turns: Turns
}

export type Ours = typeof methods

offer(methods)
