import type { CollectionDef } from './collection.ts'
import type { Position } from './events.ts'

/** A value that a column can hold. */
export type ColumnValue = string | number | null

/** Write a record, unless a write or a deletion of an equal or later rev is known. */
export interface PutOperation {
  readonly op: 'put'
  readonly collection: CollectionDef
  readonly uri: string
  readonly did: string
  readonly rkey: string
  readonly cid: string
  readonly rev: string
  /** µs since 1970: when this index met the record. Kept from the first time. */
  readonly indexedAt: number
  /** µs since 1970: `min(created, indexedAt)`. */
  readonly sortAt: number
  /** One value per promoted column, in the collection's order. */
  readonly values: readonly ColumnValue[]
  /** The record as JSON text; served byte for byte. */
  readonly record: string
  /**
   * Second attempt at a quarantined version, after its lexicon was mended: it may pass the tombstone
   * that its own quarantine left.
   */
  readonly retry?: boolean
}

/** Delete a record, unless a later write is known, and remember the deletion. */
export interface DeleteOperation {
  readonly op: 'delete'
  readonly collection: CollectionDef
  readonly uri: string
  readonly did: string
  readonly rev: string
}

/** Hide whatever was shown of a record and keep the offending version with the reason. */
export interface QuarantineOperation {
  readonly op: 'quarantine'
  readonly collection: CollectionDef
  readonly uri: string
  readonly did: string
  readonly rev: string
  readonly cid: string
  readonly reason: string
  readonly record: string
}

/**
 * Note that an account may have changed, where it is one that is known: what a stream says of accounts is a hint, so
 * its own PDS is asked later. The note is as durable as the position of the event that gave the hint.
 */
export interface CheckOperation {
  readonly op: 'check'
  readonly did: string
  /** Whether the repo has to be compared as a whole as well. */
  readonly resync: boolean
}

/**
 * What was found out about a known account. Hides or shows all of its records; `deleted` removes them, and no write
 * of that account is taken until it is active again.
 */
export interface AccountOperation {
  readonly op: 'account'
  readonly did: string
  /** `active`, or what the account's own PDS said instead. */
  readonly status: string
  /** Verified in both directions; null where it is not, or has none. Another account's claim to it is cleared. */
  readonly handle: string | null
  readonly pds: string | null
  /**
   * ms since 1970: when it was asked for. A hint that came later than that leaves the account due for another check.
   * Default: nothing leaves it due.
   */
  readonly askedAt?: number
}

/** What is done to one record. */
export type RecordOperation = PutOperation | DeleteOperation | QuarantineOperation

export type Operation = RecordOperation | CheckOperation | AccountOperation

/**
 * What one transaction applies. Nothing in it depends on a read, so that databases
 * without interactive transactions can run it as well.
 */
export interface ApplyBatch {
  /** In the order of arrival; order between different URIs does not matter. */
  readonly operations: readonly Operation[]
  /** Become durable together with the operations. At most one per source. */
  readonly positions: readonly Position[]
  /** ms since 1970, for bookkeeping rows. */
  readonly now: number
}
