import type { BackfillProgress, BackfillResult } from './backfill.ts'

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
