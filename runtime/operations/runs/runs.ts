import { isProgrammingError, LexidexError, messageOf } from '../../core/errors.ts'
import { eventLine } from '../../core/log.ts'
import { type BackfillOptions, type BackfillResult, backfill } from '../backfill/backfill.ts'
import { type DiscoverProgress, type DiscoverResult, discover } from '../backfill/discover.ts'
import { reopenJobs } from '../backfill/reopen.ts'
import { removeVanished } from '../backfill/vanished.ts'
import { bookkeeping, type OperationContext } from '../context.ts'
import { anchorPosition, closeGap, noteGap } from '../live/position.ts'
import { type Lease, takeLease } from './leases.ts'
import { RunRecorder } from './run-recorder.ts'
import {
  type BackfillKind,
  endRun,
  findRunInProgress,
  insertRun,
  REOPENING,
  type RunError,
  type RunRow,
} from './run-rows.ts'
import { type BackfillDecision, type DecideOptions, decideBackfill } from './startup.ts'

/** Whoever backfills has it. */
export const BACKFILL_LEASE = 'backfill'
/** Accounts per transaction: D1 binds no more than 100 values. */
const CHECKS = 90

export interface PrepareOptions extends DecideOptions {
  /** What was decided before the stream was followed. Default: it is decided now. */
  readonly decision?: BackfillDecision | undefined
  /**
   * Runs whatever the state is, and fetches anew what was fetched before; `full_sync` also what was given up. Default: as
   * decided.
   */
  readonly force?: BackfillKind | undefined
  /** Looks for accounts and fetches what is due, where nothing more is decided. Default false. */
  readonly requested?: boolean | undefined
}

export interface PerformOptions extends Omit<BackfillOptions, 'dids' | 'onFailure'> {
  readonly onDiscover?: ((progress: DiscoverProgress) => void) | undefined
}

/** A run that nobody else can begin meanwhile. It has to be performed, or its lease released. */
export interface PreparedBackfill {
  readonly run: RunRow
  readonly type: BackfillKind
  readonly resumed: boolean
  readonly lease: Lease
}

export interface NoBackfill {
  readonly type: 'not_needed'
  readonly reason: string
}

export interface RunOutcome {
  readonly backfillId: string
  readonly type: BackfillKind
  /** Why it was begun. */
  readonly reason: string | null
  /** `interrupted`: it was cut short, and the next run goes on with it. */
  readonly status: 'completed' | 'interrupted'
  readonly didsProcessed: number
  readonly recordsIndexed: number
  /** Accounts' collections and relays' listings that could not be had. They do not fail the run. */
  readonly errors: number
  readonly durationMs: number
  readonly discovered: DiscoverResult
  readonly backfilled: BackfillResult
}

/** Two backfills at a time, in whatever processes. */
export class BackfillInProgress extends LexidexError {
  constructor() {
    super('Backfill is already in progress', {
      hint: 'Wait until it ends. After a crash it takes 30 s until another can begin.',
    })
    this.name = 'BackfillInProgress'
  }
}

/**
 * Decides whether a backfill is due, and gets ready for it: a row of `lexidex_run` is there afterwards, new or that of
 * the run that was interrupted.
 *
 * @throws BackfillInProgress where another goes on, here or in another process
 */
export async function prepareBackfill(
  context: OperationContext,
  options: PrepareOptions = {},
): Promise<PreparedBackfill | NoBackfill> {
  const lease = await takeLease(context, BACKFILL_LEASE)
  if (lease === null) throw new BackfillInProgress()
  try {
    const chosen = await chooseRun(context, options)
    if ('run' in chosen) return { ...chosen, type: chosen.run.kind as BackfillKind, lease }
    await lease.release()
    return chosen
  } catch (error) {
    await lease.release()
    throw error
  }
}

async function chooseRun(
  context: OperationContext,
  { force, requested = false, decision, maxCursorAgeMs }: PrepareOptions,
): Promise<{ run: RunRow; resumed: boolean } | NoBackfill> {
  if (force !== undefined) return beginRun(context, force, 'forced')
  const { type, reason, interrupted } = decision ?? (await decideBackfill(context, { maxCursorAgeMs }))
  if (interrupted !== null) return { run: interrupted, resumed: true }
  if (type !== 'not_needed') return beginRun(context, type, reason)
  return requested ? beginRun(context, 'full_sync', 'requested') : { type, reason }
}

async function beginRun(context: OperationContext, kind: BackfillKind, reason: string) {
  for (let old = await findRunInProgress(context); old !== null; old = await findRunInProgress(context)) {
    await endRun(context, old.id, 'failed', 'It was interrupted, and another has taken its place')
  }
  const run = await insertRun(context, kind, reason)
  // Setting the position hides why the run was begun; this mark does not go before it has come to its end.
  if (REOPENING.includes(reason)) await noteGap(context, run.started_at)
  return { run, resumed: false }
}

/**
 * The run that was begun and not ended, or null. Where another process is at it, the row looks the same.
 */
export async function checkForInterruptedBackfill(context: OperationContext): Promise<RunRow | null> {
  try {
    return await findRunInProgress(context)
  } catch (error) {
    if (isProgrammingError(error)) throw error
    context.logger.error(eventLine('backfill.check_interrupted.failed', { error: messageOf(error) }))
    return null
  }
}

/**
 * Goes on with a run that was interrupted.
 *
 * @throws BackfillInProgress where somebody is at it
 */
