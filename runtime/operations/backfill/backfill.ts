import { type Applier, createApplier } from '../../apply/applier.ts'
import type { Identity } from '../../identity/resolver.ts'
import { sleep } from '../../sources/backoff.ts'
import type { OperationContext } from '../context.ts'
import { anchorPosition } from '../live/position.ts'
import { AccountFetcher, type JobFailure } from './account-fetcher.ts'
import { AccountRun } from './account-run.ts'
import { loadInBulk } from './bulk-load.ts'
import { Checkpoints } from './checkpoints.ts'
import { Claims } from './claims.ts'
import { MAX_ATTEMPTS } from './job-failure.ts'
import { type AccountJobs, addJobs, addNamedAccounts, countDueAccounts, dueAccounts, reviveJobs } from './jobs.ts'
import { parentsFirst } from './order.ts'
import { type BackfillProgress, type BackfillResult, Tally } from './tally.ts'

export type { BackfillProgress, BackfillResult } from './tally.ts'

/** Records per transaction. */
const BATCH = 1000
/** ms between two looks whether others are done. */
const OTHERS_MS = 500

export interface BackfillOptions {
  /** Accounts that are fetched at a time. Default 100. */
  readonly concurrency?: number | undefined
  /** Hosts that are fetched from at a time. Default 20. */
  readonly pdsConcurrency?: number | undefined
  /** Accounts that are fetched at a time from one host. Default 3. */
  readonly didsPerPds?: number | undefined
  /** Failures after which a job is given up. Default 10. */
  readonly maxAttempts?: number | undefined
  /**
   * Only these accounts, in all collections, and at once, even where they failed before or were given up. They become
   * known. What was completed is not fetched again: that is for `refresh`. Default: all that is due.
   */
  readonly dids?: readonly string[] | undefined
  /** Tries again what was given up. Default false. */
  readonly retryFailed?: boolean | undefined
  /** Where several processes backfill one database: ms until what one that died was at is another's. Default 60 000. */
  readonly claimMs?: number | undefined
  readonly onProgress?: ((progress: BackfillProgress) => void) | undefined
  /** Told of every job that failed, for now or for good. */
  readonly onFailure?: ((failure: JobFailure) => void) | undefined
  /** Ends the call early; it resolves with what was done, and the next call goes on from there. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Fetches the history of every account with a due job from the account's own PDS, until nothing is due.
 *
 * - Rows carry the rev that the repo had before its listing began, so that whatever the stream says of the same records
 *   wins, before or after. The stream's position is set first, where there is none, so that it reaches back to here.
 * - A job's cursor is saved once the page's rows are durable. A call that was cut short, by whatever, is gone on with
 *   by the next.
 * - An account with three or more jobs that were not begun is fetched in one archive (`getRepo`), where its host gives
 *   one of reasonable size; its rows carry the rev of the archive. Else each collection is listed, parents first.
 * - A job is completed at the listing's true end only. Failures are tried again after 15 min, 30 min, … 48 h, and given
 *   up after ten; what a host refuses for good (`RepoNotFound`) is given up at once.
 *
 * Into an index that is nearly empty, the history of many accounts is loaded in bulk, for ten minutes at most: counts
 * and searches follow when that ends.
 *
 * Where several processes share the database, each may call this: they claim accounts, so that none is fetched twice, and
 * what one that died was at is gone on with by another. The call resolves when the others are done as well.
 *
 * Failures of hosts do not fail the call.
 *
 * @throws the error of the database, where that fails
 */
export async function backfill(context: OperationContext, options: BackfillOptions = {}): Promise<BackfillResult> {
  const { signal, dids } = options
  await anchorPosition(context)
  if (dids !== undefined) {
    await addNamedAccounts(context, dids)
    await addJobs(context, dids, parentsFirst(context.collections))
    await reviveJobs(context, dids)
  } else if (options.retryFailed) await reviveJobs(context)
  const run = new BackfillRun(context, options)
  const stop = () => run.stop()
  signal?.addEventListener('abort', stop)
  try {
    if (signal?.aborted) stop()
    return await (dids === undefined ? loadInBulk(context, () => run.finish()) : run.finish())
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

class BackfillRun {
  readonly #context: OperationContext
  readonly #dids: readonly string[] | undefined
  readonly #applier: Applier
  readonly #checkpoints: Checkpoints
  readonly #fetcher: AccountFetcher
  readonly #run: AccountRun
  /** Null where this process has all the work, or is told whose. */
  readonly #claims: Claims | null
  readonly #tally: Tally
  /** Place of each collection: parents first. */
  readonly #places: ReadonlyMap<string, number>

  constructor(context: OperationContext, options: BackfillOptions) {
    const { concurrency = 100, pdsConcurrency, didsPerPds, maxAttempts = MAX_ATTEMPTS, onProgress } = options
    const { store, admission, clock, logger } = context
    this.#context = context
    this.#dids = options.dids
    this.#tally = new Tally(onProgress)
    this.#places = new Map(parentsFirst(context.collections).map((nsid, place) => [nsid, place]))
    this.#applier = createApplier({ store, admission, clock, logger, batchSize: BATCH })
    // Lets go whoever waits for a database that does not answer. `finish` closes again, and hears of a failure.
    const letGo = () => void this.#applier.close().catch(() => {})
    this.#run = new AccountRun(context, { concurrency, pdsConcurrency, didsPerPds }, letGo)
    this.#claims =
      store.shared === undefined || options.dids !== undefined
        ? null
        : new Claims(context, {
            shared: store.shared,
            limit: 2 * concurrency,
            claimMs: options.claimMs,
            signal: this.#run.signal,
          })
    this.#checkpoints = new Checkpoints(context, this.#applier, (error) => this.#run.fail(error))
    this.#fetcher = new AccountFetcher({
      context,
      applier: this.#applier,
      checkpoints: this.#checkpoints,
      tally: this.#tally,
      signal: this.#run.signal,
      maxAttempts,
      onFailure: options.onFailure,
      archives: true,
    })
  }

  stop(): void {
    this.#run.stop()
  }

  async finish(): Promise<BackfillResult> {
    try {
      return await this.#finish()
    } finally {
      await this.#claims?.end()
    }
  }

  async #finish(): Promise<BackfillResult> {
    try {
      while (!this.#run.signal.aborted && (await this.#pass())) {}
    } catch (error) {
      this.#run.fail(error)
    }
    await this.#run.end()
    await this.#applier.close()
    this.#run.throwFailure()
    await this.#checkpoints.flush()
    return this.#tally.result()
  }

  /**
   * Works on all that is due now; none of it is due any more afterwards.
   *
   * @returns whether there was anything
   */
  async #pass(): Promise<boolean> {
    const dueAt = this.#context.clock.now()
    const due = await countDueAccounts(this.#context, dueAt, this.#dids)
    this.#tally.expect(due)
    const accounts = this.#claims?.accounts() ?? dueAccounts(this.#context, dueAt, this.#dids)
    await this.#run.each(accounts, {
      resolved: (account, identity) => this.#fetch(account, identity),
      unresolved: ({ did, jobs }, error) => {
        this.#fetcher.fail(jobs, error)
        this.#done(did)
      },
    })
    if (!this.#run.signal.aborted) await this.#checkpoints.flush()
    if (this.#claims === null) return due > 0
    if (!(await this.#claims.othersWork())) return false
    await sleep(OTHERS_MS, this.#run.signal)
    return true
  }

  #done(did: string): void {
    this.#claims?.done(did)
    this.#tally.accountDone()
  }

  async #fetch({ did, jobs, pds, verified }: AccountJobs, identity: Identity): Promise<void> {
    // The handle is left to the checks of accounts, which look whether it leads back to the account.
    if (pds !== identity.pds) this.#checkpoints.host(did, identity.pds)
    const moved = pds !== null && pds !== identity.pds
    // A cursor is the old host's own, and means nothing to the new one.
    const mine = jobs.map((job) => (moved ? { ...job, cursor: null } : job))
    if (moved) for (const job of mine) this.#checkpoints.add(job)
    const placeOf = ({ collection }: { collection: string }) => this.#places.get(collection) ?? this.#places.size
    await this.#fetcher.fetch(
      identity,
      mine.sort((a, b) => placeOf(a) - placeOf(b)),
      verified,
    )
    this.#done(did)
  }
}
