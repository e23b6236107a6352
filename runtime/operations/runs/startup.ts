import { isProgrammingError, messageOf } from '../../core/errors.ts'
import { eventLine } from '../../core/log.ts'
import { bookkeeping, type OperationContext } from '../context.ts'
import { coveredUntil, gapNotedAt, loadPosition, MAX_CURSOR_AGE_MS } from '../live/position.ts'
import { type BackfillKind, findRunInProgress, REOPENING, type RunRow } from './run-rows.ts'

/**
 * Why there is a backfill, or none:
 *
 * - `no_cursor`: nothing was ever read from the stream, or its position was reset.
 * - `cursor_too_old`: what followed the position may be forgotten by now.
 * - `db_inconsistency`: no account is known, or the accounts of a collection were never listed to the end.
 * - `db_query_failed`: the database could not be asked.
 * - `interrupted`: one was begun and not ended; it is gone on with.
 * - `cursor_fresh`: the stream makes up for everything.
 */
export type DecisionReason =
  | 'no_cursor'
  | 'cursor_too_old'
  | 'db_inconsistency'
  | 'db_query_failed'
  | 'interrupted'
  | 'cursor_fresh'

export interface BackfillDecision {
  /**
   * `full_sync`: look for accounts, and fetch all that was not fetched yet.
   * `catch_up`: the same, and fetch anew what was fetched before.
   */
  readonly type: 'not_needed' | BackfillKind
  readonly reason: DecisionReason
  /** Age of the stream's position; null where there is none. */
  readonly cursorAgeHours: number | null
  /** The run to go on with. */
  readonly interrupted: RunRow | null
}

export interface DecideOptions {
  /** Age of the stream's position in ms, above which it is not gone on from without a backfill. Default 48 h. */
  readonly maxCursorAgeMs?: number | undefined
}

/**
 * Says whether a backfill is due, and why, and tells the log. Ask it before the stream is followed: its first event
 * makes the position new.
 */
export async function decideBackfill(
  context: OperationContext,
  options: DecideOptions = {},
): Promise<BackfillDecision> {
  const { logger } = context
  try {
    const decision = await decide(context, options.maxCursorAgeMs ?? MAX_CURSOR_AGE_MS)
    const { type, reason, cursorAgeHours, interrupted } = decision
    const resumed = interrupted === null ? {} : { backfillId: String(interrupted.id) }
    logger.log(eventLine('backfill.decision', { status: type, reason, cursorAgeHours, ...resumed }))
    return decision
  } catch (error) {
    if (isProgrammingError(error)) throw error
    const decision = { type: 'full_sync', reason: 'db_query_failed', cursorAgeHours: null, interrupted: null } as const
    logger.error(
      eventLine('backfill.decision', { status: decision.type, reason: decision.reason, error: messageOf(error) }),
    )
    return decision
  }
}

async function decide(context: OperationContext, maxAgeMs: number): Promise<BackfillDecision> {
  const { clock } = context
  const position = await loadPosition(context)
  const coveredMs = await coveredUntil(context, position)
  const cursorAgeHours = coveredMs === null ? null : Math.round((clock.now() - coveredMs) / 3_600_000)
  const running = await findRunInProgress(context)
  const gapAt = await gapNotedAt(context)
  const tooOld = gapAt !== null || (coveredMs !== null && clock.now() - coveredMs > maxAgeMs)
  const missed = position === null || tooOld
  const decision = (type: BackfillDecision['type'], reason: DecisionReason, interrupted: RunRow | null = null) => {
    return { type, reason, cursorAgeHours, interrupted }
  }

  // A run takes up what was missed before it began, and the stream what was missed since, if that is not too long ago.
  const reaches = (run: RunRow) =>
    REOPENING.includes(run.reason ?? '') && run.started_at >= (gapAt ?? 0) && clock.now() - run.started_at <= maxAgeMs
  if (running !== null && (!missed || reaches(running))) {
    return decision(running.kind as BackfillKind, 'interrupted', running)
  }
  if (position === null) return decision('full_sync', 'no_cursor')
  if (tooOld) return decision('catch_up', 'cursor_too_old')
  if (!(await isConsistent(context))) return decision('full_sync', 'db_inconsistency')
  return decision('not_needed', 'cursor_fresh')
}

/** Whether accounts are known, those of the config among them, and every listing of accounts was walked to its end. */
async function isConsistent({ store, relays, collections, repos = [] }: OperationContext): Promise<boolean> {
  const db = bookkeeping(store)
  const account = await db.selectFrom('lexidex_account').select('did').limit(1).executeTakeFirst()
  if (account === undefined) return false
  if (repos.length > 0) {
    const known = await db.selectFrom('lexidex_account').select('did').where('did', 'in', repos).execute()
    if (known.length < new Set(repos).size) return false
  }
  const walked = await db
    .selectFrom('lexidex_discovery')
    .select(['relay', 'collection'])
    .where('completed', '=', 1)
    .execute()
  const complete = new Set(walked.map(({ relay, collection }) => `${relay} ${collection}`))
  const discovered = collections.filter(({ discover }) => discover)
  return relays.every((relay) => discovered.every(({ nsid }) => complete.has(`${relay} ${nsid}`)))
}
