export interface BackfillProgress {
  readonly accountsDone: number
  /** Accounts with due jobs; grows where jobs fall due meanwhile. */
  readonly accountsTotal: number
  readonly records: number
  /** Jobs that failed, for now or for good. */
  readonly failures: number
  /** Records a second since the start. */
  readonly perSecond: number
  /** ms left at this pace; null before the first account is done. */
  readonly etaMs: number | null
}

/** A job is one account's history in one collection. */
export interface BackfillResult {
  /** Jobs that reached the end of their listing. */
  readonly completed: number
  /** Jobs that were given up. `last_error` of `lexidex_job` has the reason. */
  readonly failed: number
  /** Jobs that failed for now and fall due again later. */
  readonly retrying: number
  /** Records that were listed, those that were known already among them. */
  readonly records: number
  readonly elapsedMs: number
}

/** Counts what a backfill does, and tells of it. */
export class Tally {
  readonly #onProgress: ((progress: BackfillProgress) => void) | undefined
  readonly #startedAt = performance.now()
  #accountsDone = 0
  #accountsTotal = 0
  #completed = 0
  #failed = 0
  #retrying = 0
  #records = 0

  constructor(onProgress?: ((progress: BackfillProgress) => void) | undefined) {
    this.#onProgress = onProgress
  }

  expect(accounts: number): void {
    this.#accountsTotal += accounts
    this.#report()
  }

  accountDone(): void {
    this.#accountsDone++
    // An account whose jobs fell due at different times is met more than once.
    this.#accountsTotal = Math.max(this.#accountsTotal, this.#accountsDone)
    this.#report()
  }

  page(records: number): void {
    this.#records += records
    this.#report()
  }

  completed(): void {
    this.#completed++
  }

  failed(forGood: boolean): void {
    if (forGood) this.#failed++
    else this.#retrying++
  }

  result(): BackfillResult {
    return {
      completed: this.#completed,
      failed: this.#failed,
      retrying: this.#retrying,
      records: this.#records,
      elapsedMs: Math.round(performance.now() - this.#startedAt),
    }
  }

  #report(): void {
    if (this.#onProgress === undefined) return
    const elapsedMs = Math.max(1, performance.now() - this.#startedAt)
    const left = this.#accountsTotal - this.#accountsDone
    this.#onProgress({
      accountsDone: this.#accountsDone,
      accountsTotal: this.#accountsTotal,
      records: this.#records,
      failures: this.#failed + this.#retrying,
      perSecond: Math.round((this.#records * 1000) / elapsedMs),
      etaMs: this.#accountsDone === 0 ? null : Math.round((elapsedMs / this.#accountsDone) * left),
    })
  }
}
