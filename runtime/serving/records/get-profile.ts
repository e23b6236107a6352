import { z } from 'zod'
import { XrpcError } from '../../core/errors.ts'
import type { Store } from '../../storage/store.ts'
import type { Profiles } from '../hydration/profiles.ts'
import { listParams, parseParams, readQuery } from '../params/params.ts'
import { type AccountSource, createResolveActor } from '../shared/actors.ts'
import type { Answer } from '../shared/answer.ts'

const params = z.strictObject({
  /** A DID or a handle. */
  actor: listParams.actor.unwrap(),
})

/** `{ns}.getProfile`: the profiles of one account. */
export function createGetProfile(store: Store, profiles: Profiles, accounts?: AccountSource): Answer {
  const resolveActor = createResolveActor(store, accounts)
  return async (query) => {
    const { actor } = parseParams(params, readQuery(query))
    const { did, settled } = await resolveActor(actor)
    const found = await profiles.ofAccount(did)
    if (found === null) throw new XrpcError(404, 'ProfileNotFound', 'Profile not found')
    return { body: `{"profiles":${found.json}}`, reads: settled && found.settled ? profiles.reads : null }
  }
}
