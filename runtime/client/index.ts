/**
 * What emitted clients import. Runs in browsers, workers and servers alike: nothing here needs
 * more than `fetch`, `URL`, `Headers`, `AbortSignal` and timers.
 */

export type { NotifyError, NotifyResult } from '../core/notify.ts'
export type { QueryParams, QueryResult } from './config-queries.ts'
export { XrpcClientError } from './error.ts'
export type { Hydrated, Nested } from './hydrated.ts'
export type { Json, JsonBlob, JsonBytes, JsonLink } from './json.ts'
export type {
  CallOptions,
  ClientOptions,
  FetchFunction,
  HeadersFunction,
  ServiceAuthFunction,
  ServiceAuthRequest,
} from './options.ts'
export type { Cursor, ListParams, NoProfile, Overview, Page, Profile, RecordView } from './views.ts'
export { createXrpcClient, type XrpcClient } from './xrpc.ts'
