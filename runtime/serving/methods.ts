import type { App } from '../app.ts'
import type { Store } from '../storage/store.ts'
import type { Embeds } from './hydration/embed.ts'
import { createList } from './lists/list.ts'
import { createGet } from './records/get.ts'
import { createGetProfile } from './records/get-profile.ts'
import type { AccountSource } from './shared/actors.ts'
import type { Answer } from './shared/answer.ts'

/** The app's own queries, by their paths. */
export function createMethods(
  app: App,
  store: Store,
  embeds: Embeds,
  accounts?: AccountSource,
): ReadonlyMap<string, Answer> {
  const { profiles } = embeds
  const methods = new Map<string, Answer>()
  if (profiles !== null) methods.set(`/xrpc/${app.namespace}.getProfile`, createGetProfile(store, profiles, accounts))
  for (const def of app.methods) {
    if (def.kind === 'custom' || def.kind === 'narrowed') continue
    const embed = embeds.of(def.collection)
    const answer =
      def.kind === 'list' ? createList(store, def, embed, accounts) : createGet(store, def, embed, accounts)
    methods.set(`/xrpc/${def.nsid}`, answer)
  }
  return methods
}
