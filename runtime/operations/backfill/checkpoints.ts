import type { Applier } from '../../apply/applier.ts'
import type { OperationContext } from '../context.ts'
import { type Job, saveHosts, saveJobs } from './jobs.ts'

/** ms that a checkpoint waits for others: one by one, transactions would be far too small. */
const INTERVAL_MS = 100

/** Saves how far jobs are, after the rows that they speak of are durable, and never before. */
export class Checkpoints {
  readonly #context: OperationContext
  readonly #applier: Applier
  readonly #onError: (error: unknown) => void
  #jobs = new Map<string, Job>()
  #hosts = new Map<string, string>()
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
    this.#jobs.set(`${job.did} ${job.collection}`, job)
    this.#startTimer()
  }

  /** Takes where an account is, to be saved after the jobs: a cursor must not outlive the host that it is of. */
  host(did: string, pds: string): void {
    this.#hosts.set(did, pds)
    this.#startTimer()
  }

  /** Resolves when everything that was added is saved. */
  flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const jobs = [...this.#jobs.values()]
    const hosts = this.#hosts
    this.#jobs.clear()
    this.#hosts = new Map()
    // One after the other, so that a job's older state cannot be written over its newer one.
    const saved = this.#saving.then(async () => {
      await this.#applier.flush()
      await saveJobs(this.#context, jobs)
      await saveHosts(this.#context, hosts)
    })
    this.#saving = saved.catch(() => {})
    return saved
  }

  #startTimer(): void {
    this.#timer ??= setTimeout(() => {
      // What is added while the one before is saved is saved together: behind a slow database there is more of it.
      void this.#saving.then(() => this.flush().catch(this.#onError))
    }, INTERVAL_MS)
  }
}
