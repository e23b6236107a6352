import { type Applier, createApplier } from '../apply/applier.ts'
import type { Identity } from '../identity/resolver.ts'
import { AccountFetcher } from './account-fetcher.ts'
import { Checkpoints } from './checkpoints.ts'
import { bookkeeping, type OperationContext } from './context.ts'
import { HostQueue, Slots } from './host-queue.ts'
import { type AccountJobs, countDueAccounts, dueAccounts, reviveJobs } from './jobs.ts'
import { anchorPosition } from './position.ts'
import { Tally } from './tally.ts'

const HOSTS = 20
const ACCOUNTS_PER_HOST = 3
/** Resolved accounts that wait for their host. */
const WAITING = 2000
const RESOLVING = 20
/** Records per transaction. */
const BATCH = 1000

export interface BackfillOptions {
  /** Accounts that are fetched at a time, on at most 20 hosts and 3 a host. Default 100. */
  readonly concurrency?: number | undefined
  /** Tries again what was given up. Default false. */
  readonly retryFailed?: boolean | undefined
  readonly onProgress?: ((progress: BackfillProgress) => void) | undefined
  /** Ends the call early; it resolves with what was done, and the next call goes on from there. */
  readonly signal?: AbortSignal | undefined
}

export interface BackfillProgress {
  readonly accountsDone: number
  /** Accounts with due jobs; grows where jobs fall due meanwhile. */
  readonly accountsTotal: number
  readonly records: number
  /** Jobs that failed, for now or for good. */
  readonly failures: number
  /** Records a second since the start. */
  readonly perSecond: number
  /** ms left at this pace; null before the first account is done. */
  readonly etaMs: number | null
}

/** A job is one account's history in one collection. */
export interface BackfillResult {
  /** Jobs that reached the end of their listing. */
  readonly completed: number
  /** Jobs that were given up. `last_error` of `lexidex_job` has the reason. */
  readonly failed: number
  /** Jobs that failed for now and fall due again later. */
  readonly retrying: number
  /** Records that were listed, those that were known already among them. */
  readonly records: number
  readonly elapsedMs: number
}

/**
 * Fetches the history of every account with a due job from the account's own PDS, until nothing is due.
 *
 * - Rows carry the rev that the repo had before its listing began, so that whatever the stream says of the same records
 *   wins, before or after. The stream's position is set first, where there is none, so that it reaches back to here.
 * - A job's cursor is saved once the page's rows are durable. A call that was cut short, by whatever, is gone on with
 *   by the next.
 * - A job is completed at the listing's true end only. Failures are tried again after 15 min, 30 min, … 48 h, and given
 *   up after ten; what a host refuses for good (`RepoNotFound`) is given up at once.
 *
 * Failures of hosts do not fail the call.
 *
 * @throws the error of the database, where that fails
 */
