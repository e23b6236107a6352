import type { Statement } from '../dialect.ts'

/** Tables that the runtime keeps for itself; `runtime/storage/bookkeeping.ts` types them. */
export const bookkeeping: readonly Statement[] = [
  {
    comment: 'Accounts that are known through a record of a discovered collection',
    sql: `CREATE TABLE lexidex_account (
  did TEXT PRIMARY KEY NOT NULL,
  handle TEXT,
  pds TEXT,
  resolved_at INTEGER,
  status TEXT NOT NULL DEFAULT 'active',
  hidden INTEGER NOT NULL DEFAULT 0,
  first_seen_at INTEGER NOT NULL,
  check_due_at INTEGER,
  check_attempts INTEGER NOT NULL DEFAULT 0,
  check_error TEXT,
  resync INTEGER NOT NULL DEFAULT 0,
  verified_rev TEXT
) STRICT, WITHOUT ROWID`,
  },
  {
    sql: 'CREATE INDEX lexidex_account_check_due ON lexidex_account (check_due_at) WHERE check_due_at IS NOT NULL',
  },
  {
    sql: 'CREATE INDEX lexidex_account_handle ON lexidex_account (handle) WHERE handle IS NOT NULL',
  },
  {
    sql: 'CREATE INDEX lexidex_account_named ON lexidex_account (resolved_at) WHERE handle IS NOT NULL',
  },
  {
    sql: 'CREATE INDEX lexidex_account_unnamed ON lexidex_account (resolved_at) WHERE handle IS NULL AND hidden < 2',
  },
  {
    comment: 'How far each source has been read',
    sql: `CREATE TABLE lexidex_cursor (
  source TEXT PRIMARY KEY NOT NULL,
  epoch TEXT NOT NULL,
  cursor TEXT NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID`,
  },
  {
    comment: 'How far each listing of a relay has been walked',
    sql: `CREATE TABLE lexidex_discovery (
  relay TEXT NOT NULL,
  collection TEXT NOT NULL,
  cursor TEXT,
  completed INTEGER NOT NULL DEFAULT 0,
  last_error TEXT,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (relay, collection)
) STRICT, WITHOUT ROWID`,
  },
  {
    comment: 'History of accounts, still to be fetched or fetched',
    sql: `CREATE TABLE lexidex_job (
  did TEXT NOT NULL,
  collection TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'pending',
  cursor TEXT,
  rev TEXT,
  records INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER NOT NULL DEFAULT 0,
  claimed_until INTEGER,
  last_error TEXT,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (did, collection)
) STRICT, WITHOUT ROWID`,
  },
  {
    sql: 'CREATE INDEX lexidex_job_due ON lexidex_job (status, due_at)',
  },
  {
    comment: 'Who may do what only one process may do, and until when',
    sql: `CREATE TABLE lexidex_lease (
  name TEXT PRIMARY KEY NOT NULL,
  holder TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID`,
  },
  {
    comment: 'Migrations that were applied',
    sql: `CREATE TABLE lexidex_migration (
  name TEXT PRIMARY KEY NOT NULL,
  applied_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID`,
  },
  {
    comment: 'Versions of records that were refused, with the reason',
    sql: `CREATE TABLE lexidex_quarantine (
  uri TEXT PRIMARY KEY NOT NULL,
  collection TEXT NOT NULL,
  did TEXT NOT NULL,
  rev TEXT NOT NULL,
  cid TEXT NOT NULL,
  reason TEXT NOT NULL,
  record TEXT NOT NULL,
  quarantined_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID`,
  },
  {
    comment: 'Backfills and refreshes as a whole, and how far each came',
    sql: `CREATE TABLE lexidex_run (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'in_progress',
  reason TEXT,
  last_did TEXT,
  dids_total INTEGER NOT NULL DEFAULT 0,
  dids_processed INTEGER NOT NULL DEFAULT 0,
  records INTEGER NOT NULL DEFAULT 0,
  error_count INTEGER NOT NULL DEFAULT 0,
  error_message TEXT,
  started_at INTEGER NOT NULL,
  completed_at INTEGER
) STRICT`,
  },
  {
    comment: 'What went wrong in a run, account by account',
    sql: `CREATE TABLE lexidex_run_error (
  id INTEGER PRIMARY KEY,
  run_id INTEGER NOT NULL,
  did TEXT NOT NULL,
  collection TEXT,
  message TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT`,
  },
  {
    sql: 'CREATE INDEX lexidex_run_error_run ON lexidex_run_error (run_id, created_at)',
  },
  {
    comment: 'Marks that outlive a crash: that counts and words are being rebuilt, for example',
    sql: `CREATE TABLE lexidex_state (
  name TEXT PRIMARY KEY NOT NULL,
  value TEXT NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID`,
  },
  {
    comment: 'Deletions, so that an older write that arrives later stays deleted',
    sql: `CREATE TABLE lexidex_tombstone (
  uri TEXT PRIMARY KEY NOT NULL,
  rev TEXT NOT NULL,
  deleted_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID`,
  },
  {
    sql: 'CREATE INDEX lexidex_tombstone_deleted_at ON lexidex_tombstone (deleted_at)',
  },
]
