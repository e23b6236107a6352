import type { Kysely } from 'kysely'
import pg from 'pg'
import type { CollectionDef } from '../../core/collection.ts'
import { LexidexError, messageOf } from '../../core/errors.ts'
import { type Logger, silentLogger } from '../../core/log.ts'
import type { ApplyBatch } from '../../core/operation.ts'
import { misfit } from '../misfit.ts'
import type { ApplyResult, Migration, PreparedQuery, ReadDialect, SharedWork, Store, Versions } from '../store.ts'
import { BatchWriter } from './apply.ts'
import { type Bound, inBatch, isCollision, isDatabaseCondition, lacksKey, prepared } from './connection.ts'
import { createKysely } from './kysely.ts'
import { endCutShort, PostgresBulkLoad } from './load.ts'
import { migrate, pendingMigrations } from './migrate.ts'
import { mismatches, partitionsOf, warningOf } from './partitions.ts'
import { postgresReads } from './reads.ts'
import { repartition } from './repartition.ts'
import { type Reads, ReplicaReads, readsOf } from './replica.ts'
import { sharedWork } from './shared.ts'
import { numbered, quote } from './sql.ts'
import { READ_VERSIONS } from './statements.ts'
import { type CollectionTable, tablesOf } from './tables.ts'
import { WriterUnavailable } from './unavailable.ts'

export interface PostgresStoreOptions {
  /**
   * Where lists and records are read from: a replica, which may be behind. What this process has written it reads back all
   * the same: until the replica has it, and while that cannot be reached, `connection` answers. One server, no balancer
   * over several, of which one would be behind another. Default: `connection`.
   */
  readonly readFrom?: pg.Pool | string
  /** Connections at most, of each pool that is opened here. Default 10. */
  readonly connections?: number
  /** Serves an existing, migrated database and never migrates it. Default false. */
  readonly readonly?: boolean
  /** Whether statements are prepared by name; false behind a pooler that hands out connections by transaction. Default true. */
  readonly prepare?: boolean
  /** Told of the migrations that were applied, and of connections that were lost. Default: warnings only, to the console. */
  readonly logger?: Logger
}

/** An index in one Postgres database, which several processes may share. */
export interface PostgresStore extends Store {
  readonly dialect: 'postgres'
  /** Where all is written. */
  readonly pool: pg.Pool
  migrate(migrations: readonly Migration[]): Promise<readonly string[]>
  use(collections: readonly CollectionDef[]): Promise<void>
  repartition(collections: readonly CollectionDef[]): Promise<readonly string[]>
  apply(batch: ApplyBatch, follows?: ApplyBatch): Promise<ApplyResult>
  close(): Promise<void>
}

/**
 * An index in a Postgres database, version 15 or later, encoded in UTF-8.
 *
 * @param connection a URL, whose pool the store opens and ends; or a pool, which stays the caller's
 * @example
 * const store = createPostgresStore('postgres://app:secret@localhost/index')
 */
export function createPostgresStore(connection: pg.Pool | string, options: PostgresStoreOptions = {}): PostgresStore {
  return new PgStore(connection, options)
}

const warnings: Logger = { ...silentLogger, warn: console.warn, error: console.error }

/** Times that a batch is tried which met another writer. */
const ATTEMPTS = 5

/** ms until a replica that does not answer is taken for lost. */
const PATIENCE_MS = 3000

interface PoolOptions extends PostgresStoreOptions {
  /** ms to wait for a connection; 0 for ever. */
  readonly patience?: number
}

class PgStore implements PostgresStore {
  readonly dialect = 'postgres'
  readonly pool: pg.Pool
  readonly db: Kysely<any>
  readonly reads: ReadDialect = postgresReads
  readonly background = true
  readonly bulk: PostgresBulkLoad
  readonly shared: SharedWork
  readonly #reads: Reads
  /** Pools that were opened here. */
  readonly #own: pg.Pool[] = []
  readonly #logger: Logger
  readonly #named: boolean
  readonly #readonly: boolean
  readonly #failed = new WeakSet<ApplyBatch>()
  #collections: readonly CollectionDef[] = []
  #tables: readonly CollectionTable[] | null = null
  #writer: BatchWriter | null = null
  #hasWritten = false
  /** Settles when the batches that were given are done. */
  #last: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | null = null

