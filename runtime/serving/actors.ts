import { isDid } from '../core/at-uri.ts'
import { invalidRequest } from '../core/errors.ts'
import type { Store } from '../storage/store.ts'
import { prepareOnce } from './prepare.ts'

/** The DID of a DID or handle. */
export type ResolveActor = (actor: string) => Promise<string>

/** What reaches beyond the index: the network. */
export interface AccountSource {
  /** The DID of a DID or handle; null where there is none, or none in time. */
  find(actor: string): Promise<string | null>
  /** The same, and has the account's records of a collection fetched, where that was never done. Bounded in time. */
  prepare(actor: string, collection: string): Promise<string | null>
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
    if (isDid(actor)) return actor
    const [account] = await byHandle().all([actor.toLowerCase()])
    return account === undefined ? known(await accounts?.find(actor)) : account.did
  }
}

/** @throws XrpcError 400 where there is no such account */
export function known(did: string | null | undefined): string {
  if (did === null || did === undefined) throw invalidRequest('Could not resolve actor')
  return did
}
