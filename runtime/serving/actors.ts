import { isDid } from '../core/at-uri.ts'
import { invalidRequest } from '../core/errors.ts'
import type { Store } from '../storage/store.ts'
import { prepareOnce } from './prepare.ts'

/** The DID of a DID or handle. Handles are those of accounts that the index knows. */
export type ResolveActor = (actor: string) => Promise<string>

/** The function throws `XrpcError` 400 where a handle is not known. */
export function createResolveActor(store: Store): ResolveActor {
  const byHandle = prepareOnce(
    store,
    () => 'SELECT did FROM lexidex_account WHERE handle = ? ORDER BY resolved_at DESC LIMIT 1',
  )
  return async (actor) => {
    if (isDid(actor)) return actor
    const [account] = await byHandle().all([actor.toLowerCase()])
    if (account === undefined) throw invalidRequest('Could not resolve actor')
    return account.did
  }
}
