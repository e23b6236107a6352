import type { App } from '../app.ts'
import type { Store } from '../storage/store.ts'
import { createEmbed } from './hydration/embed.ts'
import { createProfiles } from './hydration/profiles.ts'
import { createList } from './lists/list.ts'
import { createGet } from './records/get.ts'
import { createGetProfile } from './records/get-profile.ts'
import type { AccountSource } from './shared/actors.ts'
import type { Answer } from './shared/answer.ts'

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
