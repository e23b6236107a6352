import type { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import type { CollectionDef } from '../../core/collection.ts'
import { LexidexError, messageOf } from '../../core/errors.ts'
import { type Logger, silentLogger } from '../../core/log.ts'
import type { ApplyBatch } from '../../core/operation.ts'
import type { ApplyResult, MaybePromise, Migration, PreparedQuery, ReadDialect, Store, Versions } from '../store.ts'
import { BatchWriter } from './apply.ts'
import { isDatabaseCondition, openDatabase } from './connection.ts'
import { SqliteDialect } from './kysely.ts'
import { endCutShort, SqliteBulkLoad } from './load.ts'
import { migrate, pendingMigrations } from './migrate.ts'
import { sqliteReads } from './reads.ts'
import { tableOf } from './tables.ts'
import { WriterUnavailable } from './unavailable.ts'
import { VersionReader } from './versions.ts'
import { InlineWriter, type Writer } from './writer.ts'
import { ThreadWriter, workerFile } from './writer-thread.ts'

export { madeBy } from './made-by.ts'

export interface SqliteStoreOptions {
  /** Serves an existing, migrated database and never writes to it. Default false. */
  readonly readonly?: boolean
  /**
   * Where batches and all else that writes runs. `thread`: on a thread of its own, so that reads and sockets never wait
   * for it. `inline`: on the calling thread. Default `thread`; `inline` in memory, for reading only, and with a warning
   * where no thread can be started.
   */
  readonly writer?: 'thread' | 'inline'
  /** Page cache in MB, of each thread. Default 64. */
  readonly cacheMb?: number
  /** How long a statement waits for another process's lock, in ms. Default 5000. */
  readonly busyTimeoutMs?: number
  /** Told of the migrations that were applied, and of what goes wrong. Default: warnings only, to the console. */
  readonly logger?: Logger
}

/** An index in one SQLite file. */
export interface SqliteStore extends Store {
  readonly dialect: 'sqlite'
  /** Path of the file, or `:memory:`. */
  readonly path: string
  /** The calling thread's connection, for pragmas and backups. What writes on it may wait for a batch, and hold up all. */
  readonly database: DatabaseSync
  migrate(migrations: readonly Migration[]): readonly string[]
  use(collections: readonly CollectionDef[]): void
}

/**
 * Opens an index on a SQLite file, which is created where it is missing. `:memory:` makes a private one.
 *
 * @example
 * const store = createSqliteStore('index.sqlite')
 *
 * @throws LexidexError where the file cannot be opened
 */
export function createSqliteStore(path: string, options: SqliteStoreOptions = {}): SqliteStore {
  return new NodeSqliteStore(path, options)
}

const warnings: Logger = { ...silentLogger, warn: console.warn, error: console.error }

class NodeSqliteStore implements SqliteStore {
  readonly dialect = 'sqlite'
  readonly path: string
  readonly database: DatabaseSync
  readonly db: Kysely<any>
  readonly reads: ReadDialect = sqliteReads
  readonly bulk: SqliteBulkLoad
  /** The whole path, for other threads; null for a database that is nobody else's. */
  readonly #file: string | null
  readonly #options: SqliteStoreOptions
  readonly #logger: Logger
  readonly #writer: Writer
  #versions: VersionReader | null = null
  #closing: { readonly done: MaybePromise<void> } | null = null

  constructor(path: string, options: SqliteStoreOptions) {
    this.path = path
    this.#options = options
    this.#logger = options.logger ?? warnings
    this.database = openDatabase(path, options)
    this.#file = fileOf(this.database)
    this.#writer = this.#openWriter()
    this.bulk = new SqliteBulkLoad(this.database, this.#writer)
    this.db = new Kysely({ dialect: new SqliteDialect(this.database, this.#writer) })
  }

  get background(): boolean {
    return this.#writer.background
  }

  migrate(migrations: readonly Migration[]): readonly string[] {
    if (this.#options.readonly) {
      const pending = pendingMigrations(this.database, migrations).map(({ name }) => name)
      if (pending.length === 0) return []
      throw new LexidexError(`The database is read-only and lacks migrations: ${pending.join(', ')}`, {
        hint: 'Migrate it first from a process that may write.',
      })
    }
    // Migrations count on the triggers that a load takes away.
    if (!this.#endCutShort() && pendingMigrations(this.database, migrations).length > 0) {
      throw new LexidexError('Another process loads in bulk, so the database cannot be migrated now', {
        hint: 'Wait for the backfill to end, or stop it, and start again.',
      })
    }
    const applied = migrate(this.database, migrations, {
      busyTimeoutMs: this.#options.busyTimeoutMs ?? 5000,
      now: Date.now(),
    })
    for (const name of applied) this.#logger.log(`applied migration ${name}`)
    return applied
  }

  use(collections: readonly CollectionDef[]): void {
    const tables = collections.map(tableOf)
    // Whatever is missing is missing here too, and is said at once.
    new BatchWriter(this.database, tables)
    // A thread that dies over it is replaced by one that is told again.
    void Promise.resolve(this.#writer.perform({ kind: 'use', tables }, null)).catch(() => {})
    this.#endCutShort()
  }

  apply(batch: ApplyBatch, follows?: ApplyBatch): MaybePromise<ApplyResult> {
    return this.#writer.apply(batch, follows)
  }

  isTransient(error: unknown): boolean {
    return error instanceof WriterUnavailable || isDatabaseCondition(error)
  }

  versions(): Versions {
    // Not before there is something to serve: the table comes with the migrations.
    this.#versions ??= new VersionReader(this.database)
    return this.#versions.read()
  }

  prepare(sql: string): PreparedQuery {
    const statement = this.database.prepare(sql)
    return { all: (values) => statement.all(...values) }
  }

  close(): MaybePromise<void> {
    this.#closing ??= { done: this.#close() }
    return this.#closing.done
  }

  #close(): MaybePromise<void> {
    const written = this.#writer.close()
    if (written === undefined) this.database.close()
    else return written.finally(() => this.database.close())
  }

  #endCutShort(): boolean {
    if (!this.#options.readonly) return endCutShort(this.database, this.#file, this.#logger)
    if (this.bulk.active()) this.#logger.warn('A bulk load has not ended: counts and search are behind')
    return true
  }

  #openWriter(): Writer {
    const { writer = 'thread', readonly, cacheMb, busyTimeoutMs } = this.#options
    const inline = new InlineWriter(this.database, this.#file)
    if (writer === 'inline' || readonly || this.#file === null) return inline
    const fallBack = (cause: unknown) => {
      this.#logger.warn(`No thread for writing, so that requests wait for every batch: ${messageOf(cause)}`)
      return inline
    }
    const worker = workerFile()
    if (worker === null) return fallBack('writer-worker.js is not beside the module; leave lexidex out of the bundle')
    return new ThreadWriter(worker, { path: this.#file, cacheMb, busyTimeoutMs, fallBack })
  }
}

/** Null where the database is in memory, or a temporary one. */
function fileOf(database: DatabaseSync): string | null {
  const [main] = database.prepare('PRAGMA database_list').all()
  return String(main!.file) || null
}
