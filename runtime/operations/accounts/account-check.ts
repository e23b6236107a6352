import { unlessAborted } from '../../core/abort.ts'
import type { AccountOperation } from '../../core/operation.ts'
import type { Slots } from '../../core/slots.ts'
import { type Identity, ResolveError } from '../../identity/resolver.ts'
import { createPdsClient, type PdsClient } from '../../sources/pds.ts'
import { ServiceError } from '../../sources/xrpc.ts'
import { HostQueue } from '../backfill/host-queue.ts'
import type { OperationContext } from '../context.ts'
import type { KnownAccount } from './account-rows.ts'
import { HostRest } from './host-rest.ts'

const HOSTS = 20
const ACCOUNTS_PER_HOST = 3
/** Accounts that may move while they are asked, so many times. */
const MOVES = 3

/** Statuses that hide an account. Any other (`desynchronized`, `throttled`, those to come) speaks of the host. */
const HIDING = new Set(['deactivated', 'suspended', 'takendown', 'deleted'])

export type AccountFacts = Pick<AccountOperation, 'status' | 'handle' | 'pds'>

/** Finds out how accounts stand, from whoever may say so. */
export class AccountSurvey {
  readonly #context: OperationContext
  readonly #signal: AbortSignal
  readonly #pds: PdsClient
  readonly #hosts: HostQueue
  readonly #rest = new HostRest()

  /** @param concurrency accounts that are asked for at hosts at a time, three a host */
  constructor(context: OperationContext, options: { concurrency: number; signal: AbortSignal }) {
    const { concurrency, signal } = options
    this.#context = context
    this.#signal = signal
    this.#pds = createPdsClient(context.xrpc)
    this.#hosts = new HostQueue({ concurrency, hosts: HOSTS, perHost: ACCOUNTS_PER_HOST, waiting: Infinity })
  }

  /**
   * Asks for the account's DID document, and then the PDS that it names for the account's status. Nobody else is
   * believed: a host that an account has left goes on calling it deactivated or unknown. What sounds final is asked for
   * twice, so that a move in between is not taken for the end.
   *
   * Where the document is gone, the account is where its last PDS does not know it either. A `did:plc` that the
   * directory calls ended (410) is gone by its owner's own word.
   *
   * @param resolving permits for requests to the directory and to the hosts of handles
   * @throws ServiceError, ResolveError where it cannot be told for the moment
   */
  async ask(account: KnownAccount, resolving: Slots): Promise<AccountFacts> {
    for (let move = 0; move < MOVES; move++) {
      const identity = await this.#identity(account, resolving)
      if (identity === null) return { status: 'deleted', handle: null, pds: account.pds }
      const { pds } = identity
      const status = await this.#atHost(pds, () => this.#statusAt(pds, account.did))
      if (status !== 'active' && (await this.#resolve(account.did)).pds !== pds) continue
      const handle = status === 'deleted' ? null : await this.#using(resolving, () => this.#handle(identity, account))
      return { status, handle, pds }
    }
    throw new ServiceError('transient', `${account.did} moves from host to host`)
  }

  /** Null where the account is gone for good. */
  #identity(account: KnownAccount, resolving: Slots): Promise<Identity | null> {
    const { did, pds } = account
    return this.#using(resolving, async () => {
      try {
        return await this.#resolve(did)
      } catch (error) {
        const { status } = error instanceof ResolveError ? error : { status: null }
        if (status === 410 && did.startsWith('did:plc:')) return null
        if ((status !== 404 && status !== 410) || pds === null) throw error
        if ((await this.#atHost(pds, () => this.#statusAt(pds, did))) !== 'deleted') throw error
        return null
      }
    })
  }

  #resolve(did: string): Promise<Identity> {
    return this.#unlessAborted(this.#context.resolver.resolve(did, { fresh: true }))
  }

  async #statusAt(pds: string, did: string): Promise<string> {
    try {
      const { active, status } = await this.#pds.getRepoStatus(pds, did, { signal: this.#signal })
      return active || status === null || !HIDING.has(status) ? 'active' : status
    } catch (error) {
      if (error instanceof ServiceError && error.kind === 'repo-not-found') return 'deleted'
      throw error
    }
  }

  /** The handle of the document where it leads back to the account. Where nobody can tell, one that did stays. */
  async #handle({ did, handle, pds }: Identity, before: KnownAccount): Promise<string | null> {
    if (handle === null) return null
    try {
      const owner = this.#context.resolver.resolveHandle(handle, { pds, fresh: true })
      return (await this.#unlessAborted(owner)) === did ? handle : null
    } catch (error) {
      if (!(error instanceof ResolveError)) throw error
      return before.handle === handle ? handle : null
    }
  }

  async #using<T>(slots: Slots, work: () => Promise<T>): Promise<T> {
    await slots.acquire(this.#signal)
    try {
      return await work()
    } finally {
      slots.release()
    }
  }

  #atHost<T>(pds: string, work: () => Promise<T>): Promise<T> {
    const done = new Promise<T>((resolve, reject) => {
      const task = () => this.#rest.ask(pds, work).then(resolve, reject)
      void this.#hosts.add(pds, () => (this.#signal.aborted ? Promise.resolve() : task()))
    })
    return this.#unlessAborted(done)
  }

  /** Requests to directories take no signal, since others may wait for the same answer: they are not waited for. */
  #unlessAborted<T>(work: Promise<T>): Promise<T> {
    return unlessAborted(work, this.#signal)
  }
}
