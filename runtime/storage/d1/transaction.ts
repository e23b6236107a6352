import type { ColumnValue } from '../../core/operation.ts'
import type { D1Binding } from './binding.ts'

type Take = (rows: Record<string, any>[]) => void

/** Statements that are run together or not at all. */
export class Transaction {
  readonly #statements: {
    readonly sql: string
    readonly values: readonly ColumnValue[]
    readonly take?: Take | undefined
  }[] = []

  /** @param take given the rows that the statement returns, in the order of the statements, once all are durable */
  add(sql: string, values: readonly ColumnValue[], take?: Take): void {
    this.#statements.push({ sql, values, take })
  }

  async run(binding: D1Binding): Promise<void> {
    if (this.#statements.length === 0) return
    // Statements of the same text are parsed once.
    const prepared = new Map(this.#statements.map(({ sql }) => [sql, binding.prepare(sql)]))
    const answers = await binding.batch(this.#statements.map(({ sql, values }) => prepared.get(sql)!.bind(...values)))
    for (const [i, { take }] of this.#statements.entries()) take?.(answers[i]!.results)
  }
}
