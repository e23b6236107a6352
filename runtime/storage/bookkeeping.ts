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

/** A row for each value of a list of each record; triggers keep it, and nothing else writes it. */
export interface ListValues {
  value: string
  /** Of the row that holds the list, as are the others. */
  sort_at: number
  uri: string
  id: number
}

/** Tables that lexidex keeps for itself. All names start with `lexidex_`. */
export interface BookkeepingTables {
  lexidex_account: AccountTable
  lexidex_cursor: CursorTable
  lexidex_discovery: DiscoveryTable
  lexidex_job: JobTable
  lexidex_lease: LeaseTable
  lexidex_migration: MigrationTable
  lexidex_quarantine: QuarantineTable
  lexidex_run: RunTable
  lexidex_run_error: RunErrorTable
  lexidex_state: StateTable
  lexidex_tombstone: TombstoneTable
  lexidex_version: VersionTable
}

/** Accounts that are known through a record of a discovered collection. */
export interface AccountTable {
  did: string
  handle: string | null
  pds: string | null
  /** ms since 1970: when `handle` and `pds` were resolved. */
  resolved_at: number | null
  /** `active`, or what the account's own PDS said instead: `deactivated`, `suspended`, `takendown`, `deleted`, … */
  status: Generated<string>
  hidden: Generated<number>
  /** ms since 1970 */
  first_seen_at: number
  /** ms since 1970: when to ask the account's own PDS for its status, and to resolve it anew; null while there is no need. */
  check_due_at: number | null
  /** Checks in a row that came to nothing. */
  check_attempts: Generated<number>
  /** Why the last of those came to nothing. */
  check_error: string | null
  /** 1 while the whole repo has to be compared with what is stored. */
  resync: Generated<number>
  /** Revision of the repo that was last compared with what is stored, and found or made the same. */
  verified_rev: string | null
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
  /** ms since 1970: until then a process works on it; null where none did. Only where several share the work. */
  claimed_until: number | null
  last_error: string | null
  /** ms since 1970 */
  updated_at: number
}

/** A right that one process has at a time. */
export interface LeaseTable {
  name: string
  /** Random, one per process. */
  holder: string
  /** ms since 1970 */
  expires_at: number
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

/** A backfill or refresh as a whole. */
export interface RunTable {
  id: Generated<number>
  /** `catch_up`, `full_sync` or `refresh` */
  kind: string
  /** `in_progress`, `completed` or `failed` */
  status: Generated<string>
  /** Why it was begun. */
  reason: string | null
  /** Where runs go through accounts by DID: the last one that is done. */
  last_did: string | null
  dids_total: Generated<number>
  dids_processed: Generated<number>
  records: Generated<number>
  error_count: Generated<number>
  error_message: string | null
  /** ms since 1970 */
  started_at: number
  /** ms since 1970 */
  completed_at: number | null
}

export interface RunErrorTable {
  id: Generated<number>
  run_id: number
  did: string
  collection: string | null
  message: string
  /** ms since 1970 */
  created_at: number
}

export interface StateTable {
  name: string
  value: string
  /** ms since 1970 */
  updated_at: number
}

/** Deletions, so that an older write that arrives later stays deleted. */
export interface TombstoneTable {
  uri: string
  rev: string
  /** ms since 1970 */
  deleted_at: number
}

/** How many visible records each account has in each table; in apps with `rest` only. */
export interface AuthorTable {
  /** Name of the table. */
  name: string
  did: string
  records: number
}

/** A number per table that changes with every write to it. */
export interface VersionTable {
  name: string
  /** Whose writes it counts, where many write at the same time: the numbers of a table are summed. */
  slot: Generated<number>
  version: number
}

export type { ColumnType, Generated }
