import { type Applier, createApplier } from '../../apply/applier.ts'
import { messageOf } from '../../core/errors.ts'
import { AccountRun } from '../backfill/account-run.ts'
import { addNamedAccounts } from '../backfill/jobs.ts'
import type { OperationContext } from '../context.ts'
import { anchorPosition } from '../live/position.ts'
import { forgetVerified } from '../verified.ts'
import { type AccountOutcome, AccountRefresher } from './account-refresher.ts'
import { refreshedAccounts } from './refresh-rows.ts'
import { RefreshRun } from './refresh-run.ts'
import { type RefreshProgress, type RefreshResult, RefreshTally } from './refresh-tally.ts'

export type { RefreshProgress, RefreshResult } from './refresh-tally.ts'

export interface RefreshOptions {
  /**
   * Rows that were first met less than so many ms ago do not count as stale where they differ: the stream may be about to
   * deliver the difference. They are replaced all the same. Default 60 000.
   */
  readonly ignoreWindowMs?: number | undefined
  /** Accounts at a time, on at most 20 hosts and 3 a host. Default 50. */
  readonly concurrency?: number | undefined
  /** Only these accounts, which become known. Default: all that are known. */
  readonly dids?: readonly string[] | undefined
  /** Trusts only archives that are signed by the key in the account's DID document. Default false: hosts are trusted. */
  readonly verifySignature?: boolean | undefined
  readonly onProgress?: ((progress: RefreshProgress) => void) | undefined
  /** Ends the call early; it resolves with what was done, and the next call leaves out what was done. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Compares every known account with what is stored, and makes them the same: fetches its repo in one archive, stores
 * what is missing or was changed, and deletes what is in a complete archive of a known rev no more. Safe to run beside
 * everything else, and again: whoever has written nothing since is left out.
 *
 * One of all accounts is recorded in `lexidex_run`; a call that was cut short, by whatever, is gone on with by the next,
 * within 48 h.
 *
 * Only a complete archive deletes. One that is cut off, older than what is known of the account, or another's, leads to
 * listings instead, which only add and replace. Accounts that nobody has heard of are not found: `discover` is for that.
 *
 * Failures of hosts do not fail the call.
 *
 * @throws the error of the database, where that fails
 */
export async function refresh(context: OperationContext, options: RefreshOptions = {}): Promise<RefreshResult> {
  const { dids, signal } = options
  await anchorPosition(context)
  const forgotten = await forgetVerified(context)
  if (dids !== undefined) {
    await addNamedAccounts(context, dids)
    return compareAll(context, options, null)
  }
  const record = await RefreshRun.begin(context, forgotten)
  if (record === null) {
    context.logger.log('refresh: another one goes on, so this one is not recorded')
    return compareAll(context, options, null)
  }
  try {
    const stopped = signal === undefined ? record.lost : AbortSignal.any([signal, record.lost])
    const result = await compareAll(context, { ...options, signal: stopped }, record)
    await record.end(stopped.aborted)
    return result
  } catch (error) {
    await record.failed(error)
    throw error
  } finally {
    await record.release()
  }
}

async function compareAll(
  context: OperationContext,
  options: RefreshOptions,
  record: RefreshRun | null,
): Promise<RefreshResult> {
  const { signal, dids, concurrency = 50, ignoreWindowMs = 60_000, verifySignature = false } = options
  const accounts = refreshedAccounts(context, dids, record?.after ?? undefined)
  const onProgress = (progress: RefreshProgress) => {
    record?.advance(progress)
    options.onProgress?.(progress)
  }
  const tally = new RefreshTally(context.collections, await accounts.total(), { onProgress })
  const applier = createRefreshApplier(context)
  const run = new AccountRun(context, { concurrency }, () => void applier.close().catch(() => {}))
  const done = (did: string, outcome: AccountOutcome) => {
    record?.done(did)
    tally.accountDone(outcome)
  }
  const stop = () => run.stop()
  signal?.addEventListener('abort', stop)
  try {
    if (signal?.aborted) stop()
    const { count } = tally
    const refresher = new AccountRefresher({
      context,
      applier,
      ignoreWindowMs,
      verifySignature,
      count,
      signal: run.signal,
      onFailure: (error) => record?.fail(error),
    })
    await run.each(noting(accounts.all(), record), {
      resolved: async (account, identity) => done(account.did, await refresher.attempt(account, identity)),
      unresolved: ({ did }, error) => {
        const message = messageOf(error)
        context.logger.warn(`refresh: ${did}: ${message}`)
        record?.fail({ did, collection: null, message })
        done(did, 'failed')
      },
    })
    await run.end()
    await applier.close()
    run.throwFailure()
    return tally.result(ignoreWindowMs)
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

async function* noting<A extends { readonly did: string }>(
  accounts: AsyncIterable<A>,
  record: RefreshRun | null,
): AsyncGenerator<A, void> {
  for await (const account of accounts) {
    record?.started(account.did)
    yield account
  }
}

/**
 * The same for one account, whether it has written anything or not.
 *
 * @throws ServiceError, ResolveError where the account could not be compared as a whole; what could be stored was
 */
export async function refreshAccount(
  context: OperationContext,
  did: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const { signal = new AbortController().signal } = options
  await anchorPosition(context)
  const applier = createRefreshApplier(context)
  try {
    const refresher = new AccountRefresher({
      context,
      applier,
      ignoreWindowMs: 0,
      verifySignature: false,
      count: () => {},
      signal,
    })
    const identity = await context.resolver.resolve(did)
    signal.throwIfAborted()
    const reason = await refresher.compare(identity, null)
    if (reason instanceof Error) throw reason
  } finally {
    await applier.close()
  }
}

function createRefreshApplier({ store, admission, clock, logger }: OperationContext): Applier {
  return createApplier({ store, admission, clock, logger })
}
