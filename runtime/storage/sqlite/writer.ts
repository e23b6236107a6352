import type { DatabaseSync } from 'node:sqlite'
import type { ApplyBatch } from '../../core/operation.ts'
import type { ApplyResult, MaybePromise } from '../store.ts'
import { type AnswerOf, type Job, WriterSession } from './session.ts'

/** A job that is no batch. */
export type OtherJob = Exclude<Job, { kind: 'apply' }>

/** Whoever writes to the database: on the calling thread, or on another. */
export interface Writer {
  /** Whether batches are applied while the caller does other things. */
  readonly background: boolean
  /** @param follows as of `Store.apply` */
  apply(batch: ApplyBatch, follows?: ApplyBatch): MaybePromise<ApplyResult>
  /** @param transaction number of the transaction that the job opens, ends or belongs to; null for none */
  perform<J extends OtherJob>(job: J, transaction: number | null): MaybePromise<AnswerOf<J>>
  /** Resolves when what was asked for is done. */
  close(): MaybePromise<void>
}

/** Writes on the calling thread. Answers at once, unless a transaction is open: then when that has ended. */
export class InlineWriter implements Writer {
  readonly background = false
  readonly #session: WriterSession
  readonly #ids = new WeakMap<ApplyBatch, number>()
  #lastId = 0

  /** @param file path of the database; null for one that is nobody else's */
  constructor(db: DatabaseSync, file: string | null = null) {
    this.#session = new WriterSession(db, file)
  }

  apply(batch: ApplyBatch, follows?: ApplyBatch): MaybePromise<ApplyResult> {
    const id = ++this.#lastId
    this.#ids.set(batch, id)
    return this.#session.perform({ kind: 'apply', batch, id, follows: follows && this.#ids.get(follows) }, null)
  }

  perform<J extends OtherJob>(job: J, transaction: number | null): MaybePromise<AnswerOf<J>> {
    return this.#session.perform(job, transaction)
  }

  close(): void {
    this.#session.close()
  }
}
