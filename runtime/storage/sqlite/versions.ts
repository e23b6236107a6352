import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Versions } from '../store.ts'
import { READ_VERSIONS } from './statements.ts'

const NONE: Versions = new Map()

/** Reads the versions of tables, and only where something has been written at all since they were read. */
export class VersionReader {
  readonly #db: DatabaseSync
  /** Changes with what any other connection commits. */
  readonly #others: StatementSync
  /** Changes with what this connection writes. */
  readonly #own: StatementSync
  readonly #all: StatementSync
  #known: { readonly others: number; readonly own: number; readonly versions: Versions } | null = null

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#others = db.prepare('PRAGMA data_version')
    this.#own = db.prepare('SELECT total_changes()')
    // Asked with every request: a row is quicker to have as an array than as an object.
    for (const statement of [this.#others, this.#own]) statement.setReturnArrays(true)
    this.#all = db.prepare(READ_VERSIONS)
  }

  read(): Versions {
    // What a transaction on this connection has written shows to it alone, and may be undone.
    if (this.#db.isTransaction) return NONE
    const others = numberOf(this.#others)
    const own = numberOf(this.#own)
    if (this.#known !== null && this.#known.others === others && this.#known.own === own) return this.#known.versions
    const versions = new Map(this.#all.all().map(({ name, version }) => [String(name), Number(version)]))
    this.#known = { others, own, versions }
    return versions
  }
}

function numberOf(statement: StatementSync): number {
  const [number] = statement.get() as unknown as [number]
  return number
}
