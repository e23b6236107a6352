import type { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import type { CollectionDef } from '../../core/collection.ts'
import { LexidexError } from '../../core/errors.ts'
import type { Logger } from '../../core/log.ts'
import type { ApplyBatch } from '../../core/operation.ts'
import type { ApplyResult, MaybePromise, Migration, PreparedQuery, ReadDialect, Store } from '../store.ts'
import { BatchWriter } from './apply.ts'
import { isDatabaseCondition, openDatabase } from './connection.ts'
import { SqliteDialect } from './kysely.ts'
import { migrate, pendingMigrations } from './migrate.ts'
import { sqliteReads } from './reads.ts'
import { tableOf } from './tables.ts'

export interface SqliteStoreOptions {
  /** Serves an existing, migrated database and never writes to it. Default false. */
  readonly readonly?: boolean
  /** Page cache in MB. Default 64. */
  readonly cacheMb?: number
  /** How long a statement waits for another process's lock, in ms. Default 5000. */
  readonly busyTimeoutMs?: number
  /** Told of the migrations that were applied. Default: nobody. */
  readonly logger?: Logger
}

/** An index in one SQLite file. Everything but `db` answers at once, on the calling thread. */
export interface SqliteStore extends Store {
  readonly dialect: 'sqlite'
  /** Path of the file, or `:memory:`. */
  readonly path: string
  /** The connection underneath, for pragmas and backups. */
  readonly database: DatabaseSync
  migrate(migrations: readonly Migration[]): readonly string[]
  use(collections: readonly CollectionDef[]): void
  /** Answers at once, unless a transaction of `db` is open: then it waits for its end. */
  apply(batch: ApplyBatch): MaybePromise<ApplyResult>
  close(): void
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

class NodeSqliteStore implements SqliteStore {
  readonly dialect = 'sqlite'
  readonly path: string
  readonly database: DatabaseSync
  readonly db: Kysely<any>
  readonly reads: ReadDialect = sqliteReads
  readonly #options: SqliteStoreOptions
  readonly #kysely: SqliteDialect
  #writer: BatchWriter | null = null
  #closed = false

  constructor(path: string, options: SqliteStoreOptions) {
    this.path = path
    this.#options = options
    this.database = openDatabase(path, options)
    this.#kysely = new SqliteDialect(this.database)
    this.db = new Kysely({ dialect: this.#kysely })
  }

  migrate(migrations: readonly Migration[]): readonly string[] {
    if (this.#options.readonly) {
      const pending = pendingMigrations(this.database, migrations).map(({ name }) => name)
      if (pending.length === 0) return []
      throw new LexidexError(`The database is read-only and lacks migrations: ${pending.join(', ')}`, {
        hint: 'Migrate it first from a process that may write.',
      })
    }
    const applied = migrate(this.database, migrations, {
      busyTimeoutMs: this.#options.busyTimeoutMs ?? 5000,
      now: Date.now(),
    })
    for (const name of applied) this.#options.logger?.log(`applied migration ${name}`)
    return applied
  }

  use(collections: readonly CollectionDef[]): void {
    this.#writer = new BatchWriter(this.database, collections.map(tableOf))
  }

  apply(batch: ApplyBatch): MaybePromise<ApplyResult> {
    const writer = this.#writer
    if (writer === null) {
      throw new LexidexError('The store was not told of its collections', {
        hint: 'Call `store.use(app.collections)` once after `migrate()`.',
      })
    }
    return this.#kysely.transactionEnd === null ? writer.apply(batch) : this.#applyLater(writer, batch)
  }

  /** Kysely's transaction spans ticks on the same connection; the batch must not become part of it. */
  async #applyLater(writer: BatchWriter, batch: ApplyBatch): Promise<ApplyResult> {
    while (this.#kysely.transactionEnd !== null) await this.#kysely.transactionEnd
    return writer.apply(batch)
  }

  isTransient(error: unknown): boolean {
    return isDatabaseCondition(error)
  }

  prepare(sql: string): PreparedQuery {
    const statement = this.database.prepare(sql)
    return { all: (values) => statement.all(...values) }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.database.close()
  }
}
