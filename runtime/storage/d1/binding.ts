/**
 * What is used of a D1 binding. Stated here, so that neither the types of Workers nor those of a tool are needed; the
 * bindings of both fit.
 */
export interface D1Binding {
  prepare(sql: string): D1Statement
  /** One transaction: all of the statements, or an error and nothing of them. */
  batch(statements: D1Statement[]): Promise<D1Answer[]>
}

export interface D1Statement {
  bind(...values: unknown[]): D1Statement
  all(): Promise<D1Answer>
}

/** `meta.changes` is left out on purpose: it counts what triggers and foreign statements change as well. */
export interface D1Answer {
  readonly results: Record<string, any>[]
}
