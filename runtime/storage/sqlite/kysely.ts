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
} from 'kysely'
import { LexidexError } from '../../core/errors.ts'
import { quote } from './statements.ts'
import type { Writer } from './writer.ts'

/**
 * Kysely on the store's two sides: queries that read run on the calling thread's connection, all others and whole
 * transactions wherever the store writes, between its batches. Where that is one and the same connection, Kysely lends
 * it to one caller at a time.
 */
export class SqliteDialect implements Dialect {
  readonly #database: DatabaseSync
  readonly #writer: Writer

  constructor(database: DatabaseSync, writer: Writer) {
    this.#database = database
    this.#writer = writer
  }

  createDriver(): Driver {
    const connect = () => new SqliteConnection(this.#database, this.#writer)
    return {
      init: async () => {},
      acquireConnection: async () => connect(),
      // IMMEDIATE: a transaction that reads first and writes later must not find the database changed between.
      beginTransaction: (connection, { accessMode }) =>
        sqlite(connection).begin(accessMode === 'read only' ? 'BEGIN' : 'BEGIN IMMEDIATE'),
      commitTransaction: (connection) => sqlite(connection).end('COMMIT'),
      rollbackTransaction: (connection) => sqlite(connection).end('ROLLBACK'),
      savepoint: (connection, name) => sqlite(connection).execute(`SAVEPOINT ${quote(name)}`),
      rollbackToSavepoint: (connection, name) => sqlite(connection).execute(`ROLLBACK TO ${quote(name)}`),
      releaseSavepoint: (connection, name) => sqlite(connection).execute(`RELEASE ${quote(name)}`),
      releaseConnection: async () => {},
      // The store owns the database and closes it.
      destroy: async () => {},
    }
  }

  createQueryCompiler(): QueryCompiler {
    return new SqliteQueryCompiler()
  }

  createAdapter(): DialectAdapter {
    return new Adapter(this.#writer.background)
  }

  createIntrospector(db: Kysely<any>): DatabaseIntrospector {
    return new SqliteIntrospector(db)
  }
}

class Adapter extends SqliteAdapter {
  readonly #manyConnections: boolean

  constructor(manyConnections: boolean) {
    super()
    this.#manyConnections = manyConnections
  }

  override get supportsMultipleConnections(): boolean {
    return this.#manyConnections
  }
}

/** The driver hands out no other. */
function sqlite(connection: DatabaseConnection): SqliteConnection {
  return connection as SqliteConnection
}

const WRITES = new Set(['InsertQueryNode', 'UpdateQueryNode', 'DeleteQueryNode', 'MergeQueryNode'])

/** Text of SQL that may write, whatever it begins with. Some that only reads is taken for it, and no harm done. */
const MAY_WRITE = /^(?!\s*(?:select|values|explain)\b)|\b(?:insert|update|delete|replace)\b/i

function mayWrite({ query, sql }: CompiledQuery): boolean {
  return query.kind === 'SelectQueryNode' ? false : query.kind !== 'RawNode' || MAY_WRITE.test(sql)
}

let lastTransaction = 0

class SqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync
  readonly #writer: Writer
  /** Number of the transaction that is open. */
  #transaction: number | null = null

  constructor(database: DatabaseSync, writer: Writer) {
    this.#database = database
    this.#writer = writer
  }

  async begin(sql: 'BEGIN' | 'BEGIN IMMEDIATE'): Promise<void> {
    const transaction = ++lastTransaction
    await this.#writer.perform({ kind: 'begin', sql }, transaction)
    this.#transaction = transaction
  }

  async end(sql: 'COMMIT' | 'ROLLBACK'): Promise<void> {
    await this.#writer.perform({ kind: 'end', sql }, this.#transaction)
    this.#transaction = null
  }

  async execute(sql: string): Promise<void> {
    await this.#writer.perform({ kind: 'statement', sql, values: [], returns: false }, this.#transaction)
  }

  async executeQuery<R>(compiled: CompiledQuery): Promise<QueryResult<R>> {
    const { sql, query } = compiled
    const values = compiled.parameters as SQLInputValue[]
    if (this.#transaction === null && !mayWrite(compiled)) {
      return { rows: this.#database.prepare(sql).all(...values) as R[] }
    }
    const returns = !WRITES.has(query.kind) || ('returning' in query && query.returning !== undefined)
    const statement = { kind: 'statement', sql, values, returns } as const
    const { rows, changes, lastInsertRowid } = await this.#writer.perform(statement, this.#transaction)
    if (returns) return { rows: rows as R[] }
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
  }

  // biome-ignore lint/correctness/useYield: an async generator is what Kysely asks for
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new LexidexError('Streaming is not supported on SQLite', {
      hint: 'Read pages with `limit` and a cursor instead.',
    })
  }
}
