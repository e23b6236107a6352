import type { DatabaseSync } from 'node:sqlite'
import type { Logger } from '../../core/log.ts'
import type { BulkLoad, MaybePromise } from '../store.ts'
import { buildIndex, endLoad, isLoading } from './bulk.ts'
import { LoadLock } from './load-lock.ts'
import type { Writer } from './writer.ts'

/** Bulk loads of a store, done wherever it writes. */
export class SqliteBulkLoad implements BulkLoad {
  readonly #database: DatabaseSync
  readonly #writer: Writer
  #began = false

  constructor(database: DatabaseSync, writer: Writer) {
    this.#database = database
    this.#writer = writer
  }

  async begin(): Promise<boolean> {
    if (this.#began) return false
    const began = await this.#step('begin')
    // Another call may have begun one while this one was refused.
    if (began) this.#began = true
    return began
  }

  async end(): Promise<void> {
    if (!this.#began) return
    while (await this.#step('index')) {}
    await this.#step('end')
    this.#began = false
  }

  active(): boolean {
    return isLoading(this.#database)
  }

  #step(step: 'begin' | 'index' | 'end'): MaybePromise<boolean> {
    return this.#writer.perform({ kind: 'load', step, now: Date.now() }, null)
  }
}

/**
 * Ends a load that was cut short with its process. One that is going on in another process is left to it.
 *
 * @param file path of the database; null for one that is nobody else's
 * @returns whether the database is as it should be
 */
export function endCutShort(database: DatabaseSync, file: string | null, logger: Logger): boolean {
  if (!isLoading(database)) return true
  const lock = LoadLock.take(file)
  if (lock === null) return false
  try {
    logger.warn('The last bulk load was cut short: indexing and counting what it has left')
    while (buildIndex(database)) {}
    endLoad(database)
    return true
  } finally {
    lock.release()
  }
}
