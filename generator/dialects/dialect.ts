import type { SchemaPlan } from '../plan/types.ts'

/** A statement of a migration, with the comment that a reviewer reads above it. */
export interface Statement {
  readonly comment?: string
  /** Without the final semicolon. */
  readonly sql: string
}

/** What the generator needs of a database. One folder each; the same file names in all. */
export interface Dialect {
  /** Names the folder of its migrations, which databases that take the same ones share. */
  readonly name: string
  /** As messages name it. */
  readonly title: string
  /** Most columns of a table, where that is within reach of a config. */
  readonly maxColumns?: number
  /** All that an empty database needs to hold `plan`. */
  createSchema(plan: SchemaPlan): Statement[]
}
