/** A process that runs one long cycle on a file, in small batches, until it is killed. */
import { app } from '../../../fixtures/apps/calendar/src/lexidex/index.ts'
import { silentLogger } from '../../../runtime/core/log.ts'
import { createIndexer } from '../../../runtime/indexer.ts'
import { createSqliteStore } from '../../../runtime/storage/sqlite/index.ts'

const [path, jetstream] = process.argv.slice(2) as [string, string]
const options = { jetstreams: [jetstream], relays: [], logger: silentLogger }
const indexer = createIndexer(app, createSqliteStore(path), options)
await indexer.migrate()
await indexer.ingest({ batchSize: 20 })
// A fast machine must not let it get away.
await new Promise((resolve) => setTimeout(resolve, 60_000))
