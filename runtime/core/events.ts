/**
 * What a source yields, whatever it is: Jetstream, a PDS listing, a repo archive.
 * Everything that follows (admission, apply) sees only these shapes.
 */

/** A record that was created, updated or deleted in a repo. */
export type RecordEvent = RecordPut | RecordDelete

export interface RecordPut {
  readonly kind: 'put'
  readonly did: string
  /** NSID of the record's collection. */
  readonly collection: string
  readonly rkey: string
  /** Revision of the commit, a TID. It orders every write to one record. */
  readonly rev: string
  readonly cid: string
  /** The record as parsed JSON (`$link`, `$bytes` and blobs in their JSON form). */
  readonly record: unknown
  /** The source's own time for the event, in µs since 1970, where it has one. */
  readonly timeUs?: number
  /** Whether the source knows that the record did not exist before. */
  readonly isNew?: boolean
}

export interface RecordDelete {
  readonly kind: 'delete'
  readonly did: string
  readonly collection: string
  readonly rkey: string
  readonly rev: string
  readonly timeUs?: number
}

/** The hosting status of an account changed, as one host reports it. */
export interface AccountEvent {
  readonly kind: 'account'
  readonly did: string
  readonly active: boolean
  /** `deactivated`, `suspended`, `takendown`, `deleted`, … Unknown values are allowed. */
  readonly status?: string
  readonly timeUs: number
}

/** A hint that the DID document or the handle changed. The handle is unverified. */
export interface IdentityEvent {
  readonly kind: 'identity'
  readonly did: string
  readonly handle?: string
  readonly timeUs: number
}

/** The repo's commit chain broke; the whole repo must be fetched again. */
export interface SyncEvent {
  readonly kind: 'sync'
  readonly did: string
  readonly rev: string
  readonly timeUs: number
}

export type SourceEvent = RecordEvent | AccountEvent | IdentityEvent | SyncEvent

/**
 * How far a source has been read. It becomes durable in the same transaction as
 * the rows that precede it, never before.
 */
export interface Position {
  /** Name of the source, for example `jetstream`. */
  readonly source: string
  /** What the cursor belongs to: a cursor of one epoch (one host) means nothing in another. */
  readonly epoch: string
  /** Opaque to everyone but the source. Jetstream v1: µs since 1970, in decimal. */
  readonly cursor: string
}

/** One item of a source's stream: an event, or none where the source only moved on. */
export interface SourceItem {
  readonly event: SourceEvent | null
  /** The position once this item and all before it are applied. */
  readonly position: Position | null
}
