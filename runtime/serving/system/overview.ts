import { sql } from 'kysely'
import type { App } from '../../app.ts'
import type { Clock } from '../../core/time.ts'
import type { Store } from '../../storage/store.ts'
import { remembered } from './status.ts'

/** What `{ns}.getOverview` answers. */
export interface Overview {
  readonly total_records: number
  readonly collections: readonly {
    /** NSID. */
    readonly collection: string
    readonly records: number
    readonly unique_users: number
  }[]
}

/** Counts all records and accounts of each collection, at most for a hundredth of the time: numbers may be old. */
export function createOverview(app: App, store: Store, clock?: Clock): () => Promise<Overview> {
  const { db } = store
  return remembered(async () => {
    const collections = []
    for (const { nsid, table } of app.collections) {
      const [row] = await db
        .selectFrom(table)
        .select([sql`count(*)`.as('records'), sql`count(distinct did)`.as('users')])
        .execute()
      collections.push({ collection: nsid, records: Number(row!.records), unique_users: Number(row!.users) })
    }
    return { total_records: collections.reduce((sum, { records }) => sum + records, 0), collections }
  }, clock)
}
