/** A process of its own: migrates a database at a given moment, writes one record, and says what it applied. */
import { createSqliteStore } from '../../runtime/storage/sqlite/index.ts'
import { batchOf, collections, did, initOf, meetup, put } from './app.ts'

const [path, name, startAt] = process.argv.slice(2) as [string, string, string]
// Spins rather than sleeps, so that all processes open the file in the same millisecond.
while (Date.now() < Number(startAt)) {}

const store = createSqliteStore(path)
const second = { name: '0002_more', statements: ['CREATE TABLE more (id INTEGER)', 'INSERT INTO more VALUES (1)'] }
const applied = store.migrate([initOf('sqlite'), second])
store.use(collections)
await store.apply(batchOf(put({ collection: meetup, rev: 1, did: did(name) })))
await store.close()
console.log(JSON.stringify(applied))
