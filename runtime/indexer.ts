import type { Kysely } from 'kysely'
import { createAdmission } from './admission/admit.ts'
import type { App } from './app.ts'
import { LexidexError } from './core/errors.ts'
import type { RuntimeState } from './core/liveness.ts'
import type { Logger } from './core/log.ts'
import type { NotifyAccess, NotifyResult } from './core/notify.ts'
import { type Clock, systemClock } from './core/time.ts'
import { createGuardedFetch } from './identity/guarded-fetch.ts'
import { createResolver } from './identity/resolver.ts'
import { type CheckAccountsOptions, type CheckAccountsResult, checkAccounts } from './operations/accounts.ts'
import { type BackfillOptions, type BackfillResult, backfill } from './operations/backfill.ts'
import type { OperationContext } from './operations/context.ts'
import { type DiscoverOptions, type DiscoverProgress, type DiscoverResult, discover } from './operations/discover.ts'
import { type IngestOptions, type IngestResult, ingest } from './operations/ingest.ts'
import { type LiveOptions, runPersistent } from './operations/live.ts'
import { NOT_FOLLOWING } from './operations/liveness.ts'
import { notify } from './operations/notify.ts'
import { notifyRoutes } from './operations/notify-route.ts'
import { OnDemand } from './operations/on-demand.ts'
import {
  type ListQuarantineOptions,
  listQuarantine,
  type QuarantinedRecord,
  type RetryQuarantineOptions,
  type RetryQuarantineResult,
  retryQuarantine,
} from './operations/quarantine.ts'
import { type OperationsStatus, operationsStatus } from './operations/status.ts'
import { createRouter, type Router } from './serving/router.ts'
import { createStatus, type Status } from './serving/status.ts'
import { subscriptionUrls } from './sources/jetstream-urls.ts'
import { createXrpc } from './sources/xrpc.ts'
import type { Store } from './storage/store.ts'

/** What a deployment may say otherwise than the config that the app was generated from. */
export interface IndexerOptions {
  /** WebSocket URLs of Jetstream instances, in order of preference. */
  readonly jetstreams?: readonly string[] | undefined
  /**
   * Dictionary of Jetstream's software for `/subscribe`: its frames are then asked for compressed. Node takes it from
   * 22.19 and 24.6 on; wherever it does not work the stream is followed in plain text. Default: plain text.
   */
  readonly zstdDictionary?: Uint8Array | undefined
  /** URLs of relays that list repos by collection. */
  readonly relays?: readonly string[] | undefined
  /** URL of the PLC directory. */
  readonly plc?: string | undefined
  /** `host` or `host:port` of PDSes that may be fetched from over http and at private addresses. */
  readonly allowHosts?: readonly string[] | undefined
  /** Refuses records whose content does not have the CID that their source states. Default false: sources are trusted. */
  readonly verifyCid?: boolean | undefined
  /** Who may call `{ns}.notifyOfUpdate`. Default: as the config has it; nobody, where it says nothing. */
  readonly notify?: NotifyAccess
  /**
   * Whether `listRecords` of an account whose records were never fetched fetches them first, for at most 3 s, and finds
   * handles that the index does not know. Default true.
   */
  readonly onDemand?: boolean | undefined
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
  /** Reads Jetstream up to now, and ends: one cycle of at most 25 s, for schedulers. */
  ingest(options?: IngestOptions): Promise<IngestResult>
  /**
   * Fetches records from their authors' PDSes and applies them before it resolves: what an app has written, it can read
   * at once.
   *
   * @param uris URIs of records that were created, updated or deleted; at most 25
   * @throws RangeError where there are more
   */
  notify(uris: string | readonly string[]): Promise<NotifyResult>
  /** Asks how known accounts stand, those first that the stream has hinted at. `runPersistent` does so all the time. */
  checkAccounts(options?: CheckAccountsOptions): Promise<CheckAccountsResult>
  /** Versions of records that were refused, with the reasons. */
  listQuarantine(options?: ListQuarantineOptions): Promise<readonly QuarantinedRecord[]>
  /** Tries refused versions again, as after their lexicon was mended. */
  retryQuarantine(options: RetryQuarantineOptions): Promise<RetryQuarantineResult>
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
  const onDemand = new OnDemand(context, () => ready())
  const { namespace } = app
  const router = createRouter({
    app,
    store,
    logger,
    clock,
    state,
    status: () => operationsStatus(context),
    ...(options.onDemand === false ? {} : { accounts: onDemand }),
    routes: notifyRoutes({ namespace, access: options.notify, context, notify: (uris) => indexer.notify(uris) }),
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
    async status() {
      return { ...(await served.status()), ...(await operationsStatus(context)) }
    },
    handle: router.handle,
    fetch: router.fetch,
    async close() {
      await onDemand.close()
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
