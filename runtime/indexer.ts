import type { Kysely } from 'kysely'
import { createAdmission } from './admission/admit.ts'
import type { App } from './app.ts'
import { LexidexError } from './core/errors.ts'
import type { Logger } from './core/log.ts'
import { type Clock, systemClock } from './core/time.ts'
import { createGuardedFetch } from './identity/guarded-fetch.ts'
import { createResolver } from './identity/resolver.ts'
import { type BackfillOptions, type BackfillResult, backfill } from './operations/backfill.ts'
import type { OperationContext } from './operations/context.ts'
import { type DiscoverOptions, type DiscoverProgress, type DiscoverResult, discover } from './operations/discover.ts'
import { type LiveOptions, type LiveStats, runPersistent } from './operations/live.ts'
import { type OperationsStatus, operationsStatus } from './operations/status.ts'
import { createRouter, type Router } from './serving/router.ts'
import { createStatus, type RuntimeState, type Status } from './serving/status.ts'
import { createXrpc } from './sources/xrpc.ts'
import type { Store } from './storage/store.ts'

/** What a deployment may say otherwise than the config that the app was generated from. */
export interface IndexerOptions {
  /** WebSocket URLs of Jetstream instances, in order of preference. */
  readonly jetstreams?: readonly string[] | undefined
  /** URLs of relays that list repos by collection. */
  readonly relays?: readonly string[] | undefined
  /** URL of the PLC directory. */
  readonly plc?: string | undefined
  /** `host` or `host:port` of PDSes that may be fetched from over http and at private addresses. */
  readonly allowHosts?: readonly string[] | undefined
  /** Default: the console. */
  readonly logger?: Logger | undefined
  /** Default: the system's. */
  readonly clock?: Clock | undefined
}

export interface BackfillAllOptions extends BackfillOptions {
  readonly onDiscover?: ((progress: DiscoverProgress) => void) | undefined
}

export interface BackfillAllResult extends DiscoverResult {
  readonly backfilled: BackfillResult
}

/** What `/status` says, and how discovery and backfill stand. */
export interface IndexerStatus extends Status, OperationsStatus {}

/** An index of one app on one store. `DB` types its tables. */
export interface Indexer<DB> {
  readonly app: App
  readonly store: Store
  /** The tables, for queries of your own. */
  readonly db: Kysely<DB>
  /**
   * Applies what is not applied yet of the app's migrations. Call it before anything else.
   *
   * @returns names of the migrations that this call applied
   * @throws LexidexError where a migration fails, or the database is ahead of the app
   */
  migrate(): Promise<readonly string[]>
  /** Asks the relays for the accounts with records of the app's collections. */
  discover(options?: DiscoverOptions): Promise<DiscoverResult>
  /** Fetches the history of the accounts that are known. Safe to interrupt and to run again. */
  backfill(options?: BackfillOptions): Promise<BackfillResult>
  /** Discovers, then fetches until nothing is due. What failed for now is due again after 15 min or more. */
  backfillAll(options?: BackfillAllOptions): Promise<BackfillAllResult>
  /** Follows Jetstream until `signal` aborts; then applies what was received and saves the position. */
  runPersistent(options?: LiveOptions): Promise<void>
  status(): Promise<IndexerStatus>
  /** Answers a request, for servers that do without the Fetch API. Never throws. */
  readonly handle: Router['handle']
  /** Answers a request, for servers that speak the Fetch API. Never throws. */
  fetch(request: Request): Promise<Response>
  /** Closes connections and the store. End `runPersistent` and `backfill` first, by their signals. */
  close(): Promise<void>
}

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
export function createIndexer<DB>(app: App, store: Store, options: IndexerOptions = {}): Indexer<DB> {
  const { collections, schemas, migrations } = app
  const { logger = console, clock = systemClock, plc = app.plc } = options
  const allowHosts = options.allowHosts ?? app.allowHosts
  const relays = options.relays ?? app.relays
  const guarded = createGuardedFetch({ allowHosts })
  // The operator chose the relays, so they may have any address; where they lead to may not.
  const trusted = createGuardedFetch({ allowHosts: [...allowHosts, ...relays.map(hostOf)] })
  const context: OperationContext = {
    collections,
    relays,
    jetstreams: options.jetstreams ?? app.jetstreams,
    store,
    admission: createAdmission({ collections, schemas, clock, logger }),
    resolver: createResolver({ plc, allowHosts, clock }),
    xrpc: createXrpc({ fetch: guarded, clock }),
    relayXrpc: createXrpc({ fetch: trusted, clock }),
    logger,
    clock,
  }
  let live: (() => LiveStats) | null = null
  const state = (): RuntimeState => stateOf(live?.() ?? null)
  const router = createRouter({ app, store, logger, clock, state })
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

  const indexer: Indexer<DB> = {
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
    async backfillAll({ onDiscover, ...backfillOptions } = {}) {
      const { signal } = backfillOptions
      const discovered = await indexer.discover({ signal, onProgress: onDiscover })
      return { ...discovered, backfilled: await indexer.backfill(backfillOptions) }
    },
    async runPersistent(liveOptions) {
      await ready()
      await runPersistent(context, liveOptions, (stats) => {
        live = stats
      })
    },
    async status() {
      return { ...(await served.status()), ...(await operationsStatus(context)) }
    },
    handle: router.handle,
    fetch: router.fetch,
    async close() {
      guarded.close()
      trusted.close()
      context.resolver.close()
      await store.close()
    },
  }
  return indexer
}

function hostOf(relay: string): string {
  if (!URL.canParse(relay)) {
    throw new LexidexError(`Not the URL of a relay: ${relay}`, { hint: 'Write it as https://host.' })
  }
  return new URL(relay).host
}

function stateOf(live: LiveStats | null): RuntimeState {
  const eventUs = live?.source.lastFrameUs ?? null
  return {
    connected: live !== null && live.source.host !== null,
    lastEventAt: eventUs === null ? null : Math.round(eventUs / 1000),
  }
}