export async function backfill(context: OperationContext, options: BackfillOptions = {}): Promise<BackfillResult> {
  const { signal } = options
  await anchorPosition(context)
  if (options.retryFailed) await reviveJobs(context)
  const run = new BackfillRun(context, options)
  const stop = () => run.stop()
  signal?.addEventListener('abort', stop)
  try {
    if (signal?.aborted) stop()
    return await run.finish()
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

class BackfillRun {
  readonly #context: OperationContext
  readonly #applier: Applier
  readonly #checkpoints: Checkpoints
  readonly #fetcher: AccountFetcher
  readonly #queue: HostQueue
  readonly #resolving = new Slots(RESOLVING)
  readonly #stopped = new AbortController()
  readonly #whenStopped: Promise<void>
  readonly #tally: Tally
  #fatal: unknown = null

  constructor(context: OperationContext, { concurrency = 100, onProgress }: BackfillOptions) {
    const { store, admission, clock, logger } = context
    this.#context = context
    this.#tally = new Tally(onProgress)
    this.#applier = createApplier({ store, admission, clock, logger, batchSize: BATCH })
    this.#checkpoints = new Checkpoints(context, this.#applier, (error) => this.#fail(error))
    const { signal } = this.#stopped
    this.#whenStopped = new Promise((resolve) => signal.addEventListener('abort', () => resolve()))
    const parts = { context, applier: this.#applier, checkpoints: this.#checkpoints, tally: this.#tally, signal }
    this.#fetcher = new AccountFetcher(parts)
    this.#queue = new HostQueue({ concurrency, hosts: HOSTS, perHost: ACCOUNTS_PER_HOST, waiting: WAITING })
  }

  stop(): void {
    this.#stopped.abort()
    this.#queue.clear()
    // Lets go whoever waits for a database that does not answer. `finish` closes again, and hears of a failure.
    this.#applier.close().catch(() => {})
  }

  async finish(): Promise<BackfillResult> {
    try {
      while (!this.#stopped.signal.aborted && (await this.#pass())) {}
    } catch (error) {
      this.#fail(error)
    }
    // What was in hand ends by itself: its requests are aborted.
    await this.#queue.idle()
    await this.#applier.close()
    if (this.#fatal !== null) throw this.#fatal
    await this.#checkpoints.flush()
    return this.#tally.result()
  }

  /**
   * Works on all that is due now; none of it is due any more afterwards.
   *
   * @returns whether there was anything
   */
  async #pass(): Promise<boolean> {
    const { signal } = this.#stopped
    const dueAt = this.#context.clock.now()
    const due = await countDueAccounts(this.#context, dueAt)
    this.#tally.expect(due)
    const resolving = new Set<Promise<void>>()
    for await (const account of dueAccounts(this.#context, dueAt)) {
      await this.#unlessStopped(this.#resolving.acquire())
      if (signal.aborted) return false
      const task = this.#guard(() => this.#enqueue(account)).finally(() => {
        this.#resolving.release()
        resolving.delete(task)
      })
      resolving.add(task)
    }
    await this.#unlessStopped(Promise.all(resolving))
    await this.#queue.idle()
    if (!signal.aborted) await this.#checkpoints.flush()
    return due > 0
  }

  /** Resolving an account takes no signal, since others may wait for the same one: it is not waited for. */
  async #unlessStopped(work: Promise<unknown>): Promise<void> {
    await Promise.race([work, this.#whenStopped])
  }

  /** What is not a failure of a job is one of ours (the database's, a mistake), and ends the run. */
  async #guard(work: () => Promise<void>): Promise<void> {
    if (this.#stopped.signal.aborted) return
    try {
      await work()
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    if (this.#stopped.signal.aborted) return
    this.#fatal = error
    this.stop()
  }

  async #enqueue({ did, jobs }: AccountJobs): Promise<void> {
    let identity: Identity
    try {
      identity = await this.#context.resolver.resolve(did)
    } catch (error) {
      this.#fetcher.fail(jobs, error)
      this.#tally.accountDone()
      return
    }
    const moved = await this.#saveIdentity(identity)
    // A cursor is the old host's own, and means nothing to the new one.
    const mine = moved ? jobs.map((job) => ({ ...job, cursor: null })) : jobs
    await this.#queue.add(identity.pds, () =>
      this.#guard(async () => {
        await this.#fetcher.fetch(identity, mine)
        this.#tally.accountDone()
      }),
    )
  }

  /** @returns whether the account has another PDS than when it was last looked at */
  async #saveIdentity({ did, handle, pds }: Identity): Promise<boolean> {
    const db = bookkeeping(this.#context.store)
    const before = await db.selectFrom('lexidex_account').select('pds').where('did', '=', did).executeTakeFirst()
    const resolved = { handle, pds, resolved_at: this.#context.clock.now() }
    await db.updateTable('lexidex_account').set(resolved).where('did', '=', did).execute()
    return (before?.pds ?? pds) !== pds
  }
}
