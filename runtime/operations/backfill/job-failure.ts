import { messageOf } from '../../core/errors.ts'
import { ResolveError } from '../../identity/resolver.ts'
import { ServiceError } from '../../sources/xrpc.ts'
import type { Job } from './jobs.ts'

const FIRST_RETRY_MS = 15 * 60_000
const LONGEST_RETRY_MS = 48 * 60 * 60_000
/** Failures after which a job is given up. */
export const MAX_ATTEMPTS = 10

export interface FailureOptions {
  /** ms since 1970 */
  readonly now: number
  readonly resumed?: boolean | undefined
  readonly maxAttempts?: number | undefined
}

/**
 * What becomes of a job that failed.
 *
 * An account that is deactivated, suspended or taken down is asked for again as if its host had failed: it may come back.
 *
 * @param options.maxAttempts failures after which it is given up
 * @param options.resumed whether the walk that failed began at a saved cursor
 * @throws `error` itself, where it is not a failure of a host
 */
export function afterFailure(job: Job, error: unknown, options: FailureOptions): Job {
  if (!(error instanceof ServiceError || error instanceof ResolveError)) throw error
  const failed = { ...job, attempts: job.attempts + 1, last_error: messageOf(error) }
  // It may be the saved cursor that the host refuses; a walk from the start tells.
  const staleCursor = options.resumed === true && error instanceof ServiceError && error.kind === 'permanent'
  if (failed.attempts >= (options.maxAttempts ?? MAX_ATTEMPTS) || (isForGood(error) && !staleCursor))
    return { ...failed, status: 'failed' }
  const retryAfterMs = error instanceof ServiceError ? (error.retryAfterMs ?? 0) : 0
  const due_at = options.now + Math.max(retryDelay(failed.attempts), retryAfterMs)
  return { ...failed, due_at, cursor: staleCursor ? null : job.cursor }
}

function isForGood(error: ServiceError | ResolveError): boolean {
  if (error instanceof ResolveError) return error.permanent
  return error.kind === 'repo-not-found' || error.kind === 'permanent'
}

/** ms until the next try after the `attempts`-th failure: 15 min, doubled each time, up to 48 h. */
export function retryDelay(attempts: number): number {
  return Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (attempts - 1))
}
