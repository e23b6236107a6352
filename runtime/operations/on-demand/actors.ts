import { isDid } from '../../core/at-uri.ts'
import { bookkeeping, type OperationContext } from '../context.ts'

/** An account, as `AccountSource` of serving has it. */
export interface FoundActor {
  readonly did: string
  /** Whether the index alone said so. */
  readonly settled: boolean
}

/**
 * The account of a DID or handle: as the index knows it, else as the network does, where handle and DID document name each
 * other. Null where the handle leads nowhere.
 *
 * @throws ResolveError where it cannot be told for the moment
 */
export async function findActor(context: OperationContext, actor: string): Promise<FoundActor | null> {
  if (isDid(actor)) return { did: actor, settled: true }
  const handle = actor.toLowerCase()
  const known = await bookkeeping(context.store)
    .selectFrom('lexidex_account')
    .select('did')
    .where('handle', '=', handle)
    .orderBy('resolved_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (known !== undefined) return { did: known.did, settled: true }
  const did = await context.resolver.resolveHandle(handle)
  if (did === null) return null
  return (await context.resolver.resolve(did)).handle === handle ? { did, settled: false } : null
}
