import type pg from 'pg'
import { LexidexError } from '../../core/errors.ts'
import type { Logger } from '../../core/log.ts'
import type { BulkLoad } from '../store.ts'
import { beginLoad, buildIndexes, endLoad, isLoading, loadingTables } from './bulk.ts'
import type { CollectionTable } from './tables.ts'

/**
 * Held by whoever loads in bulk, so that others can tell a load that is going on from one that was cut short: "lxdx",
 * and "lo". Of a session, which the server ends with the process.
 */
const LOCK = '1819829368, 27759'

/** Bulk loads of a store. */
export class PostgresBulkLoad implements BulkLoad {
  readonly #pool: pg.Pool
  readonly #tables: () => readonly CollectionTable[] | null
  readonly #logger: Logger
  /** Holds the lock while this store loads. */
  #session: pg.PoolClient | null = null

  constructor(pool: pg.Pool, tables: () => readonly CollectionTable[] | null, logger: Logger) {
    this.#pool = pool
    this.#tables = tables
    this.#logger = logger
  }

  async begin(): Promise<boolean> {
    const tables = this.#tables()
    if (tables === null) throw new LexidexError('The store was not told of its collections')
    if (this.#session !== null) return false
    const session = await take(this.#pool)
    if (session === null) return false
    let began = false
    try {
      began = await beginLoad(this.#pool, tables, Date.now())
    } finally {
      if (began) this.#session = session
      else await release(session)
    }
    return began
  }

  async end(): Promise<void> {
    const session = this.#session
    if (session === null) return
    await finish(this.#pool)
    this.#session = null
    await release(session)
  }

  active(): Promise<boolean> {
    return isLoading(this.#pool)
  }

  async recover(): Promise<void> {
    if (this.#session === null) await endCutShort(this.#pool, this.#logger)
  }

  /** Lets go of the lock, so that the next start ends the load. */
  close(): void {
    this.#session?.release(true)
    this.#session = null
  }
}

/**
 * Ends a load that was cut short with its process. One that is going on in another process is left to it.
 *
 * @returns whether the database is as it should be
 */
export async function endCutShort(pool: pg.Pool, logger: Logger): Promise<boolean> {
  if (!(await isLoading(pool))) return true
  const session = await take(pool)
  if (session === null) return false
  try {
    logger.warn('The last bulk load was cut short: indexing and counting what it has left')
    await finish(pool)
    return true
  } finally {
    await release(session)
  }
}

async function finish(pool: pg.Pool): Promise<void> {
  const tables = await loadingTables(pool)
  await buildIndexes(pool)
  await endLoad(pool, tables)
}

async function take(pool: pg.Pool): Promise<pg.PoolClient | null> {
  const session = await pool.connect()
  try {
    const { rows } = await session.query(`SELECT pg_try_advisory_lock(${LOCK}) AS taken`)
    if (rows[0].taken) return session
  } catch (error) {
    session.release(true)
    throw error
  }
  session.release()
  return null
}

/** By ending the session: a lock that is left by mistake would stay with the pool. */
async function release(session: pg.PoolClient): Promise<void> {
  session.release(true)
}
