/**
 * A process of its own: takes a lease as often as it can until its time is up, and notes in a file when it had it.
 * Dies with it now and then, where it is told to.
 */
import { appendFileSync } from 'node:fs'
import { silentLogger } from '../../../runtime/core/log.ts'
import { systemClock } from '../../../runtime/core/time.ts'
import { takeLease } from '../../../runtime/operations/runs/leases.ts'
import { createSqliteStore } from '../../../runtime/storage/sqlite/index.ts'

const [path, notes, name, lasts] = process.argv.slice(2) as [string, string, string, string]
const store = createSqliteStore(path)
const context = { store, clock: systemClock, logger: silentLogger } as never
const note = (what: string) => appendFileSync(notes, `${what} ${name}\n`)
const until = Date.now() + Number(lasts)
let taken = 0
while (Date.now() < until) {
  const lease = await takeLease(context, 'one')
  if (lease === null) continue
  note('has')
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 5))
  note('gives')
  await lease.release()
  taken++
}
await store.close()
console.log(taken)
