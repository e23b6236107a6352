import type { Applier } from '../../apply/applier.ts'
import { messageOf } from '../../core/errors.ts'
import type { Identity } from '../../identity/resolver.ts'
import { createPdsClient, type PdsClient, type RecordPage } from '../../sources/pds.ts'
import { fetchRepo, type RepoRecord } from '../../sources/repo.ts'
import { ServiceError, type ServiceErrorKind } from '../../sources/xrpc.ts'
import type { OperationContext } from '../context.ts'
import { forgetIfSetBack } from '../verified.ts'
import type { Checkpoints } from './checkpoints.ts'
import { afterFailure } from './job-failure.ts'
import type { Job } from './jobs.ts'
import type { Tally } from './tally.ts'

/** Jobs of an account that make one archive cheaper than a listing for each: three requests and more against one. */
const ARCHIVE_JOBS = 3
/** Bytes that an archive may have to be cheaper still: most of a large repo belongs to other apps. */
const ARCHIVE_BYTES = 16_000_000
/** What an archive that fails for these reasons holds can still be listed. */
const LISTED_INSTEAD: ReadonlySet<ServiceErrorKind> = new Set(['incomplete', 'too-large', 'permanent'])
/** Requests in a row that fail for the moment until the rest of a host's accounts are put off without asking. */
const HOST_FAILURES = 10

export interface AccountFetcherParts {
  readonly context: OperationContext
  readonly applier: Applier
  readonly checkpoints: Checkpoints
  readonly tally: Tally
  readonly signal: AbortSignal
  /** Failures after which a job is given up. Default 10. */
  readonly maxAttempts?: number | undefined
  /** Told of every job that failed, for now or for good. */
  readonly onFailure?: ((failure: JobFailure) => void) | undefined
  /** Fetches an account in one archive where that is cheaper. Default false. */
  readonly archives?: boolean | undefined
}

/** Why one account's history in one collection could not be had. */
export interface JobFailure {
  readonly did: string
  /** NSID. */
  readonly collection: string
  readonly message: string
}

/** Fetches what is due of one account, and notes how each of its jobs ended. */
export class AccountFetcher {
  readonly #parts: AccountFetcherParts
  readonly #pds: PdsClient
  /** Failures in a row, by PDS. */
  readonly #hostFailures = new Map<string, number>()

  constructor(parts: AccountFetcherParts) {
    this.#parts = parts
    this.#pds = createPdsClient(parts.context.xrpc)
  }

  /**
   * @param verified rev at which the repo was last compared as a whole, as it was known before the account is asked for
   * @throws what is not a failure of a host
   */
  async fetch({ did, pds }: Identity, jobs: readonly Job[], verified: string | null): Promise<void> {
    const { signal } = this.#parts
    let rev: string
    try {
      if (this.#prefersArchive(jobs) && (await this.#asking(pds, () => this.#fetchArchive(pds, did, jobs, verified))))
        return
      // Before the listing, never after it: what changes in between must be later than this rev.
      rev = (await this.#asking(pds, () => this.#pds.getLatestCommit(pds, did, { signal }))).rev
    } catch (error) {
      return this.fail(jobs, await this.#reasonOf(did, pds, error))
    }
    await forgetIfSetBack(this.#parts.context, did, { verified, rev })
    for (const job of jobs) await this.#fetchJob(pds, job, rev)
  }

  /** Puts jobs off, or gives them up. @throws `error`, where it is not a failure of a host */
  fail(jobs: readonly Job[], error: unknown, options: { resumed?: boolean } = {}): void {
    const { context, checkpoints, tally, signal, maxAttempts, onFailure } = this.#parts
    if (signal.aborted) return
    const [first] = jobs
    if (first !== undefined && error instanceof ServiceError && error.kind === 'inactive') this.#noteAway(first.did)
    for (const job of jobs) {
      const failed = afterFailure(job, error, { now: context.clock.now(), maxAttempts, ...options })
      tally.failed(failed.status === 'failed')
      checkpoints.add(failed)
      onFailure?.({ did: job.did, collection: job.collection, message: messageOf(error) })
    }
  }

  /** Its own host is asked again how it stands, and once it has come back, its jobs are due at once. */
  #noteAway(did: string): void {
    const timeUs = this.#parts.context.clock.nowUs()
    // It waits with the rows, so that it is durable before the failed jobs are.
    void this.#parts.applier.push({ event: { kind: 'account', did, active: false, timeUs }, position: null })
  }

  /**
   * Why a host refuses an account. A listing is refused in the same words whether the account has left, is deactivated or
   * was deleted; the latest commit is refused by name.
   */
  async #reasonOf(did: string, pds: string, error: unknown): Promise<unknown> {
    if (!(error instanceof ServiceError)) return error
    let reason = error
    if (error.kind === 'permanent') {
      try {
        await this.#pds.getLatestCommit(pds, did, { signal: this.#parts.signal })
      } catch (refusal) {
        if (!(refusal instanceof ServiceError)) throw refusal
        reason = refusal
      }
    }
    if (reason.kind !== 'repo-not-found' && reason.kind !== 'inactive') return reason
    const moved = await this.#hasMoved(did, pds)
    return moved ? new ServiceError('transient', `${did} has moved away from ${pds}`) : reason
  }

  /** Whether the account has left since its DID document was read. */
  async #hasMoved(did: string, pds: string): Promise<boolean> {
    const { resolver } = this.#parts.context
    resolver.forget(did)
    try {
      return (await resolver.resolve(did)).pds !== pds
    } catch {
      // What the host said is the better reason to give.
      return false
    }
  }

  /** Counts failures of the host in a row, and does not ask one that has gone. */
  async #asking<T>(pds: string, work: () => Promise<T>): Promise<T> {
    const failures = this.#hostFailures.get(pds) ?? 0
    if (failures >= HOST_FAILURES) {
      throw new ServiceError('transient', `${pds} was left alone after ${failures} failures in a row`)
    }
    try {
      const result = await work()
      this.#hostFailures.delete(pds)
      return result
    } catch (error) {
      const failed = error instanceof ServiceError && error.kind === 'transient'
      if (failed) this.#hostFailures.set(pds, (this.#hostFailures.get(pds) ?? 0) + 1)
      throw error
    }
  }

