import { Kysely } from 'kysely'
import type { CollectionDef } from '../../core/collection.ts'
import { LexidexError } from '../../core/errors.ts'
import { type Logger, silentLogger } from '../../core/log.ts'
import type { ApplyBatch, ColumnValue } from '../../core/operation.ts'
import { misfit } from '../misfit.ts'
import { childColumns } from '../sqlite/hydrate.ts'
import { sqliteReads } from '../sqlite/reads.ts'
import { READ_VERSIONS } from '../sqlite/statements.ts'
import { type CollectionTable, tableOf } from '../sqlite/tables.ts'
import type { ApplyResult, Migration, PreparedQuery, ReadDialect, Store, Versions } from '../store.ts'
import { BatchWriter } from './apply.ts'
import type { D1Binding } from './binding.ts'
import { isPassing } from './errors.ts'
import { D1Dialect } from './kysely.ts'
import { migrate, pendingMigrations } from './migrate.ts'
import { bound } from './parameters.ts'

export type { D1Answer, D1Binding, D1Statement } from './binding.ts'

export interface D1StoreOptions {
  /** `migrations_table` of the Wrangler config, where it states one. Default `d1_migrations`. */
  readonly migrationsTable?: string | undefined
  /** Applies no migrations: they have to be there. Default false. */
  readonly readonly?: boolean | undefined
  /** Called when the store is closed: ends what the binding came from. */
  readonly onClose?: (() => void | Promise<void>) | undefined
  /** Told of the migrations that were applied. Default: nobody. */
  readonly logger?: Logger | undefined
}

/** An index in a D1 database. Its migrations are those of SQLite. */
export interface D1Store extends Store {
  readonly dialect: 'sqlite'
  migrate(migrations: readonly Migration[]): Promise<readonly string[]>
  use(collections: readonly CollectionDef[]): Promise<void>
  apply(batch: ApplyBatch): Promise<ApplyResult>
}

/** Most selects that D1 takes in one statement. */
const SELECTS = 5

/**
 * An index in a Cloudflare D1 database.
 *
 * @param binding `env.DB` in a Worker; elsewhere that of Wrangler's `getPlatformProxy`, or of Miniflare
 *
 * @example
 * const store = createD1Store(env.DB)
 */
export function createD1Store(binding: D1Binding, options: D1StoreOptions = {}): D1Store {
  return new CloudflareStore(binding, options)
}

class CloudflareStore implements D1Store {
  readonly dialect = 'sqlite'
  readonly db: Kysely<any>
  readonly reads: ReadDialect = {
    ...sqliteReads,
    planning: { ...sqliteReads.planning!, selects: SELECTS },
    far: true,
    childColumns,
  }
  /** A batch is on its way for longer than it takes; but the next must not overtake it. */
  readonly background = false
  readonly #binding: D1Binding
  readonly #options: D1StoreOptions
  readonly #logger: Logger
  #writer: BatchWriter | null = null

  constructor(binding: D1Binding, options: D1StoreOptions) {
    this.#binding = binding
    this.#options = options
    this.#logger = options.logger ?? silentLogger
    this.db = new Kysely({ dialect: new D1Dialect(binding) })
  }

  async migrate(migrations: readonly Migration[]): Promise<readonly string[]> {
    const { migrationsTable: wranglerTable = 'd1_migrations', readonly = false } = this.#options
    const options = { wranglerTable, now: Date.now(), readonly }
    if (readonly) {
      const pending = (await pendingMigrations(this.#binding, migrations, options)).map(({ name }) => name)
      if (pending.length === 0) return []
      throw new LexidexError(`The database lacks migrations, and is to be looked at only: ${pending.join(', ')}`, {
        hint: 'Migrate it first, as `wrangler d1 migrations apply` does, and every process that writes.',
      })
    }
    const applied = await migrate(this.#binding, migrations, options)
    for (const name of applied) this.#logger.log(`applied migration ${name}`)
    return applied
  }

  async use(collections: readonly CollectionDef[]): Promise<void> {
    const tables = collections.map(tableOf)
    await this.#expectColumns(tables)
    this.#writer = new BatchWriter(this.#binding, tables)
  }

  async apply(batch: ApplyBatch): Promise<ApplyResult> {
    if (this.#writer !== null) return this.#writer.apply(batch)
    throw new LexidexError('The store was not told of its collections', {
      hint: 'Call `store.use(app.collections)` once after `migrate()`.',
    })
  }

  isTransient(error: unknown): boolean {
    return isPassing(error)
  }

  async versions(): Promise<Versions> {
    const { results } = await this.#binding.prepare(READ_VERSIONS).all()
    return new Map(results.map(({ name, version }) => [String(name), Number(version)]))
  }

  prepare(sql: string): PreparedQuery {
    const all = async (values: readonly ColumnValue[]) => (await bound(this.#binding, sql, values).all()).results
    return { all }
  }

  async close(): Promise<void> {
    await this.#options.onClose?.()
  }

  /** Prepared statements are checked when they run, so what is missing would be met late. */
  async #expectColumns(tables: readonly CollectionTable[]): Promise<void> {
    const names = JSON.stringify(tables.map(({ table }) => table))
    const { results } = await this.#binding
      .prepare(`SELECT item.value AS name, "column".name AS "column"
FROM json_each(?) AS item CROSS JOIN pragma_table_info(item.value) AS "column"`)
      .bind(names)
      .all()
    const there = new Set(results.map((row) => `${row.name}.${row.column}`))
    const wanted = tables.flatMap(({ table, columns }) => ['uri', ...columns].map((column) => `${table}.${column}`))
    const missing = wanted.filter((column) => !there.has(column))
    if (missing.length === 0) return
    throw misfit(`${missing.join(', ')} is not there`)
  }
}
