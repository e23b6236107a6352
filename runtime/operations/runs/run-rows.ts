import { bookkeeping, type OperationContext } from '../context.ts'

/** A row of `lexidex_run`: a backfill or refresh as a whole, and how far it is. */
export interface RunRow {
  readonly id: number
  /** `catch_up` or `full_sync`, for backfills; `refresh` */
  readonly kind: string
  /** `in_progress`, `completed` or `failed` */
  readonly status: string
  readonly reason: string | null
  /** Up to where completed jobs were made due again, or accounts were compared, by DID. */
  readonly last_did: string | null
  readonly dids_total: number
  readonly dids_processed: number
  readonly records: number
  readonly error_count: number
  readonly error_message: string | null
  /** ms since 1970 */
  readonly started_at: number
  /** ms since 1970 */
  readonly completed_at: number | null
}

/** What changes while a run goes on. */
export type RunProgress = Pick<RunRow, 'last_did' | 'dids_total' | 'dids_processed' | 'records' | 'error_count'>

/** What went wrong with one account in one collection, or with the account, or with a listing of a relay. */
export interface RunError {
  /** Empty where it is about no account. */
  readonly did: string
  /** NSID. */
  readonly collection: string | null
  readonly message: string
}

export interface RunErrorRow extends RunError {
  readonly id: number
  /** ms since 1970 */
  readonly created_at: number
}

export type BackfillKind = 'catch_up' | 'full_sync'

/** Reasons of runs that take nothing for granted that was fetched before them. */
export const REOPENING: readonly string[] = ['no_cursor', 'cursor_too_old', 'db_query_failed', 'forced']

const KINDS: readonly BackfillKind[] = ['catch_up', 'full_sync']
export const REFRESH = 'refresh'
/** Rows per INSERT: D1 binds no more than 100 values. */
const MAX_ROWS = 20
/** Errors that are listed of one run. */
const MAX_LISTED = 1000

export async function insertRun(
  context: OperationContext,
  kind: BackfillKind | typeof REFRESH,
  reason: string,
): Promise<RunRow> {
  return bookkeeping(context.store)
    .insertInto('lexidex_run')
    .values({ kind, reason, started_at: context.clock.now() })
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** A backfill, by its id. */
export async function findRun({ store }: OperationContext, id: number): Promise<RunRow | null> {
  const row = await bookkeeping(store)
    .selectFrom('lexidex_run')
    .selectAll()
    .where('id', '=', id)
    .where('kind', 'in', KINDS)
    .executeTakeFirst()
  return row ?? null
}

/** The oldest backfill that says that it is in progress. Whoever holds no lease cannot tell whether it is. */
export function findRunInProgress(context: OperationContext): Promise<RunRow | null> {
  return inProgress(context, KINDS)
}

/** The oldest refresh that says so. */
export function findRefreshInProgress(context: OperationContext): Promise<RunRow | null> {
  return inProgress(context, [REFRESH])
}

async function inProgress({ store }: OperationContext, kinds: readonly string[]): Promise<RunRow | null> {
  const row = await bookkeeping(store)
    .selectFrom('lexidex_run')
    .selectAll()
    .where('status', '=', 'in_progress')
    .where('kind', 'in', kinds)
    .orderBy('id')
    .limit(1)
    .executeTakeFirst()
  return row ?? null
}

/** When the latest completed backfill of one of these reasons began, in ms since 1970. */
export async function lastCompletedFor(
  { store }: OperationContext,
  reasons: readonly string[],
): Promise<number | null> {
  const row = await bookkeeping(store)
    .selectFrom('lexidex_run')
    .select('started_at')
    .where('status', '=', 'completed')
    .where('kind', 'in', KINDS)
    .where('reason', 'in', reasons)
    .orderBy('started_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.started_at ?? null
}

export async function saveRunProgress(
  { store }: OperationContext,
  id: number,
  progress: Partial<RunProgress>,
): Promise<void> {
  await bookkeeping(store).updateTable('lexidex_run').set(progress).where('id', '=', id).execute()
}

/** Ends a run. */
export async function endRun(
  { store, clock }: OperationContext,
  id: number,
  status: 'completed' | 'failed',
  message: string | null = null,
): Promise<void> {
  await bookkeeping(store)
    .updateTable('lexidex_run')
    .set({ status, error_message: message, completed_at: clock.now() })
    .where('id', '=', id)
    .execute()
}

export async function addRunErrors(
  { store, clock }: OperationContext,
  runId: number,
  errors: readonly RunError[],
): Promise<void> {
  const created_at = clock.now()
  for (let i = 0; i < errors.length; i += MAX_ROWS) {
    const rows = errors.slice(i, i + MAX_ROWS).map((error) => ({ ...error, run_id: runId, created_at }))
    await bookkeeping(store).insertInto('lexidex_run_error').values(rows).execute()
  }
}

/** The first of a run's errors, oldest first, a thousand at most. */
export async function listRunErrors({ store }: OperationContext, runId: number): Promise<readonly RunErrorRow[]> {
  return bookkeeping(store)
    .selectFrom('lexidex_run_error')
    .select(['id', 'did', 'collection', 'message', 'created_at'])
    .where('run_id', '=', runId)
    .orderBy('created_at')
    .orderBy('id')
    .limit(MAX_LISTED)
    .execute()
}
