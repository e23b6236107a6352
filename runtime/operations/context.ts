import type { Kysely } from 'kysely'
import type { Admission } from '../admission/admit.ts'
import type { CollectionDef } from '../core/collection.ts'
import type { Logger } from '../core/log.ts'
import type { Clock } from '../core/time.ts'
import type { Resolver } from '../identity/resolver.ts'
import type { XrpcClient } from '../sources/xrpc.ts'
import type { BookkeepingTables } from '../storage/bookkeeping.ts'
import type { Store } from '../storage/store.ts'

/** What the operations of one index share. */
export interface OperationContext {
  readonly collections: readonly CollectionDef[]
  /** DIDs whose records come first. */
  readonly repos?: readonly string[] | undefined
  /** WebSocket URLs, in order of preference. */
  readonly jetstreams: readonly string[]
  /** For compressed frames of Jetstream. */
  readonly zstdDictionary?: Uint8Array | undefined
  /** URLs of relays. */
  readonly relays: readonly string[]
  readonly store: Store
  readonly admission: Admission
  readonly resolver: Resolver
  /** For hosts that strangers chose. */
  readonly xrpc: XrpcClient
  /** For relays, which the operator chose. */
  readonly relayXrpc: XrpcClient
  readonly logger: Logger
  readonly clock: Clock
}

/** The store's bookkeeping tables, typed. */
export function bookkeeping(store: Store): Kysely<BookkeepingTables> {
  return store.db as Kysely<BookkeepingTables>
}
