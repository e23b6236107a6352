import type { ColumnType, Generated } from 'kysely'

/** Columns that every collection's table starts with, and the record itself. */
export interface RecordColumns {
  id: Generated<number>
  /** `at://did/collection/rkey` */
  uri: string
  did: string
  rkey: string
  cid: string
  /** Revision of the commit that wrote this version. */
  rev: string
  /** µs since 1970: when this index first met the record. */
  indexed_at: number
  /** µs since 1970: the record's own time, but never later than `indexed_at`. */
  sort_at: number
  /** 1 while the account is deactivated, suspended or taken down. */
  hidden: Generated<number>
  /** The record as JSON text. */
  record: string
}

/** Tables that lexidex keeps for itself. All names start with `lexidex_`. */
export interface BookkeepingTables {
  lexidex_account: AccountTable
  lexidex_cursor: CursorTable
  lexidex_discovery: DiscoveryTable
  lexidex_job: JobTable
  lexidex_migration: MigrationTable
  lexidex_quarantine: QuarantineTable
  lexidex_tombstone: TombstoneTable
}

/** Accounts that are known through a record of a discovered collection. */
export interface AccountTable {
  did: string
  handle: string | null
  pds: string | null
  /** ms since 1970: when `handle` and `pds` were resolved. */
  resolved_at: number | null
  /** `active`, or what the account's own PDS said instead. */
  status: Generated<string>
  hidden: Generated<number>
  /** ms since 1970 */
  first_seen_at: number
}

/** How far each source has been read. */
export interface CursorTable {
  source: string
  epoch: string
  cursor: string
  /** ms since 1970 */
  updated_at: number
}

/** How far each relay's listing of a collection has been walked. */
export interface DiscoveryTable {
  relay: string
  collection: string
  cursor: string | null
  completed: Generated<number>
  last_error: string | null
  /** ms since 1970 */
  updated_at: number
}

/** The history of one account in one collection, still to be fetched or fetched. */
export interface JobTable {
  did: string
  collection: string
  /** `pending`, `completed` or `failed` */
  status: Generated<string>
  cursor: string | null
  /** Revision of the repo before the listing began; rows of the listing carry it. */
  rev: string | null
  records: Generated<number>
  attempts: Generated<number>
  /** ms since 1970: not before then */
  due_at: Generated<number>
  last_error: string | null
  /** ms since 1970 */
  updated_at: number
}

export interface MigrationTable {
  name: string
  /** ms since 1970 */
  applied_at: number
}

/** Versions of records that were refused, with the reason. Replayed once it is mended. */
export interface QuarantineTable {
  uri: string
  collection: string
  did: string
  rev: string
  cid: string
  reason: string
  record: string
  /** ms since 1970 */
  quarantined_at: number
}

/** Deletions, so that an older write that arrives later stays deleted. */
export interface TombstoneTable {
  uri: string
  rev: string
  /** ms since 1970 */
  deleted_at: number
}

export type { ColumnType, Generated }
