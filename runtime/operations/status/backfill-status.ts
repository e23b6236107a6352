import { bookkeeping, type OperationContext } from '../context.ts'

/** One relay's listing of one collection. */
export interface ListingStatus {
  readonly relay: string
  /** NSID. */
  readonly collection: string
  readonly completed: boolean
  /** Why the last walk did not get to the end. */
  readonly error: string | null
}

/** How far the history of one collection has been fetched, in jobs: one for each account. */
export interface BackfillStatus {
  /** NSID. */
  readonly collection: string
  readonly completed: number
  /** Never failed so far. */
  readonly pending: number
  /** Failed for now, and due again later. */
  readonly retrying: number
  /** Given up. */
  readonly failed: number
  /** Why the last one of those that are not completed failed. */
  readonly lastError: string | null
}

/** Every listing of accounts that was ever begun. */
export async function listingStatus({ store }: OperationContext): Promise<readonly ListingStatus[]> {
  const rows = await bookkeeping(store)
    .selectFrom('lexidex_discovery')
    .select(['relay', 'collection', 'completed', 'last_error as error'])
    .orderBy('relay')
    .orderBy('collection')
    .execute()
  return rows.map((row) => ({ ...row, completed: row.completed === 1 }))
}

/** Of every collection of the app. */
export async function backfillStatus(context: OperationContext): Promise<readonly BackfillStatus[]> {
  const jobs = await jobCounts(context)
  const backfill: BackfillStatus[] = []
  for (const { nsid } of context.collections) {
    const counts = jobs.get(nsid) ?? NONE
    backfill.push({ collection: nsid, ...counts, lastError: await lastError(context, nsid) })
  }
  return backfill
}

type JobCounts = Pick<BackfillStatus, 'completed' | 'pending' | 'retrying' | 'failed'>

const NONE: JobCounts = { completed: 0, pending: 0, retrying: 0, failed: 0 }

async function jobCounts({ store }: OperationContext): Promise<ReadonlyMap<string, JobCounts>> {
  const rows = await bookkeeping(store)
    .selectFrom('lexidex_job')
    .select((eb) => [
      'collection',
      'status',
      eb.fn.countAll<number | string>().as('jobs'),
      eb.fn.sum<number | string>(eb.case().when('attempts', '>', 0).then(1).else(0).end()).as('failedOnce'),
    ])
    .groupBy(['collection', 'status'])
    .execute()
  const counts = new Map<string, JobCounts>()
  for (const { collection, status, jobs, failedOnce } of rows) {
    const retrying = Number(failedOnce)
    const found = status === 'pending' ? { pending: Number(jobs) - retrying, retrying } : { [status]: Number(jobs) }
    counts.set(collection, { ...(counts.get(collection) ?? NONE), ...found })
  }
  return counts
}

async function lastError({ store }: OperationContext, collection: string): Promise<string | null> {
  const row = await bookkeeping(store)
    .selectFrom('lexidex_job')
    .select('last_error')
    .where('status', 'in', ['pending', 'failed'])
    .where('collection', '=', collection)
    .where('last_error', 'is not', null)
    .orderBy('updated_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.last_error ?? null
}
