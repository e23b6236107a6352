import type { App } from '../app.ts'
import type { Store } from '../storage/store.ts'
import type { AccountSource } from './actors.ts'
import type { Answer } from './answer.ts'
import { createEmbed } from './embed.ts'
import { createGet } from './get.ts'
import { createGetProfile } from './get-profile.ts'
import { createList } from './list.ts'
import { createProfiles } from './profiles.ts'

/** The app's own queries, by their paths. */
export function createMethods(app: App, store: Store, accounts?: AccountSource): ReadonlyMap<string, Answer> {
  const profiles = app.profiles === undefined ? null : createProfiles(store, app.profiles, accounts)
  const methods = new Map<string, Answer>()
  if (profiles !== null) methods.set(`/xrpc/${app.namespace}.getProfile`, createGetProfile(store, profiles, accounts))
  for (const def of app.methods) {
    if (def.kind === 'custom' || def.kind === 'narrowed') continue
    const embed = createEmbed(store, app, def.collection, profiles)
    const answer =
      def.kind === 'list' ? createList(store, def, embed, accounts) : createGet(store, def, embed, accounts)
    methods.set(`/xrpc/${def.nsid}`, answer)
  }
  return methods
}