  constructor(connection: pg.Pool | string, options: PostgresStoreOptions) {
    this.#logger = options.logger ?? warnings
    this.#named = options.prepare ?? true
    this.#readonly = options.readonly ?? false
    this.pool = this.#open(connection, options)
    this.#reads =
      options.readFrom === undefined
        ? readsOf(this.pool)
        : new ReplicaReads(this.pool, this.#open(options.readFrom, { ...options, patience: PATIENCE_MS }), this.#logger)
    this.db = createKysely(this.pool)
    this.shared = sharedWork(this.pool)
    this.bulk = new PostgresBulkLoad(this.pool, () => this.#tables, this.#logger)
  }

  async migrate(migrations: readonly Migration[]): Promise<readonly string[]> {
    if (this.#readonly) {
      const pending = (await pendingMigrations(this.pool, migrations)).map(({ name }) => name)
      if (pending.length === 0) return []
      throw new LexidexError(`The database lacks migrations: ${pending.join(', ')}`, {
        hint: 'Migrate it first from a process that may.',
      })
    }
    // Migrations count on the triggers that a load takes away.
    if (!(await endCutShort(this.pool, this.#logger)) && (await pendingMigrations(this.pool, migrations)).length > 0) {
      throw new LexidexError('Another process loads in bulk, so the database cannot be migrated now', {
        hint: 'Wait for the backfill to end, or stop it, and start again.',
      })
    }
    const applied = await migrate(this.pool, migrations, Date.now())
    for (const name of applied) this.#logger.log(`applied migration ${name}`)
    return applied
  }

  async use(collections: readonly CollectionDef[]): Promise<void> {
    for (const { table, columns } of collections) {
      const names = ['uri', 'rev', ...Object.keys(columns), 'record'].map(quote)
      try {
        await this.pool.query(`SELECT ${names.join(', ')} FROM ${quote(table)} LIMIT 0`)
      } catch (cause) {
        if (isDatabaseCondition(cause)) throw cause
        throw misfit(messageOf(cause), cause)
      }
    }
    this.#collections = collections
    const warning = warningOf(mismatches(collections, await this.#look()))
    if (this.#readonly) return
    if (warning !== null) this.#logger.warn(warning)
    await endCutShort(this.pool, this.#logger)
  }

  async repartition(collections: readonly CollectionDef[]): Promise<readonly string[]> {
    const changed = mismatches(collections, await partitionsOf(this.pool, collections))
    for (const { table, wanted } of changed) await repartition(this.pool, table, wanted)
    return changed.map(({ table }) => table)
  }

  apply(batch: ApplyBatch, follows?: ApplyBatch): Promise<ApplyResult> {
    const applied = this.#last.then(() => this.#apply(batch, follows))
    this.#last = applied.catch(() => this.#failed.add(batch))
    return applied
  }

  isTransient(error: unknown): boolean {
    return error instanceof WriterUnavailable || isDatabaseCondition(error)
  }

  async versions(): Promise<Versions> {
    // Where data is read from: a replica is behind in both.
    const answer = await this.#reads.tell(prepared(READ_VERSIONS, [], this.#named))
    return new Map(answer?.rows.map(({ name, version }) => [name, Number(version)]))
  }

  prepare(sql: string): PreparedQuery {
    const text = numbered(sql)
    // What is searched for decides how: a plan for any search would be one for none.
    const named = this.#named && !text.includes('::tsquery')
    return {
      all: async (values) => {
        const { rows } = await this.#reads.query(prepared(text, values.map(storable), named))
        return rows
      },
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#last.then(async () => {
      this.bulk.close()
      await Promise.all(this.#own.map((pool) => pool.end()))
    })
    return this.#closing
  }

  async #apply(batch: ApplyBatch, follows: ApplyBatch | undefined): Promise<ApplyResult> {
    if (follows !== undefined && this.#failed.has(follows)) {
      throw new WriterUnavailable('The batch before this one was not applied')
    }
    for (let attempt = 1; ; attempt++) {
      const writer = this.#writer
      if (writer === null) {
        throw new LexidexError('The store was not told of its collections', {
          hint: 'Call `store.use(app.collections)` once after `migrate()`.',
        })
      }
      try {
        const result = await inBatch(this.pool, (client) => writer.write(client, batch, !this.#hasWritten))
        this.#hasWritten = true
        if (batch.operations.length > 0) await this.#reads.wrote()
        return result
      } catch (error) {
        if (attempt === ATTEMPTS) throw error
        // Another process has cut a table into parts, or has made them one, since this one has looked.
        if (lacksKey(error)) await this.#look()
        else if (!isCollision(error)) throw error
      }
    }
  }

  /** Looks how tables are cut, and makes statements that fit. */
  async #look(): Promise<ReadonlyMap<string, number>> {
    const partitions = await partitionsOf(this.pool, this.#collections)
    this.#tables = tablesOf(this.#collections, partitions)
    this.#writer = new BatchWriter(this.#tables, this.#named)
    return partitions
  }

  #open(connection: pg.Pool | string, { connections = 10, patience = 0 }: PoolOptions): pg.Pool {
    const pool =
      typeof connection === 'string'
        ? new pg.Pool({ connectionString: connection, max: connections, connectionTimeoutMillis: patience })
        : connection
    if (typeof connection === 'string') this.#own.push(pool)
    // Of connections that nobody uses: whoever asks next gets another.
    const ignore = () => {}
    // Of connections in use: the query that is in hand fails as well.
    pool.on('connect', (client) => client.on('error', ignore))
    pool.on('error', (error) => this.#logger.warn(`Lost a connection to Postgres: ${messageOf(error)}`))
    return pool
  }
}

/** No text holds NUL: nothing that is asked for with one is there. */
function storable(value: string | number | null): Bound {
  return typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '') : value
}
