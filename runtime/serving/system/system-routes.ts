import type { App } from '../../app.ts'
import type { RuntimeState } from '../../core/liveness.ts'
import type { Route } from '../../core/route.ts'
import type { Clock } from '../../core/time.ts'
import type { Store } from '../../storage/store.ts'
import type { AccountSource } from '../shared/actors.ts'
import { createOverview } from './overview.ts'
import { restRoutes } from './rest.ts'
import { createStatus, remembered } from './status.ts'

export interface SystemOptions {
  readonly app: App
  readonly store: Store
  readonly state?: (() => RuntimeState) | undefined
  readonly status?: (() => Promise<object>) | undefined
  readonly accounts?: AccountSource | undefined
  readonly clock?: Clock | undefined
}

/** What every index says of itself, whatever its collections. */
export function systemRoutes({ app, store, state, status, accounts, clock }: SystemOptions): readonly Route[] {
  const own = createStatus(app, store, { state, clock })
  const overview = createOverview(app, store, clock)
  const more = remembered(status ?? (async () => ({})), clock)
  const get = (path: string, answer: () => Promise<unknown>): Route => ({
    method: 'GET',
    path,
    answer: async () => ({ status: 200, body: await answer() }),
  })
  const lexicons = JSON.stringify({ lexicons: app.lexicons })
  return [
    get('/health', async () => ({ status: 'ok' })),
    get('/xrpc/_health', async () => ({ status: 'ok' })),
    get('/status', async () => ({ ...(await own.status()), ...(await more()) })),
    get(`/xrpc/${app.namespace}.getCursor`, async () => (await own.cursor()) ?? { cursor: null }),
    get(`/xrpc/${app.namespace}.getOverview`, overview),
    {
      method: 'GET',
      path: `/xrpc/${app.namespace}.lexicons`,
      kept: true,
      answer: async () => ({ status: 200, content: lexicons, reads: [] }),
    },
    ...(app.rest ? restRoutes({ app, store, accounts, clock, cursor: own.cursor }) : []),
  ]
}
