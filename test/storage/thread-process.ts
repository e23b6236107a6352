/** A process of its own: writes a record, and neither waits for it nor closes. */
import { createSqliteStore } from '../../runtime/storage/sqlite/index.ts'
import { batchOf, collections, meetup, put } from './app.ts'

const store = createSqliteStore(process.argv[2]!)
store.use(collections)
void store.apply(batchOf(put({ collection: meetup, rev: 1 })))
