import type { Kysely } from 'kysely'
import { createAdmission } from './admission/admit.ts'
import type { App } from './app.ts'
import { createXrpcClient } from './client/xrpc.ts'
import { LexidexError } from './core/errors.ts'
import type { RuntimeState } from './core/liveness.ts'
import { systemClock } from './core/time.ts'
import { createGuardedFetch } from './identity/guarded-fetch.ts'
import { createResolver } from './identity/resolver.ts'
import { inProcess } from './in-process.ts'
import type { AnyQuery, Indexer, IndexerOptions } from './indexer-api.ts'
import { checkAccounts } from './operations/accounts/accounts.ts'
import { adminsOnly } from './operations/admin-access.ts'
import { backfill } from './operations/backfill/backfill.ts'
import { discover } from './operations/backfill/discover.ts'
import type { OperationContext } from './operations/context.ts'
import { keepHouse } from './operations/live/housekeeping.ts'
import { ingest } from './operations/live/ingest.ts'
import { runPersistent } from './operations/live/live.ts'
import { NOT_FOLLOWING } from './operations/live/liveness.ts'
import { notify } from './operations/on-demand/notify.ts'
import { notifyRoutes } from './operations/on-demand/notify-route.ts'
import { OnDemand } from './operations/on-demand/on-demand.ts'
import { listQuarantine, retryQuarantine } from './operations/quarantine/quarantine.ts'
import { quarantineRoutes } from './operations/quarantine/quarantine-routes.ts'
import { refresh } from './operations/refresh/refresh.ts'
import { backfillRoutes } from './operations/runs/backfill-routes.ts'
import { BackgroundBackfills } from './operations/runs/background-backfills.ts'
import { checkForInterruptedBackfill, performBackfill, resumeBackfill } from './operations/runs/runs.ts'
import { decideBackfill } from './operations/runs/startup.ts'
import { operationsStatus } from './operations/status/status.ts'
import { createRouter, type Router } from './serving/router.ts'
import { createStatus } from './serving/system/status.ts'
import { subscriptionUrls } from './sources/jetstream-urls.ts'
import { createXrpc } from './sources/xrpc.ts'
import type { Store } from './storage/store.ts'

export type * from './indexer-api.ts'

/**
 * Opens the index of an app on a store. Emitted code calls it with its own `app`.
 *
 * @example
 * const indexer = createIndexer<Database>(app, createSqliteStore('index.sqlite'))
 * await indexer.migrate()
 * await indexer.backfillAll()
 * await indexer.runPersistent({ signal })
 *
 * @throws LexidexError where a collection lacks its lexicon, or an option is of no use
 */
