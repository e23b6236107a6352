import { rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { resultCode, SQLITE_BUSY } from './connection.ts'

/**
 * Held by whoever loads in bulk, so that others can tell a load that is going on from one that was cut short: the
 * system lets go of it when the process ends, however that comes about. A file beside the database.
 */
export class LoadLock {
  readonly #file: string | null
  readonly #db: DatabaseSync

  private constructor(file: string | null, db: DatabaseSync) {
    this.#file = file
    this.#db = db
  }

  /**
   * Null where someone else has it.
   *
   * @param database its path; null for one that is nobody else's
   */
  static take(database: string | null): LoadLock | null {
    const file = database === null ? null : `${database}-load`
    const db = new DatabaseSync(file ?? ':memory:')
    try {
      db.exec('BEGIN EXCLUSIVE')
      return new LoadLock(file, db)
    } catch (error) {
      db.close()
      if (resultCode(error) === SQLITE_BUSY) return null
      throw error
    }
  }

  release(): void {
    this.#db.close()
    if (this.#file !== null) rmSync(this.#file, { force: true })
  }
}
