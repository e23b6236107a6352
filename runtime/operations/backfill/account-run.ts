import { unlessAborted } from '../../core/abort.ts'
import { Slots } from '../../core/slots.ts'
import { type Identity, ResolveError } from '../../identity/resolver.ts'
import { sleep } from '../../sources/backoff.ts'
import type { OperationContext } from '../context.ts'
import { HostQueue } from './host-queue.ts'

/** Resolved accounts that wait for their host. */
const WAITING = 2000
const RESOLVING = 20
/** ms until who hosts an account is asked once more, where that could not be told: directories are slow at times. */
const ASK_AGAIN_MS = 1000

export interface AccountLimits {
  /** Accounts at a time. */
  readonly concurrency: number
  /** Hosts at a time. Default 20. */
  readonly pdsConcurrency?: number | undefined
  /** Accounts at a time at one host. Default 3. */
  readonly didsPerPds?: number | undefined
}

export interface AccountWork<A> {
  /** Runs within the limits. What it throws ends the run. */
  resolved(account: A, identity: Identity): Promise<void>
  /** Told where it cannot be found out who hosts the account. */
  unresolved(account: A, error: ResolveError): Promise<void> | void
}

/** Goes through accounts at their own hosts, until it is stopped or something fails that is not a host's failure. */
export class AccountRun {
  readonly #context: OperationContext
  readonly #queue: HostQueue
  readonly #resolving = new Slots(RESOLVING)
  readonly #stopped = new AbortController()
  readonly #onStop: () => void
  #failure: { readonly error: unknown } | null = null

  /** @param onStop told once, when it is stopped */
  constructor(context: OperationContext, limits: AccountLimits, onStop: () => void) {
    const { concurrency, pdsConcurrency = 20, didsPerPds = 3 } = limits
    this.#context = context
    this.#onStop = onStop
    this.#queue = new HostQueue({ concurrency, hosts: pdsConcurrency, perHost: didsPerPds, waiting: WAITING })
  }

  /** Aborts when the run is stopped. */
  get signal(): AbortSignal {
    return this.#stopped.signal
  }

  stop(): void {
    if (this.signal.aborted) return
    this.#stopped.abort()
    this.#queue.clear()
    this.#onStop()
  }

  /** Stops the run because of what is not a host's failure. */
  fail(error: unknown): void {
    if (this.signal.aborted) return
    this.#failure = { error }
    this.stop()
  }

  /** Resolves when all accounts are done with, or the run was stopped. */
  async each<A extends { readonly did: string }>(accounts: AsyncIterable<A>, work: AccountWork<A>): Promise<void> {
    try {
      const resolving = new Set<Promise<void>>()
      for await (const account of accounts) {
        await this.#resolving.acquire(this.signal)
        const task = this.#guard(() => this.#start(account, work)).finally(() => {
          this.#resolving.release()
          resolving.delete(task)
        })
        resolving.add(task)
      }
      // Resolving takes no signal, since others may wait for the same account: it is not waited for.
      await unlessAborted(Promise.all(resolving), this.signal)
      await this.#queue.idle()
    } catch (error) {
      this.fail(error)
    }
  }

  /** Resolves when nothing is in hand any more. */
  async end(): Promise<void> {
    // What was in hand ends by itself: its requests are aborted.
    await this.#queue.idle()
  }

  /** @throws what stopped the run, where something failed */
  throwFailure(): void {
    if (this.#failure !== null) throw this.#failure.error
  }

  async #start<A extends { readonly did: string }>(account: A, work: AccountWork<A>): Promise<void> {
    let identity: Identity
    try {
      identity = await this.#resolve(account.did)
    } catch (error) {
      if (!(error instanceof ResolveError)) throw error
      return work.unresolved(account, error)
    }
    await this.#queue.add(identity.pds, () => this.#guard(() => work.resolved(account, identity)))
  }

  async #resolve(did: string): Promise<Identity> {
    const { resolver } = this.#context
    try {
      return await resolver.resolve(did)
    } catch (error) {
      if (!(error instanceof ResolveError) || error.permanent || this.signal.aborted) throw error
      await sleep(ASK_AGAIN_MS, this.signal)
      return resolver.resolve(did)
    }
  }

  /** What is not a failure of a host is one of ours (the database's, a mistake), and ends the run. */
  async #guard(work: () => Promise<void>): Promise<void> {
    if (this.signal.aborted) return
    try {
      await work()
    } catch (error) {
      this.fail(error)
    }
  }
}
