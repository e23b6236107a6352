/** A process of its own: loads meetups and rsvps in bulk and ends the load, telling how far it is, until it is killed. */
import { createSqliteStore } from '../../runtime/storage/sqlite/index.ts'
import { batchOf, collections } from './app.ts'
import { loadOperation } from './load.ts'

const [path, size] = process.argv.slice(2) as [string, string]
const store = createSqliteStore(path)
store.use(collections)
console.log(await store.bulk!.begin())
for (let n = 0; n < Number(size); n += 100) {
  await store.apply(batchOf(...Array.from({ length: 100 }, (_, i) => loadOperation(n + i))))
  console.log(n)
}
await store.bulk!.end()
console.log('ended')
await store.close()
console.log('closed')
