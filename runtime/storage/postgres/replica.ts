import type pg from 'pg'
import { messageOf } from '../../core/errors.ts'
import type { Logger } from '../../core/log.ts'
import { once, type Queryable, sqlState } from './connection.ts'

/** Where lists and records are read from. */
export interface Reads extends Queryable {
  /**
   * The same for what tells how new the data is that is read afterwards; null where there is no telling, because what is
   * read comes from elsewhere meanwhile.
   */
  tell(config: pg.QueryConfig): Promise<pg.QueryResult | null>
  /** To be called when this process has written something. */
  wrote(): Promise<void>
}

/** Reads what is written to: always the newest. */
export function readsOf(pool: pg.Pool): Reads {
  return { query: (config) => pool.query(config), tell: (config) => pool.query(config), wrote: async () => {} }
}

/** ms between two looks whether a replica that was lost is back. */
const LOOK_MS = 5000

/** How far the log of the server that is written to has come. */
const WRITTEN = 'SELECT pg_current_wal_insert_lsn() AS position'

/** Whether a replica has come to a position. Null of a server that is none: then there is no telling, and it is taken for one. */
const HAS = 'SELECT coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, true) AS reached'

/**
 * Reads a replica, which may be behind. What this process has written itself it reads back: until the replica has that
 * too, the server that is written to answers. It does as well while the replica cannot be reached, and for a query that
 * the replica gives up or knows no table for.
 */
export class ReplicaReads implements Reads {
  readonly #primary: pg.Pool
  readonly #replica: pg.Pool
  readonly #logger: Logger
  /** Position that the replica has to come to; null where it has. */
  #behind: string | null = null
  #catchingUp: Promise<void> | null = null
  /** When the next look is due, in ms since 1970; null while the replica is there. */
  #lost: number | null = null

  constructor(primary: pg.Pool, replica: pg.Pool, logger: Logger) {
    this.#primary = primary
    this.#replica = replica
    this.#logger = logger
  }

  async query(config: pg.QueryConfig): Promise<pg.QueryResult> {
    const answer = (await this.#isUsable()) ? await this.#ask(config) : null
    return answer ?? this.#primary.query(config)
  }

  async tell(config: pg.QueryConfig): Promise<pg.QueryResult | null> {
    // Never of the primary: what is read next might come from the replica again, and be older than that.
    return (await this.#isUsable()) ? this.#ask(config) : null
  }

  async wrote(): Promise<void> {
    try {
      const { rows } = await this.#primary.query(WRITTEN)
      this.#behind = rows[0].position
    } catch {
      // It is written all the same, and a server that has ended since is not one to read from.
    }
  }

  /** Null where the replica cannot answer and the primary may. */
  async #ask(config: pg.QueryConfig): Promise<pg.QueryResult | null> {
    try {
      return await this.#replica.query(config)
    } catch (error) {
      if (isConnection(error)) this.#lose(error)
      else if (!isReplicas(error)) throw error
      return null
    }
  }

  async #isUsable(): Promise<boolean> {
    if (this.#lost !== null) {
      if (Date.now() >= this.#lost) this.#look()
      return false
    }
    if (this.#behind === null) return true
    // One question for all who wait.
    this.#catchingUp ??= this.#catchUp(this.#behind).finally(() => {
      this.#catchingUp = null
    })
    await this.#catchingUp
    return this.#behind === null && this.#lost === null
  }

  async #catchUp(position: string): Promise<void> {
    const answer = await this.#ask(once(HAS, [position]))
    // More may have been written meanwhile.
    if (answer?.rows[0].reached && this.#behind === position) this.#behind = null
  }

  #lose(error: unknown): void {
    if (this.#lost === null) {
      this.#logger.warn(
        `The replica cannot be read (${messageOf(error)}): until it can, the database that is written to answers`,
      )
    }
    this.#lost = Date.now() + LOOK_MS
  }

  /** Behind the requests: they go elsewhere until the answer is there. */
  #look(): void {
    this.#lost = Number.POSITIVE_INFINITY
    this.#replica.query('SELECT 1').then(
      () => {
        this.#lost = null
        this.#logger.log('The replica is read again')
      },
      (error: unknown) => this.#lose(error),
    )
  }
}

/** Whether the server could not be asked at all. */
function isConnection(error: unknown): boolean {
  const state = sqlState(error)
  if (isBusy(error)) return false
  return state === null
    ? error instanceof Error
    : ['08', '28', '3D', '53', '57P'].some((beginning) => state.startsWith(beginning))
}

/** Whether an error is about the replica: what it replays got in the way, or it has not come to a migration yet. */
function isReplicas(error: unknown): boolean {
  const state = sqlState(error) ?? ''
  if (isBusy(error)) return true
  return state.startsWith('40') || ['42P01', '42703', '42883'].includes(state)
}

/** Whether nothing is wrong but that all connections are in use, for longer than a request should wait. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && error.message === 'timeout exceeded when trying to connect'
}
