import { sql } from 'kysely'
import { expectDids } from '../../core/at-uri.ts'
import type { CollectionDef } from '../../core/collection.ts'
import { bookkeeping, type OperationContext } from '../context.ts'

/** Values per statement. D1 gets them as one: fewer statements are fewer ways to a database that is far away. */
const MAX_VALUES = 1000

const JOB_COLUMNS = ['did', 'collection', 'cursor', 'rev', 'records', 'attempts', 'due_at', 'last_error'] as const

/** One account's history in one collection, and how far it has been fetched: a row of `lexidex_job`. */
export interface Job {
  readonly did: string
  /** NSID. */
  readonly collection: string
  readonly status: 'pending' | 'completed' | 'failed'
  readonly cursor: string | null
  readonly rev: string | null
  readonly records: number
  readonly attempts: number
  /** ms since 1970 */
  readonly due_at: number
  readonly last_error: string | null
}

/** All due jobs of one account, or as many as came together, and what was known of it when they were read. */
export interface AccountJobs {
  readonly did: string
  readonly jobs: readonly Job[]
  /** Where its records were last fetched from. */
  readonly pds: string | null
  /** Rev at which its repo was last compared as a whole. */
  readonly verified: string | null
}

/**
 * Makes accounts known that somebody names.
 *
 * @throws LexidexError where one is no DID
 */
export async function addNamedAccounts(context: OperationContext, dids: readonly string[]): Promise<void> {
  expectDids(dids)
  await addAccounts(context, dids)
}

