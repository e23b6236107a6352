import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { LexidexError, messageOf } from '../../core/errors.ts'
import type { ApplyResult, MaybePromise } from '../store.ts'
import { BatchWriter, type WrittenBatch } from './apply.ts'
import { beginLoad, buildIndex, endLoad, shrinkCache } from './bulk.ts'
import { LoadLock } from './load-lock.ts'
import type { CollectionTable } from './tables.ts'
import { Turns } from './turns.ts'
import { WriterUnavailable } from './unavailable.ts'

/** What can be asked of the one connection that writes. All of it is plain data. */
export type Job =
  | { readonly kind: 'use'; readonly tables: readonly CollectionTable[] }
  | ApplyJob
  | StatementJob
  | { readonly kind: 'begin'; readonly sql: 'BEGIN' | 'BEGIN IMMEDIATE' }
  | { readonly kind: 'end'; readonly sql: 'COMMIT' | 'ROLLBACK' }
  | { readonly kind: 'load'; readonly step: 'begin' | 'index' | 'end'; readonly now: number }

export interface ApplyJob {
  readonly kind: 'apply'
  readonly batch: WrittenBatch
  /** Given where batches are sent before those in front of them have settled. */
  readonly id?: number
  /** The batch in front: where that one failed, this one fails as well. */
  readonly follows?: number | undefined
}

export interface StatementJob {
  readonly kind: 'statement'
  readonly sql: string
  readonly values: readonly SQLInputValue[]
  /** Whether its rows are wanted, or how many rows it changed. */
  readonly returns: boolean
}

export interface StatementResult {
  readonly rows: Record<string, unknown>[]
  readonly changes: number | bigint
  readonly lastInsertRowid: number | bigint
}

/** What each kind of job answers. */
export interface Answers {
  use: undefined
  apply: ApplyResult
  statement: StatementResult
  begin: undefined
  end: undefined
  /** Whether a load has begun; whether an index was built; true. */
  load: boolean
}

export type AnswerOf<J extends Job> = Answers[J['kind']]

/** Statements that are kept prepared, beside those of batches. */
const PREPARED = 100

/** Failed batches that are remembered. Whatever follows one is sent while the failure is on its way to the sender. */
const FAILED = 100

/** Does the jobs of one connection: in order, and none in the middle of another's transaction. */
export class WriterSession {
  readonly #db: DatabaseSync
  readonly #file: string | null
  readonly #turns = new Turns()
  readonly #prepared = new Map<string, StatementSync>()
  readonly #failed = new Set<number>()
  #tables: readonly CollectionTable[] | null = null
  #batches: BatchWriter | null = null
  #growCache: () => void = () => {}
  #loadLock: LoadLock | null = null

  /** @param file path of the database; null for one that is nobody else's */
  constructor(db: DatabaseSync, file: string | null) {
    this.#db = db
    this.#file = file
  }

  /** Lets go of what is held outside of the database. */
  close(): void {
    this.#loadLock?.release()
  }

  /**
   * Answers at once, unless another's transaction is open.
   *
   * @param transaction number of the transaction that the job opens, ends or belongs to
   */
  perform<J extends Job>(job: J, transaction: number | null): MaybePromise<AnswerOf<J>>
  perform(job: Job, transaction: number | null): MaybePromise<Answers[keyof Answers]> {
    return this.#turns.take(transaction, () => this.#do(job, transaction))
  }

  #do(job: Job, transaction: number | null): Answers[keyof Answers] {
    switch (job.kind) {
      case 'use':
        this.#tables = job.tables
        this.#batches = null
        return
      case 'apply':
        return this.#apply(job)
      case 'statement':
        return this.#run(job)
      case 'begin':
        this.#db.exec(job.sql)
        this.#turns.open(transaction!)
        return
      case 'end':
        this.#end(job.sql)
        return
      case 'load':
        return this.#load(job.step, job.now)
    }
  }

  #apply({ batch, id, follows }: ApplyJob): ApplyResult {
    const tables = this.#known()
    try {
      if (follows !== undefined && this.#failed.has(follows)) {
        throw new WriterUnavailable('The batch before this one was not applied')
      }
      // Not when it is told of the tables: a database that does not fit then may be mended meanwhile.
      this.#batches ??= new BatchWriter(this.#db, tables)
      return this.#batches.apply(batch)
    } catch (error) {
      if (id !== undefined) this.#rememberFailure(id)
      throw error
    }
  }

  #known(): readonly CollectionTable[] {
    if (this.#tables !== null) return this.#tables
    throw new LexidexError('The store was not told of its collections', {
      hint: 'Call `store.use(app.collections)` once after `migrate()`.',
    })
  }

  #rememberFailure(id: number): void {
    this.#failed.add(id)
    if (this.#failed.size <= FAILED) return
    const [oldest] = this.#failed
    this.#failed.delete(oldest!)
  }

  #load(step: 'begin' | 'index' | 'end', now: number): boolean {
    if (step === 'index') return buildIndex(this.#db)
    if (step === 'begin') {
      const tables = this.#known()
      const lock = LoadLock.take(this.#file)
      if (lock === null) return false
      const began = beginLoad(this.#db, tables, now)
      if (began) {
        this.#loadLock = lock
        this.#growCache = shrinkCache(this.#db)
      } else lock.release()
      return began
    }
    endLoad(this.#db)
    this.#growCache()
    this.#loadLock?.release()
    this.#loadLock = null
    return true
  }

  #run({ sql, values, returns }: StatementJob): StatementResult {
    const statement = this.#prepare(sql)
    if (returns) return { rows: statement.all(...values), changes: 0, lastInsertRowid: 0 }
    return { rows: [], ...statement.run(...values) }
  }

  #prepare(sql: string): StatementSync {
    const kept = this.#prepared.get(sql)
    if (kept !== undefined) return kept
    const statement = this.#db.prepare(sql)
    if (this.#prepared.size >= PREPARED) this.#prepared.clear()
    this.#prepared.set(sql, statement)
    return statement
  }

  #end(sql: 'COMMIT' | 'ROLLBACK'): void {
    try {
      this.#db.exec(sql)
    } catch (error) {
      // A commit that failed leaves the transaction to its owner, who rolls it back.
      if (sql === 'COMMIT') throw error
      // A full disk or an I/O error makes SQLite roll back by itself; then there is nothing left to do.
      if (!messageOf(error).includes('no transaction is active')) throw error
    }
    this.#turns.end()
  }
}
