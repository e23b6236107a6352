import type { Kysely } from 'kysely'
import type { App } from './app.ts'
import type { Page as RecordPage, RecordView } from './client/views.ts'
import type { Logger } from './core/log.ts'
import type { NotifyAccess, NotifyResult } from './core/notify.ts'
import type { Page } from './core/page.ts'
import type { Clock } from './core/time.ts'
import type { CheckAccountsOptions, CheckAccountsResult } from './operations/accounts/accounts.ts'
import type { BackfillOptions, BackfillResult } from './operations/backfill/backfill.ts'
import type { DiscoverOptions, DiscoverProgress, DiscoverResult } from './operations/backfill/discover.ts'
import type { HousekeepingOptions } from './operations/live/housekeeping.ts'
import type { IngestOptions, IngestResult } from './operations/live/ingest.ts'
import type { LiveOptions } from './operations/live/live.ts'
import type {
  ListQuarantineOptions,
  QuarantinedRecord,
  RetryQuarantineOptions,
  RetryQuarantineResult,
} from './operations/quarantine/quarantine.ts'
import type { RefreshOptions, RefreshResult } from './operations/refresh/refresh.ts'
import type { StartedBackfill } from './operations/runs/background-backfills.ts'
import type { BackfillKind, RunRow } from './operations/runs/run-rows.ts'
import type { NoBackfill, PerformOptions, PrepareOptions, RunOutcome } from './operations/runs/runs.ts'
import type { BackfillDecision, DecideOptions } from './operations/runs/startup.ts'
import type { OperationsStatus } from './operations/status/status.ts'
import type { CacheOptions } from './serving/http/cache.ts'
import type { Router } from './serving/router.ts'
import type { Status } from './serving/system/status.ts'
import type { Store } from './storage/store.ts'

/** What a deployment may say otherwise than the config that the app was generated from. */
export interface IndexerOptions {
  /** WebSocket URLs of Jetstream instances, in order of preference. */
  readonly jetstreams?: readonly string[] | undefined
  /**
   * Dictionary of Jetstream's software for `/subscribe`: its frames are then asked for compressed. Wherever it
   * does not work, as on older releases of Node, the stream is followed in plain text. Default: plain text.
   */
  readonly zstdDictionary?: Uint8Array | undefined
  /** URLs of relays that list repos by collection. */
  readonly relays?: readonly string[] | undefined
  /** URL of the PLC directory. */
  readonly plc?: string | undefined
  /** `host` or `host:port` of PDSes that may be fetched from over http and at private addresses. */
  readonly allowHosts?: readonly string[] | undefined
  /** DIDs of accounts whose records are fetched before those of others. */
  readonly repos?: readonly string[] | undefined
  /** Opens the admin routes to whoever sends it as a bearer token. Default: they are closed. */
  readonly adminSecret?: string | undefined
  /**
   * For work on an app, on one's own machine: the admin routes need no secret of programs there, and of pages that this
   * index itself serves, as long as it is reached as localhost. Default false.
   */
  readonly development?: boolean | undefined
  /** Refuses records whose content does not have the CID that their source states. Default false: sources are trusted. */
  readonly verifyCid?: boolean | undefined
  /** Who may call `{ns}.notifyOfUpdate`. Default: as the config has it; nobody, where it says nothing. */
  readonly notify?: NotifyAccess
  /**
   * Whether `listRecords` of an account whose records were never fetched fetches them first, for at most 3 s, and finds
   * handles that the index does not know. Default true.
   */
  readonly onDemand?: boolean | undefined
  /** What browsers get at `/`: `explorer` of `lexidex/explorer`, for one. Default: the JSON that everyone gets there. */
  readonly explorer?: Page | undefined
  /**
   * Memory for whole answers that are asked for again and again; they are given up as soon as something is written to
   * what they were read from. `false`: none, and no `etag` either. Default: 64 MB.
   */
  readonly cache?: CacheOptions | false | undefined
  /** Default: the console. */
  readonly logger?: Logger | undefined
  /** Default: the system's. */
  readonly clock?: Clock | undefined
}

export interface BackfillAllOptions extends Omit<BackfillOptions, 'dids'> {
  readonly onDiscover?: ((progress: DiscoverProgress) => void) | undefined
}

export interface BackfillAllResult extends DiscoverResult {
  readonly backfilled: BackfillResult
}

/** What `/status` says, and how discovery and backfill stand. */
export interface IndexerStatus extends Status, OperationsStatus {}

/** `listRecords` of any collection, where no types are emitted for it. */
export type AnyQuery = (collection: string, params?: object) => Promise<RecordPage<RecordView<any>>>

/** An index of one app on one store. `DB` types its tables, `Q` its lists. */
export interface Indexer<DB, Q = unknown> {
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
  /** Whether a backfill is due, and why. Ask before the stream is followed, whose first event makes its position new. */
  decideBackfill(options?: DecideOptions): Promise<BackfillDecision>
  /**
   * Backfills where that is due, or forced, and records it in `lexidex_run`. One that was cut short is gone on with.
   *
   * @throws BackfillInProgress where another goes on, here or in another process
   */
  performBackfill(options?: PrepareOptions & PerformOptions): Promise<RunOutcome | NoBackfill>
  /** The same in the background, until `close`; `{ns}.admin.backfill` is a route to it. */
  startBackfill(force?: BackfillKind): Promise<StartedBackfill>
  /** The backfill that was begun and not ended, or null. `performBackfill` goes on with it by itself. */
  checkForInterruptedBackfill(): Promise<RunRow | null>
  resumeBackfill(run: RunRow, options?: PerformOptions): Promise<RunOutcome>
  /**
   * Compares every known account with what is stored, and makes them the same, deletions too: after an outage, or to be
   * sure. Safe to run beside everything else. No substitute for following the stream.
   */
  refresh(options?: RefreshOptions): Promise<RefreshResult>
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
  /**
   * What `runPersistent` does beside the stream, for processes without it: fetches history as it falls due, and forgets
   * old deletions, until `signal` aborts.
   */
  keepHouse(options: HousekeepingOptions): Promise<void>
  status(): Promise<IndexerStatus>
  /**
   * `listRecords` of a collection by its short name, in process. `createServerClient` has all other methods.
   *
   * @throws XrpcClientError as the method answers it
   */
  readonly query: Q
  /** Answers a request, for servers that do without the Fetch API. Never throws. */
  readonly handle: Router['handle']
  /** Answers a request, for servers that speak the Fetch API. Never throws. */
  fetch(request: Request): Promise<Response>
  /** Resolves when what requests have begun in the background has ended: fetches of what they lacked, backfills. */
  idle(): Promise<void>
  /** Closes connections and the store. End `runPersistent` and `backfill` first, by their signals. */
  close(): Promise<void>
}
