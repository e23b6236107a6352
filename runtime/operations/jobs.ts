import { sql } from 'kysely'
import type { CollectionDef } from '../core/collection.ts'
import { bookkeeping, type OperationContext } from './context.ts'

/** Rows per INSERT: D1 binds no more than 100 values. */
const ROWS = 25

/** A part of the history that is still to be fetched. */
export interface Job {
  readonly did: string
  /** NSID. */
  readonly collection: string
  readonly cursor: string | null
  readonly records: number
  readonly attempts: number
  readonly due_at: number
}

/** All due jobs of one account, or as many as came together. */
export interface AccountJobs {
  readonly did: string
  readonly jobs: readonly Job[]
}

export async function addAccounts(context: OperationContext, dids: readonly string[]): Promise<void> {
  const now = context.clock.now()
  for (const part of chunks(dids, ROWS)) {
    await bookkeeping(context.store)
      .insertInto('lexidex_account')
      .values(part.map((did) => ({ did, first_seen_at: now })))
      .onConflict((conflict) => conflict.column('did').doNothing())
      .execute()
  }
}

/** Registers a pending job for every account in every collection that has none yet. */
export async function addJobs(
  context: OperationContext,
  dids: readonly string[],
  collections: readonly string[],
): Promise<void> {
  const now = context.clock.now()
  const rows = dids.flatMap((did) => collections.map((collection) => ({ did, collection, updated_at: now })))
  for (const part of chunks(rows, ROWS)) {
    await bookkeeping(context.store)
      .insertInto('lexidex_job')
      .values(part)
      .onConflict((conflict) => conflict.columns(['did', 'collection']).doNothing())
      .execute()
  }
}

/**
 * Jobs that no relay's listing led to: every known account in each dependent collection, which may be newer than the
 * account, and whoever has records in a discovered one, known from the stream alone.
 */
export async function addMissingJobs(context: OperationContext): Promise<void> {
  for (const collection of context.collections) {
    await bookkeeping(context.store)
      .insertInto('lexidex_job')
      .columns(['did', 'collection', 'updated_at'])
      .expression(authorsOf(context, collection))
      .onConflict((conflict) => conflict.columns(['did', 'collection']).doNothing())
      .execute()
  }
}

function authorsOf({ store, clock }: OperationContext, { discover, nsid, table }: CollectionDef) {
  const from = discover ? table : 'lexidex_account'
  return (
    store.db
      .selectFrom(from)
      .distinct()
      .select(['did', sql.lit(nsid).as('collection'), sql.lit(clock.now()).as('updated_at')])
      // SQLite takes the ON of ON CONFLICT for a join's, unless there is a WHERE.
      .where(sql<boolean>`1 = 1`)
  )
}

/** Due jobs, longest due first, page by page; each is given once, those that fall due meanwhile not at all. */
export async function* dueAccounts(context: OperationContext, dueAt: number): AsyncGenerator<AccountJobs, void> {
  const page = 1000
  let last: Job | null = null
  for (;;) {
    let query = bookkeeping(context.store)
      .selectFrom('lexidex_job')
      .select(['did', 'collection', 'cursor', 'records', 'attempts', 'due_at'])
      .where('status', '=', 'pending')
      .where('due_at', '<=', dueAt)
      .orderBy('due_at')
      .orderBy('did')
      .orderBy('collection')
      .limit(page)
    if (last !== null) {
      const { due_at, did, collection } = last
      query = query.where(sql<boolean>`(due_at, did, collection) > (${due_at}, ${did}, ${collection})`)
    }
    const jobs: readonly Job[] = await query.execute()
    yield* groupByAccount(jobs)
    if (jobs.length < page) return
    last = jobs.at(-1)!
  }
}

function groupByAccount(jobs: readonly Job[]): readonly AccountJobs[] {
  const groups: { did: string; jobs: Job[] }[] = []
  for (const job of jobs) {
    const group = groups.at(-1)
    if (group?.did === job.did) group.jobs.push(job)
    else groups.push({ did: job.did, jobs: [job] })
  }
  return groups
}

export async function countDueAccounts(context: OperationContext, dueAt: number): Promise<number> {
  const { count } = await bookkeeping(context.store)
    .selectFrom('lexidex_job')
    .select((eb) => eb.fn.count<number | string>('did').distinct().as('count'))
    .where('status', '=', 'pending')
    .where('due_at', '<=', dueAt)
    .executeTakeFirstOrThrow()
  return Number(count)
}

export interface JobState {
  readonly status?: 'pending' | 'completed' | 'failed'
  readonly cursor?: string | null
  readonly rev?: string
  readonly records?: number
  readonly attempts?: number
  readonly due_at?: number
  readonly last_error?: string | null
}

export async function saveJob(context: OperationContext, job: Job, state: JobState): Promise<void> {
  await bookkeeping(context.store)
    .updateTable('lexidex_job')
    .set({ ...state, updated_at: context.clock.now() })
    .where('did', '=', job.did)
    .where('collection', '=', job.collection)
    .execute()
}

/** Gives every job that was given up another ten attempts. */
export async function reviveJobs(context: OperationContext): Promise<void> {
  await bookkeeping(context.store)
    .updateTable('lexidex_job')
    .set({ status: 'pending', attempts: 0, due_at: 0, updated_at: context.clock.now() })
    .where('status', '=', 'failed')
    .execute()
}

function* chunks<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let i = 0; i < items.length; i += size) yield items.slice(i, i + size)
}
