/** A process that backfills into a file, and is killed at some point. */
import { app } from '../../../fixtures/apps/calendar/src/lexidex/index.ts'
import { silentLogger } from '../../../runtime/core/log.ts'
import { createIndexer } from '../../../runtime/indexer.ts'
import { createSqliteStore } from '../../../runtime/storage/sqlite/index.ts'

const [path, options] = process.argv.slice(2) as [string, string]
const indexer = createIndexer(app, createSqliteStore(path), { ...JSON.parse(options), logger: silentLogger })
await indexer.migrate()
await indexer.performBackfill({ concurrency: 2 })
await indexer.close()
