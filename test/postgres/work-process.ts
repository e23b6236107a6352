/** A process of an index on Postgres that does one thing until it is killed. */
import { app } from '../../fixtures/apps/calendar/src/lexidex/index.ts'
import { createIndexer, type IndexerOptions } from '../../runtime/indexer.ts'
import { createPostgresStore } from '../../runtime/storage/postgres/index.ts'

/** What such a process is told, as JSON. */
export interface Orders {
  readonly url: string
  readonly work: 'migrate' | 'follow' | 'backfill'
  readonly options: IndexerOptions
}

const { url, work, options } = JSON.parse(process.argv[2]!) as Orders
// Whoever has started it may be killed as well; it must not go on for ever then.
process.stdin.on('end', () => process.exit()).resume()
const logger = { log: (text: string) => console.log(text), warn: () => {}, error: console.error }
const indexer = createIndexer(app, createPostgresStore(url, { logger, connections: 4 }), { ...options, logger })
await indexer.migrate()
console.log('ready')
if (work === 'follow') await indexer.runPersistent({ flushIntervalMs: 5, backfill: false })
if (work === 'backfill') await indexer.backfill({ concurrency: 3, didsPerPds: 20, claimMs: 3000 })
console.log('done')
await indexer.close()
process.exit()
