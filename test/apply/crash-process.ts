/** A process that follows a stream of its own making from the position that is durable, until it is killed, or done where it may be. */
import { createAdmission } from '../../runtime/admission/admit.ts'
import { createApplier } from '../../runtime/apply/applier.ts'
import { createSqliteStore } from '../../runtime/storage/sqlite/index.ts'
import { collections } from '../storage/app.ts'
import { rowsOf } from '../storage/harness.ts'
import { streamItem } from './stream.ts'

const [path, length, fate] = process.argv.slice(2) as [string, string, 'to be killed' | 'to finish']
const store = createSqliteStore(path)
store.use(collections)
const applier = createApplier({
  store,
  admission: createAdmission({ collections, schemas: [] }),
  batchSize: 7,
  flushIntervalMs: 3,
})
const [saved] = await rowsOf(store, 'lexidex_cursor', 'source')
for (let n = Number(saved?.cursor ?? 0) + 1; n <= Number(length); n++) {
  await applier.push(streamItem(n))
  if (n % 20 === 0) console.log(n)
  if (n % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
}
if (fate === 'to be killed') {
  // A slow machine must not let it get away.
  await new Promise((resolve) => setTimeout(resolve, 60_000))
}
await applier.close()
await store.close()
console.log('done')
