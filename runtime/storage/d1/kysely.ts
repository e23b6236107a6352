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
import type { D1Binding } from './binding.ts'
import { bound } from './parameters.ts'

/** Kysely on a D1 binding: SQLite's SQL, one statement at a time. */
export class D1Dialect implements Dialect {
  readonly #binding: D1Binding

  constructor(binding: D1Binding) {
    this.#binding = binding
  }

  createDriver(): Driver {
    const connection = new D1Connection(this.#binding)
    return {
      init: async () => {},
      acquireConnection: async () => connection,
      beginTransaction: async () => {
        throw new LexidexError('D1 has no transactions that span several calls', {
          hint: 'Write with one statement, or with `batch()` of the binding.',
        })
      },
      commitTransaction: async () => {},
      rollbackTransaction: async () => {},
      releaseConnection: async () => {},
      destroy: async () => {},
    }
  }

  createQueryCompiler(): QueryCompiler {
    return new SqliteQueryCompiler()
  }

  createAdapter(): DialectAdapter {
    return new Adapter()
  }

  createIntrospector(db: Kysely<any>): DatabaseIntrospector {
    return new SqliteIntrospector(db)
  }
}

class Adapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true
  }
}

class D1Connection implements DatabaseConnection {
  readonly #binding: D1Binding

  constructor(binding: D1Binding) {
    this.#binding = binding
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { results } = await bound(this.#binding, sql, parameters).all()
    return { rows: results as R[] }
  }

  // biome-ignore lint/correctness/useYield: an async generator is what Kysely asks for
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new LexidexError('Streaming is not supported on D1', {
      hint: 'Read pages with `limit` and a cursor instead.',
    })
  }
}
