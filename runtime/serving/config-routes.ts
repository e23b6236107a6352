import type { App } from '../app.ts'
import type { Route } from '../core/route.ts'
import type { Store } from '../storage/store.ts'
import type { AccountSource } from './actors.ts'
import { customRoute } from './custom.ts'
import { createEmbed } from './embed.ts'
import { narrowedRoute } from './narrowed.ts'
import { createProfiles } from './profiles.ts'

/** Queries that the config adds to those of the app. */
export function configRoutes(app: App, store: Store, accounts?: AccountSource): readonly Route[] {
  const profiles = app.profiles === undefined ? null : createProfiles(store, app.profiles, accounts)
  return app.methods.flatMap((def): Route | [] => {
    if (def.kind === 'custom') return customRoute(store, def)
    if (def.kind !== 'narrowed') return []
    return narrowedRoute(store, def, createEmbed(store, app, def.list.collection, profiles), accounts)
  })
}
