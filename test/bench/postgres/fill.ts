import { app } from '../../../fixtures/apps/calendar/src/lexidex/index.ts'
import { createAdmission } from '../../../runtime/admission/admit.ts'
import type { Operation } from '../../../runtime/core/operation.ts'
import { makeTid } from '../../../runtime/core/tid.ts'
import type { Store } from '../../../runtime/storage/store.ts'
import { calendarRecords } from '../calendar.ts'

const BATCH = 5000
/** How many records and accounts are asked for in turns. */
const SAMPLE = 200

/** What there is to ask for. */
export interface Filled {
  /** Of events. */
  readonly uris: readonly string[]
  readonly dids: readonly string[]
}

export interface Size {
  readonly events: number
  readonly rsvps: number
  readonly hottest: number
}

/** Fills an empty database. */
export async function fill(store: Store, size: Size): Promise<Filled> {
  const { collections, schemas } = app
  await store.migrate(app.migrations[store.dialect]!)
  await store.use(collections)
  const admission = createAdmission({ collections, schemas })
  let operations: Operation[] = []
  const flush = async () => {
    await store.apply({ operations, positions: [], now: Date.now() })
    operations = []
  }
  for (const { written, timeUs } of calendarRecords(size)) {
    const { did, collection, rkey, cid, record } = written
    const rev = makeTid(timeUs)
    const operation = admission.admit({ kind: 'put', did, collection, rkey, rev, cid, record })
    if (operation?.op !== 'put') throw new Error(`Not admitted: ${JSON.stringify(operation)}`)
    operations.push(operation)
    if (operations.length === BATCH) await flush()
  }
  await flush()
  const uris = await store.db.selectFrom('event').select('uri as value').execute()
  const dids = await store.db.selectFrom('lexidex_account').select('did as value').execute()
  // As after a backfill: else lists of an account would have it fetched first.
  const jobs = dids.flatMap(({ value: did }) =>
    collections.map(({ nsid: collection }) => ({ did, collection, status: 'completed', updated_at: 0 })),
  )
  for (let i = 0; i < jobs.length; i += BATCH) {
    const part = jobs.slice(i, i + BATCH)
    const insert = store.db.insertInto('lexidex_job').values(part)
    await insert
      .onConflict((conflict) => conflict.columns(['did', 'collection']).doUpdateSet({ status: 'completed' }))
      .execute()
  }
  return { uris: sample(uris), dids: sample(dids) }
}

/** Some of them, in an order that is neither that of the table nor of an index. */
function sample(rows: readonly { value?: unknown }[]): string[] {
  return Array.from({ length: SAMPLE }, (_, i) => String(rows[(i * 7919) % rows.length]!.value))
}
