import type { Json } from './json.ts'

/** A record as an index serves it. */
export interface RecordView<R> {
  /** `at://{did}/{collection}/{rkey}` */
  uri: string
  cid: string
  /** The record itself, as JSON. */
  value: Json<R>
  /** Who published it. */
  did: string
  /** NSID of its collection. */
  collection: string
  rkey: string
  /** What lists are ordered by, in µs since 1970: when it was created, or first indexed if that is earlier. */
  time_us: number
}

/** The view `V` of a profile of type `Nsid`, and whose it is. */
export type Profile<V, Nsid extends string> = V & {
  collection: Nsid
  /** Absent while it is not known, or does not lead back to the account. */
  handle?: string
}

/** An account without a profile. */
export interface NoProfile {
  did: string
  /** Absent while it is not known, or does not lead back to the account. */
  handle?: string
  collection?: never
  uri?: never
  cid?: never
  value?: never
  rkey?: never
}

/** One page of a list. */
export interface Page<V> {
  records: V[]
  /** Parameter of the next page. Absent on the last one. */
  cursor?: string
}

/** Parameters that every list takes. */
export interface ListParams {
  /** Records per page: 1 to 200, default 50. */
  limit?: number | undefined
  /** `cursor` of the page before, of the same list and the same parameters. */
  cursor?: string | undefined
  order?: 'asc' | 'desc' | undefined
  /** Only records of this account: a DID or a handle. */
  did?: string | undefined
  /** The same as `did`. */
  actor?: string | undefined
  /** Made at or after: bounds of `time_us`, ISO 8601 with a time zone. */
  createdAtMin?: string | undefined
  /** Made at or before. */
  createdAtMax?: string | undefined
  /** First seen by the index at or after. */
  indexedAtMin?: string | undefined
  /** First seen by the index at or before. */
  indexedAtMax?: string | undefined
}

/** How much is in the index. The numbers may be some seconds old. */
export interface Overview {
  /** Of all collections. */
  readonly total_records: number
  readonly collections: readonly {
    /** NSID. */
    readonly collection: string
    readonly records: number
    /** Accounts that have some. */
    readonly unique_users: number
  }[]
}

/** How far an index has read the stream: `{ cursor: null }` before it read anything. */
export type Cursor =
  | { cursor: null }
  | {
      /** Time of the last event, in µs since 1970. */
      time_us: number
      /** The same, in ISO 8601. */
      date: string
      seconds_ago: number
    }
