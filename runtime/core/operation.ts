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

export type Operation = PutOperation | DeleteOperation | QuarantineOperation

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
