import type { App } from '../../app.ts'
import type { Route } from '../../core/route.ts'
import type { Store } from '../../storage/store.ts'
import type { Embeds } from '../hydration/embed.ts'
import type { AccountSource } from '../shared/actors.ts'
import { customRoute } from './custom.ts'
import { narrowedRoute } from './narrowed.ts'

/** Queries that the config adds to those of the app. */
export function configRoutes(app: App, store: Store, embeds: Embeds, accounts?: AccountSource): readonly Route[] {
  return app.methods.flatMap((def): Route | [] => {
    if (def.kind === 'custom') return customRoute(store, def)
    if (def.kind !== 'narrowed') return []
    return narrowedRoute(store, def, embeds.of(def.list.collection), accounts)
  })
}
