/** What emitted server code imports. */

export { z } from 'zod'
export type { App } from './app.ts'
export {
  boolean,
  type CollectionDef,
  type ColumnDef,
  type ColumnKind,
  cid,
  datetime,
  defineCollection,
  integer,
  type ReferenceDef,
  type RelationDef,
  strings,
  text,
  type ValidationMode,
} from './core/collection.ts'
export { LexidexError, XrpcError } from './core/errors.ts'
export type { LiveState, RuntimeState } from './core/liveness.ts'
export type { Logger } from './core/log.ts'
export type { NotifyAccess, NotifyError, NotifyResult } from './core/notify.ts'
export type { LoadedPage, Page } from './core/page.ts'
export type { Route, RouteAnswer, RouteRequest } from './core/route.ts'
export { type Clock, systemClock } from './core/time.ts'
export { type InProcessService, inProcess, type ServerClientOptions } from './in-process.ts'
export {
  type AnyQuery,
  type BackfillAllOptions,
  type BackfillAllResult,
  createIndexer,
  type Indexer,
  type IndexerOptions,
  type IndexerStatus,
} from './indexer.ts'
export type { CheckAccountsOptions, CheckAccountsResult } from './operations/accounts/accounts.ts'
export type { HousekeepingOptions } from './operations/live/housekeeping.ts'
export type { IngestOptions, IngestResult } from './operations/live/ingest.ts'
export type { LiveOptions } from './operations/live/live.ts'
export type {
  ListQuarantineOptions,
  QuarantinedRecord,
  RetryQuarantineOptions,
  RetryQuarantineResult,
} from './operations/quarantine/quarantine.ts'
export type { CollectionCounts } from './operations/refresh/comparison.ts'
export type { RefreshOptions, RefreshProgress, RefreshResult } from './operations/refresh/refresh.ts'
export { formatRefresh } from './operations/refresh/refresh-report.ts'
export type { StartedBackfill } from './operations/runs/background-backfills.ts'
export type { BackfillKind, RunRow } from './operations/runs/run-rows.ts'
export {
  BackfillInProgress,
  type NoBackfill,
  type PerformOptions,
  type PrepareOptions,
  type RunOutcome,
} from './operations/runs/runs.ts'
export type { BackfillDecision, DecideOptions, DecisionReason } from './operations/runs/startup.ts'
export {
  type CustomDef,
  defineCustomQuery,
  defineGet,
  defineList,
  defineNarrowedList,
  type GetDef,
  type ListDef,
  type MethodDef,
  type NarrowedDef,
  type Query,
} from './serving/define.ts'
export type { CacheOptions } from './serving/http/cache.ts'
export type { ServedRequest, ServedResponse } from './serving/http/messages.ts'
export { createMatcher, type MatchedRow } from './serving/lists/matcher.ts'
export type { Filter } from './serving/params/filters.ts'
export {
  booleanParam,
  count,
  datetimeParam,
  flag,
  getParams,
  hydrateLimit,
  integerParam,
  listParams,
  many,
  prefixParam,
  search,
} from './serving/params/params.ts'
export { createRouter, type Router, type RouterOptions } from './serving/router.ts'
export type { CursorView, Status } from './serving/system/status.ts'
export type { AuthorTable, BookkeepingTables, Generated, ListValues, RecordColumns } from './storage/bookkeeping.ts'
export type { Migration, Migrations, Store } from './storage/store.ts'
