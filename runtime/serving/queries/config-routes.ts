import type { App } from '../../app.ts'
import type { Route } from '../../core/route.ts'
import type { Store } from '../../storage/store.ts'
import { createEmbed } from '../hydration/embed.ts'
import { createProfiles } from '../hydration/profiles.ts'
import type { AccountSource } from '../shared/actors.ts'
import { customRoute } from './custom.ts'
import { narrowedRoute } from './narrowed.ts'

/** Queries that the config adds to those of the app. */
export function configRoutes(app: App, store: Store, accounts?: AccountSource): readonly Route[] {
  const profiles = app.profiles === undefined ? null : createProfiles(store, app.profiles, accounts)
  return app.methods.flatMap((def): Route | [] => {
    if (def.kind === 'custom') return customRoute(store, def)
    if (def.kind !== 'narrowed') return []
    return narrowedRoute(store, def, createEmbed(store, app, def.list.collection, profiles), accounts)
  })
}
