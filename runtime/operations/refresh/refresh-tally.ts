import type { CollectionDef } from '../../core/collection.ts'
import type { AccountOutcome } from './account-refresher.ts'
import type { CollectionCounts, Count } from './comparison.ts'
import type { RefreshOptions, RefreshResult } from './refresh.ts'

/** Counts what a refresh finds, and tells of it. */
export class RefreshTally {
  readonly #onProgress: RefreshOptions['onProgress']
  readonly #startedAt = performance.now()
  readonly #byCollection: Record<string, CollectionCounts>
  readonly #total = noCounts()
  readonly #accounts: number
  readonly #outcomes: Record<AccountOutcome, number> = { complete: 0, partial: 0, skipped: 0, failed: 0 }

  constructor(collections: readonly CollectionDef[], accounts: number, { onProgress }: RefreshOptions) {
    this.#byCollection = Object.fromEntries(collections.map(({ nsid }) => [nsid, noCounts()]))
    this.#accounts = accounts
    this.#onProgress = onProgress
    this.#report()
  }

  readonly count: Count = ({ nsid }, counter) => {
    this.#byCollection[nsid]![counter]++
    this.#total[counter]++
  }

  accountDone(outcome: AccountOutcome): void {
    this.#outcomes[outcome]++
    this.#report()
  }

  result(ignoreWindowMs: number): RefreshResult {
    const { partial, skipped, failed } = this.#outcomes
    return {
      byCollection: this.#byCollection,
      total: this.#total,
      usersScanned: this.#done(),
      usersFailed: failed,
      usersPartial: partial,
      usersSkipped: skipped,
      ignoreWindowMs,
      elapsedMs: Math.round(performance.now() - this.#startedAt),
    }
  }

  #done(): number {
    return Object.values(this.#outcomes).reduce((sum, accounts) => sum + accounts, 0)
  }

  #report(): void {
    const accountsDone = this.#done()
    const left = Math.max(0, this.#accounts - accountsDone)
    const elapsedMs = performance.now() - this.#startedAt
    this.#onProgress?.({
      accountsDone,
      accountsTotal: Math.max(this.#accounts, accountsDone),
      failures: this.#outcomes.failed,
      total: { ...this.#total },
      etaMs: accountsDone === 0 ? null : Math.round((elapsedMs / accountsDone) * left),
    })
  }
}

function noCounts(): CollectionCounts {
  return { missing: 0, staleUpdates: 0, inSync: 0, deleted: 0 }
}
