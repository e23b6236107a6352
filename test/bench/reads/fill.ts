/** Fills an index to read from. */
import { createSqliteStore } from 'lexidex/sqlite'
import { app } from '../../../fixtures/apps/calendar/src/lexidex/index.ts'
import { createAdmission } from '../../../runtime/admission/admit.ts'
import type { Operation } from '../../../runtime/core/operation.ts'
import { makeTid } from '../../../runtime/core/tid.ts'
import { calendarRecords } from '../calendar.ts'
import { offer } from '../rpc.ts'

const BATCH = 5000
/** How many records and accounts are asked for in turns. */
const SAMPLE = 200

const methods = {
  /** @returns what there is to ask for */
  async fill(database: string, size: { events: number; rsvps: number; hottest: number }): Promise<Filled> {
    const store = createSqliteStore(database)
    const { collections, schemas } = app
    store.migrate(app.migrations.sqlite!)
    store.use(collections)
    const admission = createAdmission({ collections, schemas })
    let operations: Operation[] = []
    let hottest: string | undefined
    const flush = async () => {
      await store.apply({ operations, positions: [], now: Date.now() })
      operations = []
    }
    for (const { written, timeUs } of calendarRecords(size)) {
      const { did, collection, rkey, cid, record, uri } = written
      hottest ??= uri
      const rev = makeTid(timeUs)
      const operation = admission.admit({ kind: 'put', did, collection, rkey, rev, cid, record })
      if (operation?.op !== 'put') throw new Error(`Not admitted: ${JSON.stringify(operation)}`)
      operations.push(operation)
      if (operations.length === BATCH) await flush()
    }
    await flush()
    // As after a backfill: else lists of an account would have it fetched first.
    for (const { nsid } of collections) {
      store.database
        .prepare(
          `INSERT OR REPLACE INTO lexidex_job (did, collection, status, updated_at) SELECT did, ?, 'completed', 0 FROM lexidex_account`,
        )
        .run(nsid)
    }
    const sample = (sql: string) =>
      store.database
        .prepare(sql)
        .all(SAMPLE)
        .map((row) => String(row.value))
    // In an order that is neither that of the table nor of an index.
    const uris = sample('SELECT uri AS value FROM event ORDER BY rkey * 7919 % 10007, substr(uri, 20) LIMIT ?')
    const dids = sample('SELECT did AS value FROM lexidex_account ORDER BY substr(did, 12) LIMIT ?')
    const middle =
      'SELECT starts_at AS value FROM event ORDER BY starts_at LIMIT 1 OFFSET (SELECT count(starts_at) / 2 FROM event)'
    const [startsAt] = store.database.prepare(middle).all()
    await store.close()
    return { uris, dids, hottest: hottest!, startsAt: new Date(Number(startsAt!.value) / 1000).toISOString() }
  },
}

export interface Filled {
  /** Of events. */
  readonly uris: readonly string[]
  readonly dids: readonly string[]
  /** URI of the event with the most RSVPs. */
  readonly hottest: string
  /** Half of the events start later; ISO 8601. */
  readonly startsAt: string
}

export type Filler = typeof methods

offer(methods)
