import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { LexidexError, messageOf } from '../../core/errors.ts'

export interface ConnectionOptions {
  /** Opens an existing database for reading only. Default false. */
  readonly readonly?: boolean | undefined
  /** Page cache in MB. Default 64. */
  readonly cacheMb?: number | undefined
  /** How much of the file is read as memory, in MB. Default 256. */
  readonly mmapMb?: number | undefined
  /** How long a statement waits for another process's lock, in ms. Default 5000. */
  readonly busyTimeoutMs?: number | undefined
}

/** Primary result codes of SQLite. @see https://sqlite.org/rescode.html */
export const SQLITE_BUSY = 5
const LOCKED = 6
const NOMEM = 7
const READONLY = 8
const INTERRUPT = 9
const IOERR = 10
const CORRUPT = 11
const FULL = 13
const CANTOPEN = 14
const PROTOCOL = 15
const NOTADB = 26

const CONDITIONS = new Set([
  SQLITE_BUSY,
  LOCKED,
  NOMEM,
  READONLY,
  INTERRUPT,
  IOERR,
  CORRUPT,
  FULL,
  CANTOPEN,
  PROTOCOL,
  NOTADB,
])

/** Primary result code of an error that `node:sqlite` threw; null for any other. */
export function resultCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return null
  return error.errcode & 0xff
}

/** Whether the error is about the database (busy, full, unreadable), not about what was written. */
export function isDatabaseCondition(error: unknown): boolean {
  const code = resultCode(error)
  return code !== null && CONDITIONS.has(code)
}

/**
 * Opens a database file, or a private one in memory for `:memory:`.
 *
 * @throws LexidexError where the file cannot be opened or is no SQLite database
 */
export function openDatabase(path: string, options: ConnectionOptions = {}): DatabaseSync {
  let db: DatabaseSync
  try {
    db = new DatabaseSync(path, { readOnly: options.readonly ?? false, enableForeignKeyConstraints: false })
  } catch (cause) {
    throw cannotOpen(path, cause)
  }
  try {
    db.exec(`PRAGMA busy_timeout = ${options.busyTimeoutMs ?? 5000}`)
    db.exec(`PRAGMA cache_size = ${-1024 * (options.cacheMb ?? 64)}`)
    db.exec('PRAGMA temp_store = MEMORY')
    db.exec(`PRAGMA mmap_size = ${(options.mmapMb ?? 256) * 1024 * 1024}`)
    if (!options.readonly) {
      enterWal(db)
      // NORMAL in WAL survives a crash of the process; a power cut may lose the newest transactions, rows and
      // position together, and the source delivers them again.
      db.exec('PRAGMA synchronous = NORMAL')
      // The default of 1000 pages checkpoints several times per batch of random index writes.
      db.exec('PRAGMA wal_autocheckpoint = 16000')
      db.exec(`PRAGMA journal_size_limit = ${128 * 1024 * 1024}`)
    }
    return db
  } catch (cause) {
    db.close()
    throw cannotOpen(path, cause)
  }
}

/**
 * Switching to WAL needs the file for itself for a moment, and SQLite does not wait for that as it does for other
 * locks: processes that open a new database together see "locked" here.
 */
function enterWal(db: DatabaseSync): void {
  for (let attempt = 0; ; attempt++) {
    try {
      db.exec('PRAGMA journal_mode = WAL')
      return
    } catch (error) {
      if (resultCode(error) !== SQLITE_BUSY || attempt === 200) throw error
      sleepSync(10 + Math.random() * 20)
    }
  }
}

function sleepSync(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

function cannotOpen(path: string, cause: unknown): LexidexError {
  return new LexidexError(`Cannot open the SQLite database ${path}: ${messageOf(cause)}`, {
    hint: 'Check that the directory exists and is writable, and that the file is a SQLite database.',
    cause,
  })
}

/** Runs `work` in one write transaction; on an error nothing of it stays. */
export function inTransaction<T>(db: DatabaseSync, statements: TransactionStatements, work: () => T): T {
  statements.begin.run()
  let result: T
  try {
    result = work()
    statements.commit.run()
  } catch (error) {
    rollback(db)
    throw error
  }
  return result
}

export interface TransactionStatements {
  readonly begin: StatementSync
  readonly commit: StatementSync
}

export function transactionStatements(db: DatabaseSync): TransactionStatements {
  // IMMEDIATE takes the write lock first, so that a busy database is met before anything is done.
  return { begin: db.prepare('BEGIN IMMEDIATE'), commit: db.prepare('COMMIT') }
}

function rollback(db: DatabaseSync): void {
  try {
    db.exec('ROLLBACK')
  } catch (error) {
    // A full disk or an I/O error makes SQLite roll back by itself; then there is nothing left to do.
    if (!messageOf(error).includes('no transaction is active')) throw error
  }
}
