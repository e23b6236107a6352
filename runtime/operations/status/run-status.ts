import { bookkeeping, type OperationContext } from '../context.ts'

/** A backfill or refresh as a whole. */
export interface RunStatus {
  readonly id: number
  readonly kind: string
  readonly status: string
  readonly reason: string | null
  readonly didsTotal: number
  readonly didsProcessed: number
  readonly records: number
  readonly errors: number
  readonly errorMessage: string | null
  /** ms since 1970 */
  readonly startedAt: number
  /** ms since 1970; null while it runs */
  readonly completedAt: number | null
}

const RUNS = 5

/** The latest, newest first, five at most. */
export async function runsStatus({ store }: OperationContext): Promise<readonly RunStatus[]> {
  const rows = await bookkeeping(store)
    .selectFrom('lexidex_run')
    .select(['id', 'kind', 'status', 'reason', 'records'])
    .select(['dids_total as didsTotal', 'dids_processed as didsProcessed', 'error_count as errors'])
    .select(['error_message as errorMessage', 'started_at as startedAt', 'completed_at as completedAt'])
    .orderBy('id', 'desc')
    .limit(RUNS)
    .execute()
  return rows
}
