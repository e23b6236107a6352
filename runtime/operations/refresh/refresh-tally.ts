import type { CollectionDef } from '../../core/collection.ts'
import type { AccountOutcome } from './account-refresher.ts'
import type { CollectionCounts, Count } from './comparison.ts'

export interface RefreshProgress {
  readonly accountsDone: number
  readonly accountsTotal: number
  /** Accounts that failed. */
  readonly failures: number
  readonly total: Readonly<CollectionCounts>
  /** ms left at this pace; null before the first account is done. */
  readonly etaMs: number | null
}

export interface RefreshResult {
  /** By NSID; every collection of the app. */
  readonly byCollection: Readonly<Record<string, Readonly<CollectionCounts>>>
  readonly total: Readonly<CollectionCounts>
  /** Accounts that were looked at; the next three are among them. */
  readonly usersScanned: number
  /** Accounts that could not be compared. The log has the reasons. */
  readonly usersFailed: number
  /** Accounts whose archive could not be had or trusted: what they list was stored, and nothing was deleted. */
  readonly usersPartial: number
  /** Accounts that have written nothing since they were last compared, and those that are hidden. */
  readonly usersSkipped: number
  readonly ignoreWindowMs: number
  readonly elapsedMs: number
}

type OnProgress = ((progress: RefreshProgress) => void) | undefined

/** Counts what a refresh finds, and tells of it. */
export class RefreshTally {
  readonly #onProgress: OnProgress
  readonly #startedAt = performance.now()
  readonly #byCollection: Record<string, CollectionCounts>
  readonly #total = noCounts()
  readonly #accounts: number
  readonly #outcomes: Record<AccountOutcome, number> = { complete: 0, partial: 0, skipped: 0, failed: 0 }

  constructor(collections: readonly CollectionDef[], accounts: number, { onProgress }: { onProgress?: OnProgress }) {
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
