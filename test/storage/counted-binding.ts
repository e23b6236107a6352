import type { D1Binding, D1Statement } from '../../runtime/storage/d1/binding.ts'

/** A binding that remembers what went through it, one entry per way to the database: the SQL, or that of a whole batch. */
export class CountedBinding implements D1Binding {
  readonly #binding: D1Binding
  readonly #statements = new WeakMap<D1Statement, { readonly inner: D1Statement; readonly sql: string }>()
  #trips: string[] = []

  constructor(binding: D1Binding) {
    this.#binding = binding
  }

  /** What went through since this was last asked. */
  take(): readonly string[] {
    const trips = this.#trips
    this.#trips = []
    return trips
  }

  prepare(sql: string): D1Statement {
    return this.#watched(this.#binding.prepare(sql), sql)
  }

  async batch(statements: D1Statement[]) {
    const all = statements.map((statement) => this.#statements.get(statement)!)
    this.#trips.push(all.map(({ sql }) => sql).join(';\n'))
    return this.#binding.batch(all.map(({ inner }) => inner))
  }

  #watched(inner: D1Statement, sql: string): D1Statement {
    const statement: D1Statement = {
      bind: (...values) => this.#watched(inner.bind(...values), sql),
      all: () => {
        this.#trips.push(sql)
        return inner.all()
      },
    }
    this.#statements.set(statement, { inner, sql })
    return statement
  }
}
