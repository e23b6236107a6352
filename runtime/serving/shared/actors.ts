import { isDid } from '../../core/at-uri.ts'
import { invalidRequest } from '../../core/errors.ts'
import type { Store } from '../../storage/store.ts'
import { prepareOnce } from './prepare.ts'

/** What a DID or handle stands for. */
export interface FoundActor {
  readonly did: string
  /** Whether the same will be found as long as nothing is written to the index: the network was not asked, nor will be. */
  readonly settled: boolean
}

/** The account of a DID or handle. */
export type ResolveActor = (actor: string) => Promise<FoundActor>

/** What reaches beyond the index: the network. */
export interface AccountSource {
  /** Who a DID or handle is; null where there is nobody, or nobody in time. */
  find(actor: string): Promise<FoundActor | null>
  /** The same, and has the account's records of a collection fetched, where that was never done. Bounded in time. */
  prepare(actor: string, collection: string): Promise<FoundActor | null>
  /**
   * Has records fetched that the index lacks, in the background: of known accounts that were never fetched.
   *
   * @param uris with DIDs
   */
  fetchMissing(uris: readonly string[]): void
}

/**
 * The function throws `XrpcError` 400 where a handle is not known.
 *
 * @param accounts asked where the index does not know the handle
 */
export function createResolveActor(store: Store, accounts?: AccountSource): ResolveActor {
  const byHandle = prepareOnce(
    store,
    () => 'SELECT did FROM lexidex_account WHERE handle = ? ORDER BY resolved_at DESC LIMIT 1',
  )
  return async (actor) => {
    if (isDid(actor)) return { did: actor, settled: true }
    const [account] = await byHandle().all([actor.toLowerCase()])
    return account === undefined ? known(await accounts?.find(actor)) : { did: account.did, settled: true }
  }
}

/**
 * The same for what lists the records of a collection: where those of the account were never fetched, that is done first.
 *
 * @param collection NSID
 */
export function createPrepareActor(store: Store, collection: string, accounts?: AccountSource): ResolveActor {
  if (accounts === undefined) return createResolveActor(store)
  return async (actor) => known(await accounts.prepare(actor, collection))
}

/** @throws XrpcError 400 where there is no such account */
function known(found: FoundActor | null | undefined): FoundActor {
  if (found === null || found === undefined) throw invalidRequest('Could not resolve actor')
  return found
}