export function createIndexer<DB, Q = AnyQuery>(app: App, store: Store, options: IndexerOptions = {}): Indexer<DB, Q> {
  const { collections, schemas, migrations } = app
  const { logger = console, clock = systemClock, plc = app.plc, verifyCid = false } = options
  const allowHosts = options.allowHosts ?? app.allowHosts
  const relays = options.relays ?? app.relays
  const jetstreams = options.jetstreams ?? app.jetstreams
  // Without one an index can still be served, and filled by others.
  if (jetstreams.length > 0)
    subscriptionUrls(
      jetstreams,
      collections.map(({ nsid }) => nsid),
    )
  const guarded = createGuardedFetch({ allowHosts })
  // The operator chose the relays, so they may have any address; where they lead to may not.
  const trusted = createGuardedFetch({ allowHosts: [...allowHosts, ...relays.map(hostOf)] })
  const context: OperationContext = {
    collections,
    relays,
    repos: options.repos ?? app.repos,
    jetstreams,
    zstdDictionary: options.zstdDictionary,
    store,
    admission: createAdmission({ collections, schemas, verifyCid, clock, logger }),
    resolver: createResolver({ plc, allowHosts, clock }),
    xrpc: createXrpc({ fetch: guarded, stream: guarded.stream, clock }),
    relayXrpc: createXrpc({ fetch: trusted, clock }),
    logger,
    clock,
  }
  let live: (() => RuntimeState) | null = null
  const state = (): RuntimeState => live?.() ?? NOT_FOLLOWING
  const background = new BackgroundBackfills(context)
  const onDemand = new OnDemand(context, () => ready())
  const { namespace } = app
  const forAdmins = adminsOnly({ secret: options.adminSecret, development: options.development ?? false }, context)
  const router = createRouter({
    app,
    store,
    logger,
    clock,
    cache: options.cache,
    state,
    status: () => operationsStatus(context),
    page: options.explorer,
    ...(options.onDemand === false ? {} : { accounts: onDemand }),
    routes: [
      ...notifyRoutes({ namespace, access: options.notify, context, notify: (uris) => indexer.notify(uris) }),
      ...backfillRoutes({
        namespace,
        forAdmins,
        context,
        start: (force) => indexer.startBackfill(force),
      }),
      ...quarantineRoutes({ namespace, forAdmins, context, ready: () => ready() }),
    ],
  })
  const served = createStatus(app, store, { clock, state })

  let used: Promise<void> | null = null
  /** The store must know the collections before it applies anything; another process may have migrated it. */
  const ready = () => {
    used ??= Promise.resolve()
      .then(() => store.use(collections))
      .catch((error) => {
        used = null
        throw error
      })
    return used
  }

  const indexer: Indexer<DB, Q> = {
    app,
    store,
    db: store.db as Kysely<DB>,
    async migrate() {
      const own = migrations[store.dialect]
      if (own === undefined) {
        throw new LexidexError(`The app has no migrations for ${store.dialect}`, {
          hint: `Add "${store.dialect}" to \`database\` of the config and generate again.`,
        })
      }
      const applied = await store.migrate(own)
      await ready()
      return applied
    },
    async discover(discoverOptions) {
      await ready()
      return discover(context, discoverOptions)
    },
    async backfill(backfillOptions) {
      await ready()
      return backfill(context, backfillOptions)
    },
    async backfillAll(allOptions) {
      const outcome = await indexer.performBackfill({ ...allOptions, requested: true })
      if (!('backfilled' in outcome)) throw new TypeError('A backfill that was asked for was not begun')
      return { ...outcome.discovered, backfilled: outcome.backfilled }
    },
    decideBackfill: (decideOptions) => decideBackfill(context, decideOptions),
    async performBackfill(performOptions) {
      await ready()
      return performBackfill(context, performOptions)
    },
    async startBackfill(force) {
      await ready()
      return background.start(force)
    },
    checkForInterruptedBackfill: () => checkForInterruptedBackfill(context),
    async resumeBackfill(run, performOptions) {
      await ready()
      return resumeBackfill(context, run, performOptions)
    },
    async refresh(refreshOptions) {
      await ready()
      return refresh(context, refreshOptions)
    },
    async ingest(ingestOptions) {
      await ready()
      return ingest(context, ingestOptions)
    },
    async notify(uris) {
      await ready()
      return notify(context, uris)
    },
    async checkAccounts(checkOptions) {
      await ready()
      return checkAccounts(context, checkOptions)
    },
    listQuarantine: (listOptions) => listQuarantine(context, listOptions),
    async retryQuarantine(retryOptions) {
      await ready()
      return retryQuarantine(context, retryOptions)
    },
    async runPersistent(liveOptions) {
      await ready()
      await runPersistent(context, liveOptions, (view) => {
        live = view
      })
    },
    async keepHouse(houseOptions) {
      await ready()
      await keepHouse(context, houseOptions)
    },
    async status() {
      return { ...(await served.status()), ...(await operationsStatus(context)) }
    },
    query: createQuery(namespace, router) as Q,
    handle: router.handle,
    fetch: router.fetch,
    async idle() {
      await Promise.all([background.settled(), onDemand.settled()])
    },
    async close() {
      await background.stop()
      await onDemand.close()
      guarded.close()
      trusted.close()
      context.resolver.close()
      await store.close()
    },
  }
  return indexer
}

function createQuery(namespace: string, router: Router): AnyQuery {
  const client = createXrpcClient('http://in.process', inProcess(router))
  return (collection, params) => client.query(`${namespace}.${collection}.listRecords`, params)
}

function hostOf(relay: string): string {
  if (!URL.canParse(relay)) {
    throw new LexidexError(`Not the URL of a relay: ${relay}`, { hint: 'Write it as https://host.' })
  }
  return new URL(relay).host
}
