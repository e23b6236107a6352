import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  type QueryCompiler,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type TransactionSettings,
} from 'kysely'
import { LexidexError } from '../../core/errors.ts'

/**
 * Kysely on a `DatabaseSync` that others use as well. Kysely itself lends the one connection to one caller at a time;
 * `transactionEnd` lets the store's own writes wait for a transaction that is open across ticks.
 */
export class SqliteDialect implements Dialect {
  readonly #connection: SqliteConnection
  #open: { readonly ended: Promise<void>; readonly end: () => void } | null = null

  constructor(db: DatabaseSync) {
    this.#connection = new SqliteConnection(db)
  }

  /** Resolves when the transaction that is open now ends; null where none is. */
  get transactionEnd(): Promise<void> | null {
    return this.#open?.ended ?? null
  }

  createDriver(): Driver {
    const connection = this.#connection
    const closeTransaction = () => {
      this.#open?.end()
      this.#open = null
    }
    return {
      init: async () => {},
      acquireConnection: async () => connection,
      beginTransaction: async (_connection: DatabaseConnection, settings: TransactionSettings) => {
        // IMMEDIATE: a transaction that reads first and writes later must not find the database changed between.
        connection.execute(settings.accessMode === 'read only' ? 'BEGIN' : 'BEGIN IMMEDIATE', [])
        let end = () => {}
        const ended = new Promise<void>((resolve) => {
          end = resolve
        })
        this.#open = { ended, end }
      },
      commitTransaction: async () => {
        connection.execute('COMMIT', [])
        closeTransaction()
      },
      rollbackTransaction: async () => {
        try {
          connection.execute('ROLLBACK', [])
        } finally {
          closeTransaction()
        }
      },
      savepoint: async (_connection, name) => connection.execute(`SAVEPOINT ${quoteSavepoint(name)}`, []),
      rollbackToSavepoint: async (_connection, name) => connection.execute(`ROLLBACK TO ${quoteSavepoint(name)}`, []),
      releaseSavepoint: async (_connection, name) => connection.execute(`RELEASE ${quoteSavepoint(name)}`, []),
      releaseConnection: async () => {},
      // The store owns the database and closes it.
      destroy: async () => {},
    }
  }

  createQueryCompiler(): QueryCompiler {
    return new SqliteQueryCompiler()
  }

  createAdapter(): DialectAdapter {
    return new SqliteAdapter()
  }

  createIntrospector(db: Kysely<any>): DatabaseIntrospector {
    return new SqliteIntrospector(db)
  }
}

function quoteSavepoint(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

const WRITES = new Set(['InsertQueryNode', 'UpdateQueryNode', 'DeleteQueryNode', 'MergeQueryNode'])

class SqliteConnection implements DatabaseConnection {
  readonly #db: DatabaseSync

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  execute(sql: string, parameters: readonly unknown[]): void {
    this.#db.prepare(sql).run(...(parameters as SQLInputValue[]))
  }

  async executeQuery<R>({ sql, parameters, query }: CompiledQuery): Promise<QueryResult<R>> {
    const statement = this.#db.prepare(sql)
    const values = parameters as SQLInputValue[]
    if (!WRITES.has(query.kind) || ('returning' in query && query.returning !== undefined)) {
      return { rows: statement.all(...values) as R[] }
    }
    const { changes, lastInsertRowid } = statement.run(...values)
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
  }

  // biome-ignore lint/correctness/useYield: an async generator is what Kysely asks for
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new LexidexError('Streaming is not supported on SQLite', {
      hint: 'Read pages with `limit` and a cursor instead.',
    })
  }
}