export async function resumeBackfill(
  context: OperationContext,
  run: RunRow,
  options: PerformOptions = {},
): Promise<RunOutcome> {
  const lease = await takeLease(context, BACKFILL_LEASE)
  if (lease === null) throw new BackfillInProgress()
  return performPrepared(context, { run, type: run.kind as BackfillKind, resumed: true, lease }, options)
}

/**
 * Backfills where that is due, or forced: looks for accounts and fetches their history, those of `repos` first. It is
 * recorded in `lexidex_run`, and its failures in `lexidex_run_error`; a call that was cut short is gone on with by the
 * next.
 *
 * Failures of hosts do not fail the run.
 *
 * @throws BackfillInProgress where another goes on, here or in another process
 * @throws the error of the database, where that fails, and whatever is a mistake in the code: the run has then failed
 */
export async function performBackfill(
  context: OperationContext,
  options: PrepareOptions & PerformOptions = {},
): Promise<RunOutcome | NoBackfill> {
  const prepared = await prepareBackfill(context, options)
  return 'lease' in prepared ? performPrepared(context, prepared, options) : prepared
}

/** Performs a run that is ready, and lets others begin one afterwards. */
export async function performPrepared(
  context: OperationContext,
  { run, type, resumed, lease }: PreparedBackfill,
  options: PerformOptions = {},
): Promise<RunOutcome> {
  const { logger } = context
  const backfillId = String(run.id)
  const recorder = new RunRecorder(context, run, { resumed })
  const signal = options.signal === undefined ? lease.lost : AbortSignal.any([options.signal, lease.lost])
  if (resumed) logger.log(eventLine('backfill.resuming', { backfillId, type, didsProcessed: run.dids_processed }))
  try {
    const done = await work(context, run, recorder, { ...options, signal })
    if (!lease.lost.aborted) await recorder.flush()
    const status = signal.aborted ? 'interrupted' : 'completed'
    if (status === 'completed') await finish(context, run)
    const { dids_processed: didsProcessed, records: recordsIndexed, error_count: errors } = recorder.progress
    const figures = { didsProcessed, recordsIndexed, errors, durationMs: recorder.elapsedMs }
    const event = status === 'completed' && errors > 0 ? 'completed_with_errors' : status
    logger.log(eventLine(`${recorder.event}.${event}`, { backfillId, type, ...figures }))
    return { backfillId, type, reason: run.reason, status, ...figures, ...done }
  } catch (error) {
    await markFailed(context, run, recorder, error)
    logger.error(eventLine(`${recorder.event}.failed`, { backfillId, error: messageOf(error) }))
    throw error
  } finally {
    await lease.release()
  }
}

async function work(
  context: OperationContext,
  run: RunRow,
  recorder: RunRecorder,
  options: PerformOptions & { signal: AbortSignal },
): Promise<Pick<RunOutcome, 'discovered' | 'backfilled'>> {
  const { onDiscover, onProgress, ...backfillOptions } = options
  const { signal } = options
  const reopens = REOPENING.includes(run.reason ?? '')
  const failed = new Set<string>()
  const fail = (error: RunError) => {
    if (error.did !== '') failed.add(error.did)
    recorder.fail(error)
  }
  const fetch = (more: BackfillOptions) => {
    recorder.begin()
    return backfill(context, {
      ...backfillOptions,
      ...more,
      onFailure: fail,
      onProgress: (progress) => {
        recorder.advance(progress)
        onProgress?.(progress)
      },
    })
  }

  // Before anything is listed: what changes from now on is on the stream.
  await anchorPosition(context)
  if (reopens) {
    const onPart = (lastDid: string) => recorder.passed(lastDid)
    await reopenJobs(context, { before: run.started_at, after: run.last_did, onPart, signal })
  }
  if (context.repos !== undefined && context.repos.length > 0 && !signal.aborted) await fetch({ dids: context.repos })
  const discovered = await discover(context, { signal, onProgress: onDiscover })
  for (const { relay, collection, reason } of discovered.failed) {
    fail({ did: '', collection, message: `${relay}: ${reason}` })
  }
  const retryFailed = options.retryFailed ?? (run.kind === 'full_sync' && run.reason === 'forced')
  const backfilled = await fetch({ retryFailed })
  if (reopens) {
    await removeVanished(context, { since: run.started_at, signal, onFailure: fail })
    await compareLater(context, [...failed])
  }
  return { discovered, backfilled }
}

/** Accounts that had been fetched before and could not be had now may hold records that are gone. */
async function compareLater({ store, clock }: OperationContext, dids: readonly string[]): Promise<void> {
  for (let i = 0; i < dids.length; i += CHECKS) {
    const fetchedBefore = await bookkeeping(store)
      .selectFrom('lexidex_job')
      .select('did')
      .distinct()
      .where('did', 'in', dids.slice(i, i + CHECKS))
      .where('rev', 'is not', null)
      .execute()
    const operations = fetchedBefore.map(({ did }) => ({ op: 'check', did, resync: true }) as const)
    await store.apply({ operations, positions: [], now: clock.now() })
  }
}

async function finish(context: OperationContext, run: RunRow): Promise<void> {
  await endRun(context, run.id, 'completed')
  if (REOPENING.includes(run.reason ?? '')) await closeGap(context, run.started_at)
}

async function markFailed(
  context: OperationContext,
  run: RunRow,
  recorder: RunRecorder,
  cause: unknown,
): Promise<void> {
  try {
    await recorder.flush()
    await endRun(context, run.id, 'failed', messageOf(cause))
  } catch (error) {
    const failure = { backfillId: String(run.id), error: messageOf(error) }
    context.logger.error(eventLine(`${recorder.event}.failed_status_update_error`, failure))
  }
}
