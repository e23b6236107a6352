import { sql } from 'kysely'
import type { Applier } from '../../apply/applier.ts'
import type { CollectionDef } from '../../core/collection.ts'
import { messageOf } from '../../core/errors.ts'
import { type Identity, ResolveError } from '../../identity/resolver.ts'
import { isSignedBy } from '../../identity/signing-key.ts'
import { createPdsClient, type PdsClient } from '../../sources/pds.ts'
import { fetchRepo, type RepoOptions } from '../../sources/repo.ts'
import { ServiceError, type ServiceErrorKind } from '../../sources/xrpc.ts'
import { parentsFirst } from '../backfill/order.ts'
import { bookkeeping, type OperationContext } from '../context.ts'
import type { RunError } from '../runs/run-rows.ts'
import { forgetIfSetBack, verifiedRev } from '../verified.ts'
import { highestRev } from './compare-rows.ts'
import { Comparison, type Count } from './comparison.ts'
import type { RefreshedAccount } from './refresh-rows.ts'

/** What an archive that fails for these reasons holds can still be listed. */
const LISTED_INSTEAD: ReadonlySet<ServiceErrorKind> = new Set(['incomplete', 'too-large', 'permanent'])

export type AccountOutcome = 'complete' | 'partial' | 'skipped' | 'failed'

export interface AccountRefresherParts {
  readonly context: OperationContext
  readonly applier: Applier
  readonly ignoreWindowMs: number
  readonly verifySignature: boolean
  readonly count: Count
  readonly signal: AbortSignal
  /** Told of every account that could not be compared. */
  readonly onFailure?: ((error: RunError) => void) | undefined
}

/** Compares accounts with what is stored, one at a time, and makes them the same. */
export class AccountRefresher {
  readonly #parts: AccountRefresherParts
  readonly #pds: PdsClient
  readonly #collections: readonly CollectionDef[]

  constructor(parts: AccountRefresherParts) {
    const { collections, xrpc } = parts.context
    this.#parts = parts
    this.#pds = createPdsClient(xrpc)
    this.#collections = parentsFirst(collections).map((nsid) => collections.find((one) => one.nsid === nsid)!)
  }

  /** Leaves an account out that has written nothing since. @throws what is not a failure of a host */
  async attempt(account: RefreshedAccount, identity: Identity): Promise<AccountOutcome> {
    const { context, signal } = this.#parts
    const { did } = account
    try {
      const reason = await this.#whereItIs(identity, (found) => this.compare(found, account))
      if (reason === 'unchanged') return 'skipped'
      if (reason === null) return 'complete'
      context.logger.warn(`refresh: ${did} in part: ${messageOf(reason)}`)
      return 'partial'
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof ServiceError || error instanceof ResolveError)) throw error
      if (isRefusal(error)) {
        if (account.hidden === 1) return 'skipped'
        // Whoever looks after accounts finds out what has become of it; a refusal alone means nothing.
        const operation = { op: 'check', did, resync: false } as const
        await context.store.apply({ operations: [operation], positions: [], now: context.clock.now() })
      }
      const message = messageOf(error)
      context.logger.warn(`refresh: ${did}: ${message}`)
      this.#parts.onFailure?.({ did, collection: null, message })
      return 'failed'
    }
  }

  /**
   * @param account null: to be compared whatever it was last compared at
   * @returns null where all was compared; why it was only compared with listings
   * @throws ServiceError where nothing could be compared, or not to the end
   */
  async compare(
    { did, pds, signingKey }: Identity,
    account: RefreshedAccount | null,
  ): Promise<null | 'unchanged' | ServiceError> {
    const { context, signal } = this.#parts
    const { clock, xrpc } = context
    const startedAt = clock.now()
    const verified = await verifiedRev(context, did)
    const latest = await this.#pds.getLatestCommit(pds, did, { signal })
    if (account !== null && account.resync === 0 && verified === latest.rev) return 'unchanged'
    await forgetIfSetBack(context, did, { verified, rev: latest.rev })
    // All of this before the archive is asked for: what it lacks although it is stored by now is gone.
    const known = max(latest.rev, await highestRev(context, did))
    const askedUs = clock.nowUs()
    const parts = { ...this.#parts, did, collections: this.#collections }
    const options: RepoOptions = {
      collections: this.#collections.map(({ nsid }) => nsid),
      verifySignature: this.#parts.verifySignature
        ? (signed, signature) => signingKey !== null && isSignedBy(signingKey, signed, signature)
        : undefined,
      signal,
    }
    try {
      const rev = await fetchRepo(xrpc, pds, did, options, async (repo) => {
        if (repo.rev < known) {
          throw new ServiceError(
            'incomplete',
            `${pds}: the archive of ${did} is of ${repo.rev}, which is before ${known}`,
          )
        }
        await new Comparison(parts, repo.rev, askedUs).withRepo(repo)
        return repo.rev
      })
      await this.#saveVerified(did, rev, startedAt)
      return null
    } catch (error) {
      if (!(error instanceof ServiceError && LISTED_INSTEAD.has(error.kind))) throw error
      await new Comparison(parts, latest.rev, askedUs).withListings(pds, this.#pds)
      return error
    }
  }

  /** Tries again at the account's new host where it has left the one that was remembered. */
  async #whereItIs<T>(identity: Identity, work: (identity: Identity) => Promise<T>): Promise<T> {
    const { resolver } = this.#parts.context
    try {
      return await work(identity)
    } catch (error) {
      if (!isRefusal(error)) throw error
      resolver.forget(identity.did)
      const found = await resolver.resolve(identity.did)
      if (found.pds === identity.pds) throw error
      return work(found)
    }
  }

  /** A hint that came since leaves the account to be compared once more. */
  async #saveVerified(did: string, rev: string, startedAt: number): Promise<void> {
    await bookkeeping(this.#parts.context.store)
      .updateTable('lexidex_account')
      .set({
        verified_rev: rev,
        resync: sql<number>`CASE WHEN check_due_at >= ${startedAt} THEN resync ELSE 0 END`,
      })
      .where('did', '=', did)
      .execute()
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof ServiceError && (error.kind === 'repo-not-found' || error.kind === 'inactive')
}

function max(a: string, b: string): string {
  return a > b ? a : b
}
