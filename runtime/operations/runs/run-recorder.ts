import { isProgrammingError, messageOf } from '../../core/errors.ts'
import { eventLine } from '../../core/log.ts'
import type { OperationContext } from '../context.ts'
import { addRunErrors, type RunError, type RunProgress, type RunRow, saveRunProgress } from './run-rows.ts'

/** ms between checkpoints. */
const SAVE_MS = 1000
/** ms between lines of the log. */
const TELL_MS = 60_000
/** Errors that are kept of one run; the rest is only counted. */
const MAX_ERRORS = 10_000

/** How far a phase of a run is. */
export interface PhaseProgress {
  readonly accountsDone: number
  readonly accountsTotal: number
  readonly records: number
}

export interface RecorderOptions {
  readonly resumed: boolean
  /** What the run is called in the log. Default: `backfill`. */
  readonly name?: string
}

/** Keeps the row of a run up to date while it goes on, and the rows of its errors. */
export class RunRecorder {
  readonly #context: OperationContext
  readonly #run: RunRow
  readonly #name: string
  /** What the run's events are called in the log. */
  readonly event: string
  readonly #startedAt = performance.now()
  #now: RunProgress
  /** How it was before the phase that goes on. */
  #before: RunProgress
  #errors: RunError[] = []
  #kept = 0
  #savedAt = Number.NEGATIVE_INFINITY
  #toldAt = performance.now()
  #saving: Promise<void> | null = null
  #mistake: unknown = null

  constructor(context: OperationContext, run: RunRow, { resumed, name = 'backfill' }: RecorderOptions) {
    this.#context = context
    this.#run = run
    this.#name = name
    this.event = resumed ? `${name}.resume` : name
    const { last_did, dids_total, dids_processed, records, error_count } = run
    this.#now = { last_did, dids_total, dids_processed, records, error_count }
    this.#before = this.#now
  }

  get progress(): RunProgress {
    return this.#now
  }

  /** The run's id, as the log's lines name it. */
  get id(): Readonly<Record<string, string>> {
    return { [`${this.#name}Id`]: String(this.#run.id) }
  }

  get elapsedMs(): number {
    return Math.round(performance.now() - this.#startedAt)
  }

  /** A phase begins, whose accounts and records are added to those before. */
  begin(): void {
    this.#now = { ...this.#now, dids_total: this.#now.dids_processed }
    this.#before = this.#now
  }

  advance({ accountsDone, accountsTotal, records }: PhaseProgress): void {
    const { dids_total, dids_processed, records: before } = this.#before
    this.#now = {
      ...this.#now,
      dids_total: dids_total + accountsTotal,
      dids_processed: dids_processed + accountsDone,
      records: before + records,
    }
    if (performance.now() - this.#savedAt >= SAVE_MS) void this.#save()
  }

  fail(error: RunError): void {
    this.#now = { ...this.#now, error_count: this.#now.error_count + 1 }
    if (this.#kept++ < MAX_ERRORS) this.#errors.push(error)
  }

  /** All accounts up to this one are done: the next checkpoint says so. */
  reach(lastDid: string): void {
    this.#now = { ...this.#now, last_did: lastDid }
  }

  async passed(lastDid: string): Promise<void> {
    this.reach(lastDid)
    await this.flush()
  }

  /** @throws where saving was a mistake in the code; what the database refuses is saved by the next checkpoint */
  async flush(): Promise<void> {
    await this.#saving
    await this.#save()
    if (this.#mistake !== null) throw this.#mistake
  }

  /** Never rejects. One at a time. */
  #save(): Promise<void> {
    this.#savedAt = performance.now()
    this.#saving ??= this.#write().finally(() => {
      this.#saving = null
    })
    return this.#saving
  }

  async #write(): Promise<void> {
    const { logger } = this.#context
    const errors = this.#errors
    const id = this.#run.id
    this.#errors = []
    try {
      await saveRunProgress(this.#context, id, this.#now)
      await addRunErrors(this.#context, id, errors)
      this.#tell()
    } catch (error) {
      if (isProgrammingError(error)) this.#mistake ??= error
      this.#errors.unshift(...errors)
      logger.warn(eventLine(`${this.event}.checkpoint_failed`, { ...this.id, error: messageOf(error) }))
    }
  }

  #tell(): void {
    if (performance.now() - this.#toldAt < TELL_MS) return
    this.#toldAt = performance.now()
    const { dids_processed: didsProcessed, dids_total: didsTotal, records: recordsIndexed } = this.#now
    const figures = { didsProcessed, didsTotal, recordsIndexed, elapsedMs: this.elapsedMs }
    this.#context.logger.log(
      eventLine(`${this.#name}.progress`, {
        ...this.id,
        type: this.#run.kind,
        ...figures,
      }),
    )
  }
}
