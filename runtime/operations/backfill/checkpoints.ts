import type { Applier } from '../../apply/applier.ts'
import type { OperationContext } from '../context.ts'
import { type Job, saveJobs } from './jobs.ts'

/** ms that a checkpoint waits for others: one by one, transactions would be far too small. */
const INTERVAL_MS = 100

/** Saves how far jobs are, after the rows that they speak of are durable, and never before. */
export class Checkpoints {
  readonly #context: OperationContext
  readonly #applier: Applier
  readonly #onError: (error: unknown) => void
  #waiting = new Map<string, Job>()
  #timer: NodeJS.Timeout | null = null
  #saving: Promise<void> = Promise.resolve()

  /** @param onError told of what `flush` throws where a timer called it */
  constructor(context: OperationContext, applier: Applier, onError: (error: unknown) => void) {
    this.#context = context
    this.#applier = applier
    this.#onError = onError
  }

  /** Takes the state of a job, to be saved with all that was pushed to the applier before. */
  add(job: Job): void {
    this.#waiting.set(`${job.did} ${job.collection}`, job)
    this.#timer ??= setTimeout(() => this.flush().catch(this.#onError), INTERVAL_MS)
  }

  /** Resolves when everything that was added is saved. */
  flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const jobs = [...this.#waiting.values()]
    this.#waiting.clear()
    // One after the other, so that a job's older state cannot be written over its newer one.
    const saved = this.#saving.then(async () => {
      await this.#applier.flush()
      await saveJobs(this.#context, jobs)
    })
    this.#saving = saved.catch(() => {})
    return saved
  }
}
