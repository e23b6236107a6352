import type { Applier } from '../apply/applier.ts'
import { nextTurn } from '../apply/pause.ts'
import type { Identity } from '../identity/resolver.ts'
import { createPdsClient, type PdsClient } from '../sources/pds.ts'
import { ServiceError } from '../sources/xrpc.ts'
import type { OperationContext } from './context.ts'
import { stateAfter } from './job-failure.ts'
import { type Job, saveJob } from './jobs.ts'
import type { Tally } from './tally.ts'

/** Requests in a row that fail for the moment until the rest of a host's accounts are put off without asking. */
const HOST_FAILURES = 10

/** Fetches what is due of one account, and writes down how each of its jobs ended. */
export class AccountFetcher {
  readonly #context: OperationContext
  readonly #applier: Applier
  readonly #tally: Tally
  readonly #signal: AbortSignal
  readonly #pds: PdsClient
  /** Failures in a row, by PDS. */
  readonly #hostFailures = new Map<string, number>()
  #flushing: Promise<void> | null = null

  constructor(context: OperationContext, applier: Applier, tally: Tally, signal: AbortSignal) {
    this.#context = context
    this.#applier = applier
    this.#tally = tally
    this.#signal = signal
    this.#pds = createPdsClient(context.xrpc)
  }

  /** @throws what is not a failure of a host */
  async fetch({ did, pds }: Identity, jobs: readonly Job[]): Promise<void> {
    let rev: string
    try {
      // Before the listing, never after it: what changes in between must be later than this rev.
      rev = await this.#asking(
        pds,
        async () => (await this.#pds.getLatestCommit(pds, did, { signal: this.#signal })).rev,
      )
    } catch (error) {
      return this.fail(jobs, error)
    }
    for (const job of jobs) {
      try {
        await this.#asking(pds, () => this.#fetchJob(pds, job, rev))
        this.#tally.completed()
      } catch (error) {
        await this.fail([job], error)
      }
    }
  }

  /** Puts jobs off, or gives them up. @throws `error`, where it is not a failure of a host */
  async fail(jobs: readonly Job[], error: unknown): Promise<void> {
    if (this.#signal.aborted) return
    for (const job of jobs) {
      const state = stateAfter(error, job, this.#context.clock.now())
      this.#tally.failed(state.status === 'failed')
      await saveJob(this.#context, job, state)
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
      if (error instanceof ServiceError && error.kind === 'transient') this.#hostFailures.set(pds, failures + 1)
      throw error
    }
  }

  async #fetchJob(pds: string, job: Job, rev: string): Promise<void> {
    const { did, collection, cursor } = job
    let records = cursor === null ? 0 : job.records
    for await (const page of this.#pds.listRecords(pds, { did, collection, cursor }, { signal: this.#signal })) {
      for (const { rkey, cid, value } of page.records) {
        const crowded = this.#applier.push({
          event: { kind: 'put', did, collection, rkey, rev, cid, record: value },
          position: null,
        })
        if (crowded) await crowded
      }
      if (page.records.length > 0) await this.#durable()
      records += page.records.length
      const ended = page.cursor === null ? ({ status: 'completed', last_error: null } as const) : {}
      await saveJob(this.#context, job, { cursor: page.cursor, rev, records, ...ended })
      this.#tally.page(page.records.length)
      if (page.strays.length > 0) {
        const example = page.strays[0]!.slice(0, 300)
        this.#context.logger.warn(`${pds}: ${page.strays.length} entries of ${did} ${collection} skipped: ${example}`)
      }
    }
  }

  /** Resolves when all that was pushed is durable. Pages that come in the same turn share a transaction. */
  #durable(): Promise<void> {
    this.#flushing ??= nextTurn().then(() => {
      this.#flushing = null
      return this.#applier.flush()
    })
    return this.#flushing
  }
}