export async function addAccounts(context: OperationContext, dids: readonly string[]): Promise<void> {
  const now = context.clock.now()
  for (const part of chunks(dids, MAX_VALUES / 2)) {
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
  for (const part of chunks(rows, Math.floor(MAX_VALUES / 3))) {
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
      // Not of accounts that were deleted. Also, SQLite takes the ON of ON CONFLICT for a join's, unless there is a WHERE.
      .where(sql<boolean>`hidden < 2`)
  )
}

/**
 * Due jobs, longest due first, page by page; each is given once, those that fall due meanwhile not at all.
 *
 * @param dids only those of these accounts, in their order
 */
export async function* dueAccounts(
  context: OperationContext,
  dueAt: number,
  dids?: readonly string[],
): AsyncGenerator<AccountJobs, void> {
  if (dids !== undefined) return yield* dueAccountsOf(context, dids, dueAt)
  const page = 1000
  let last: Job | null = null
  for (;;) {
    let query = due(context, dueAt)
      .select(JOB_COLUMNS)
      .orderBy('due_at')
      .orderBy('did')
      .orderBy('collection')
      .limit(page)
    if (last !== null) {
      const { due_at, did, collection } = last
      query = query.where(sql<boolean>`(due_at, did, collection) > (${due_at}, ${did}, ${collection})`)
    }
    const rows = await query.execute()
    const jobs: readonly Job[] = rows.map((row) => ({ ...row, status: 'pending' }))
    yield* await groupByAccount(context, jobs)
    if (jobs.length < page) return
    last = jobs.at(-1)!
  }
}

async function* dueAccountsOf(
  context: OperationContext,
  dids: readonly string[],
  dueAt: number,
): AsyncGenerator<AccountJobs, void> {
  for (const part of chunks([...new Set(dids)], MAX_VALUES / 2)) {
    const rows = await due(context, dueAt).select(JOB_COLUMNS).where('did', 'in', part).orderBy('did').execute()
    yield* await groupByAccount(
      context,
      rows.map((row) => ({ ...row, status: 'pending' })),
    )
  }
}

function due({ store }: OperationContext, dueAt: number) {
  return bookkeeping(store).selectFrom('lexidex_job').where('status', '=', 'pending').where('due_at', '<=', dueAt)
}

/** Jobs of one account that stand together, as one. What is known of the accounts is asked once for all of them. */
export async function groupByAccount(context: OperationContext, jobs: readonly Job[]): Promise<readonly AccountJobs[]> {
  const groups: { did: string; jobs: Job[] }[] = []
  for (const job of jobs) {
    const group = groups.at(-1)
    if (group?.did === job.did) group.jobs.push(job)
    else groups.push({ did: job.did, jobs: [job] })
  }
  const accounts = new Map<string, { pds: string | null; verified: string | null }>()
  for (const part of chunks([...new Set(groups.map(({ did }) => did))], MAX_VALUES)) {
    const rows = await bookkeeping(context.store)
      .selectFrom('lexidex_account')
      .select(['did', 'pds', 'verified_rev as verified'])
      .where('did', 'in', part)
      .execute()
    for (const { did, pds, verified } of rows) accounts.set(did, { pds, verified })
  }
  return groups.map((group) => ({ pds: null, verified: null, ...accounts.get(group.did), ...group }))
}

/** Notes where accounts were found to be, by DID. */
export async function saveHosts(context: OperationContext, hosts: ReadonlyMap<string, string>): Promise<void> {
  for (const part of chunks([...hosts], MAX_VALUES / 4)) {
    const pds = part.reduce((cases, [did, url]) => sql`${cases} WHEN ${did} THEN ${url}`, sql`CASE did`)
    await bookkeeping(context.store)
      .updateTable('lexidex_account')
      .set({ pds: sql<string>`${pds} END` })
      .where(
        'did',
        'in',
        part.map(([did]) => did),
      )
      .execute()
  }
}

/** @param dids counts only these */
export async function countDueAccounts(
  context: OperationContext,
  dueAt: number,
  dids?: readonly string[],
): Promise<number> {
  const count = due(context, dueAt).select((eb) => eb.fn.count<number | string>('did').distinct().as('count'))
  if (dids === undefined) return Number((await count.executeTakeFirstOrThrow()).count)
  let total = 0
  for (const part of chunks([...new Set(dids)], MAX_VALUES / 2)) {
    total += Number((await count.where('did', 'in', part).executeTakeFirstOrThrow()).count)
  }
  return total
}

export async function saveJobs(context: OperationContext, jobs: readonly Job[]): Promise<void> {
  const updated_at = context.clock.now()
  for (const part of chunks(jobs, MAX_VALUES / 10)) {
    await bookkeeping(context.store)
      .insertInto('lexidex_job')
      .values(part.map((job) => ({ ...job, updated_at })))
      .onConflict((conflict) =>
        conflict.columns(['did', 'collection']).doUpdateSet((eb) => ({
          status: eb.ref('excluded.status'),
          cursor: eb.ref('excluded.cursor'),
          rev: eb.ref('excluded.rev'),
          records: eb.ref('excluded.records'),
          attempts: eb.ref('excluded.attempts'),
          due_at: eb.ref('excluded.due_at'),
          last_error: eb.ref('excluded.last_error'),
          // What is done is nobody's any more: it may be made due again at any time.
          claimed_until: eb
            .case()
            .when('excluded.status', '=', 'pending')
            .then(eb.ref('lexidex_job.claimed_until'))
            .else(null)
            .end(),
          updated_at: eb.ref('excluded.updated_at'),
        })),
      )
      .execute()
  }
}

/**
 * Gives every job that was given up another ten attempts. Of the accounts that are named also what was put off is due
 * at once.
 */
export async function reviveJobs(context: OperationContext, dids?: readonly string[]): Promise<void> {
  const revive = () =>
    bookkeeping(context.store)
      .updateTable('lexidex_job')
      .set({ status: 'pending', attempts: 0, due_at: 0, updated_at: context.clock.now() })
  if (dids === undefined) await revive().where('status', '=', 'failed').execute()
  else {
    for (const part of chunks(dids, MAX_VALUES / 2)) {
      await revive().where('status', '!=', 'completed').where('did', 'in', part).execute()
    }
  }
}

function* chunks<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let i = 0; i < items.length; i += size) yield items.slice(i, i + size)
}
