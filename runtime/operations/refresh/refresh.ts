import { type Applier, createApplier } from '../../apply/applier.ts'
import { messageOf } from '../../core/errors.ts'
import { AccountRun } from '../backfill/account-run.ts'
import { addNamedAccounts } from '../backfill/jobs.ts'
import type { OperationContext } from '../context.ts'
import { anchorPosition } from '../live/position.ts'
import { forgetVerified } from '../verified.ts'
import { AccountRefresher } from './account-refresher.ts'
import { refreshedAccounts } from './refresh-rows.ts'
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
 * Only a complete archive deletes. One that is cut off, older than what is known of the account, or another's, leads to
 * listings instead, which only add and replace. Accounts that nobody has heard of are not found: `discover` is for that.
 *
 * Failures of hosts do not fail the call.
 *
 * @throws the error of the database, where that fails
 */
export async function refresh(context: OperationContext, options: RefreshOptions = {}): Promise<RefreshResult> {
  const { signal, dids, concurrency = 50, ignoreWindowMs = 60_000, verifySignature = false } = options
  await anchorPosition(context)
  await forgetVerified(context)
  if (dids !== undefined) await addNamedAccounts(context, dids)
  const accounts = refreshedAccounts(context, dids)
  const tally = new RefreshTally(context.collections, await accounts.total(), options)
  const applier = createRefreshApplier(context)
  const run = new AccountRun(context, { concurrency }, () => void applier.close().catch(() => {}))
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
    })
    await run.each(accounts.all(), {
      resolved: async (account, identity) => tally.accountDone(await refresher.attempt(account, identity)),
      unresolved: ({ did }, error) => {
        context.logger.warn(`refresh: ${did}: ${messageOf(error)}`)
        tally.accountDone('failed')
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