  /** Not for what was begun, nor for what failed before: it may have been the archive that did. */
  #prefersArchive(jobs: readonly Job[]): boolean {
    const { archives = false } = this.#parts
    return archives && jobs.length >= ARCHIVE_JOBS && jobs.every((job) => job.cursor === null && job.attempts === 0)
  }

  /** @returns whether the account was fetched; otherwise its collections are to be listed */
  async #fetchArchive(pds: string, did: string, jobs: readonly Job[], verified: string | null): Promise<boolean> {
    const { context, signal, checkpoints, tally } = this.#parts
    const options = { collections: jobs.map(({ collection }) => collection), maxBytes: ARCHIVE_BYTES, signal }
    try {
      await fetchRepo(context.xrpc, pds, did, options, async (repo) => {
        if (repo.rev < (verified ?? '')) throw new ServiceError('incomplete', `${pds}: an old archive of ${did}`)
        for (const job of jobs) {
          let records = 0
          for (const record of repo.records(job.collection)) {
            await this.#put(did, record, repo.rev)
            records++
          }
          checkpoints.add({ ...job, rev: repo.rev, cursor: null, records, status: 'completed', last_error: null })
          tally.page(records)
          tally.completed()
        }
      })
      return true
    } catch (error) {
      if (error instanceof ServiceError && LISTED_INSTEAD.has(error.kind)) return false
      throw error
    }
  }

  async #put(did: string, record: RepoRecord, rev: string): Promise<void> {
    const { applier, signal } = this.#parts
    signal.throwIfAborted()
    const { collection, rkey, cid, value } = record
    const event = { kind: 'put', did, collection, rkey, rev, cid, record: value } as const
    const crowded = applier.push({ event, position: null })
    if (crowded) await crowded
  }

  async #fetchJob(pds: string, job: Job, rev: string): Promise<void> {
    // What a listing that is gone on with has passed it will not give again, whatever was written there since: the job
    // speaks of the repo as it was when the listing began.
    let state: Job = job.cursor === null ? { ...job, rev, records: 0 } : job
    try {
      await this.#asking(pds, async () => {
        for await (const page of this.#pds.listRecords(pds, job, { signal: this.#parts.signal })) {
          await this.#push(job, page, rev)
          state = { ...state, cursor: page.cursor, records: state.records + page.records.length }
          if (page.cursor === null) state = { ...state, status: 'completed', last_error: null }
          this.#parts.checkpoints.add(state)
          this.#parts.tally.page(page.records.length)
        }
      })
      this.#parts.tally.completed()
    } catch (error) {
      this.fail([state], await this.#reasonOf(job.did, pds, error), { resumed: job.cursor !== null })
    }
  }

  async #push({ did, collection }: Job, { records, strays }: RecordPage, rev: string): Promise<void> {
    for (const record of records) await this.#put(did, { collection, ...record }, rev)
    if (strays.length > 0) {
      const example = strays[0]!.slice(0, 300)
      this.#parts.context.logger.warn(
        `${strays.length} entries in the listing of ${did} ${collection} skipped: ${example}`,
      )
    }
  }
}
