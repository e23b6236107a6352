import { messageOf } from '../core/errors.ts'
import { ResolveError } from '../identity/resolver.ts'
import { ServiceError } from '../sources/xrpc.ts'
import type { Job, JobState } from './jobs.ts'

const FIRST_RETRY_MS = 15 * 60_000
const LONGEST_RETRY_MS = 48 * 60 * 60_000
const MAX_ATTEMPTS = 10

/**
 * What becomes of a job that failed.
 *
 * An account that is deactivated, suspended or taken down is asked for again as if its host had failed: it may come back.
 *
 * @throws `error` itself, where it is not a failure of a host
 */
export function stateAfter(error: unknown, job: Job, now: number): JobState {
  if (!(error instanceof ServiceError || error instanceof ResolveError)) throw error
  const last_error = messageOf(error)
  const attempts = job.attempts + 1
  const { forGood, cursor } = judge(error, job)
  if (forGood || attempts >= MAX_ATTEMPTS) return { status: 'failed', attempts, last_error }
  const retryAfterMs = error instanceof ServiceError ? (error.retryAfterMs ?? 0) : 0
  const due_at = now + Math.max(retryDelay(attempts), retryAfterMs)
  return { status: 'pending', attempts, due_at, last_error, ...cursor }
}

function judge(error: ServiceError | ResolveError, job: Job): { forGood: boolean; cursor: { cursor?: null } } {
  if (error instanceof ResolveError) return { forGood: error.permanent, cursor: {} }
  // It may be the saved cursor that the host refuses; from the start it may not.
  if (error.kind === 'permanent' && job.cursor !== null) return { forGood: false, cursor: { cursor: null } }
  return { forGood: error.kind === 'repo-not-found' || error.kind === 'permanent', cursor: {} }
}

/** ms until the next try after the `attempts`-th failure: 15 min, doubled each time, up to 48 h. */
export function retryDelay(attempts: number): number {
  return Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (attempts - 1))
}
