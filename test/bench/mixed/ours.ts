/** The calendar app in one process that serves and follows a stream. */
import { serve } from 'lexidex/node'
import { createSqliteStore } from 'lexidex/sqlite'
import { createIndexer } from '../../../fixtures/apps/calendar/src/lexidex/index.ts'
import { offer } from '../rpc.ts'

const stop = new AbortController()
let records: () => number = () => 0
let following: Promise<void> | null = null
let indexer: ReturnType<typeof createIndexer>

const methods = {
  /** @param host of the stream, which is not followed before `follow` */
  async listen(database: string, host: string): Promise<string> {
    const store = createSqliteStore(database)
    const logger = { log: () => {}, warn: console.warn, error: console.error }
    indexer = createIndexer(store, {
      // Else what is measured at rest is its memory.
      cache: { maxBytes: 0 },
      jetstreams: [`ws://${host}`],
      plc: `http://${host}`,
      allowHosts: [host],
      logger,
    })
    await indexer.migrate()
    const newest = store.database.prepare('SELECT (SELECT max(id) FROM event) + (SELECT max(id) FROM rsvp) AS n')
    records = () => newest.get()!.n as number
    const { url } = await serve(indexer, { port: 0 })
    return url
  },
  follow() {
    following = indexer.runPersistent({ signal: stop.signal })
  },
  /** Records that were written since the database was made. */
  records: () => records(),
  async stop() {
    stop.abort()
    await following
  },
}

export type Mixed = typeof methods

offer(methods)
