import { messageOf } from '../../core/errors.ts'
import { sleep } from '../../sources/backoff.ts'
import type { SharedWork } from '../../storage/store.ts'
import { bookkeeping, type OperationContext } from '../context.ts'
import { type AccountJobs, groupByAccount } from './jobs.ts'

/** How long a claim holds, in ms: what a process that dies was at is another's after that. */
export const CLAIM_MS = 60_000
/** Jobs per claim. */
const PAGE = 200
/** ms between two looks whether there is room for more. */
const ROOM_MS = 20
/** Accounts per statement. */
const PART = 90

export interface ClaimOptions {
  readonly shared: SharedWork
  /** Accounts that one process has at a time: the others are left to others. */
  readonly limit: number
  /** Default 60 000. */
  readonly claimMs?: number | undefined
  readonly signal: AbortSignal
}

/**
 * Accounts that this process has claimed, where several backfill one database. Claims are renewed while it works on
 * them, and end by themselves where it dies.
 */
export class Claims {
  readonly #context: OperationContext
  readonly #options: ClaimOptions
  readonly #claimMs: number
  readonly #held = new Set<string>()
  readonly #renewing: ReturnType<typeof setInterval>

  constructor(context: OperationContext, options: ClaimOptions) {
    this.#context = context
    this.#options = options
    this.#claimMs = options.claimMs ?? CLAIM_MS
    this.#renewing = setInterval(() => void this.#renew(), this.#claimMs / 3)
  }

  /** Due accounts, as there is room for them, until none is left that nobody has claimed. */
  async *accounts(): AsyncGenerator<AccountJobs, void> {
    const { shared, limit, signal } = this.#options
    while (!signal.aborted) {
      if (this.#held.size >= limit) {
        await sleep(ROOM_MS, signal)
        continue
      }
      const now = this.#context.clock.now()
      const jobs = await shared.claimJobs(Math.min(PAGE, limit), now, now + this.#claimMs)
      if (jobs.length === 0) return
      const sorted = [...jobs].sort((a, b) => a.due_at - b.due_at || (a.did < b.did ? -1 : 1))
      for (const { did } of sorted) this.#held.add(did)
      yield* await groupByAccount(
        this.#context,
        sorted.map((job) => ({ ...job, status: 'pending' as const })),
      )
    }
  }

  /** What was done is saved before the claim runs out. */
  done(did: string): void {
    this.#held.delete(did)
  }

  /** Whether others are at work on what was due. */
  async othersWork(): Promise<boolean> {
    const row = await bookkeeping(this.#context.store)
      .selectFrom('lexidex_job')
      .select('did')
      .where('status', '=', 'pending')
      .where('due_at', '<=', this.#context.clock.now())
      .limit(1)
      .executeTakeFirst()
    return row !== undefined
  }

  /** Lets go of what was not done, so that others need not wait. */
  async end(): Promise<void> {
    clearInterval(this.#renewing)
    try {
      await this.#setUntil(null)
    } catch (error) {
      // They run out by themselves.
      this.#context.logger.warn(`Could not let go of claims of a backfill: ${messageOf(error)}`)
    }
    this.#held.clear()
  }

  async #renew(): Promise<void> {
    try {
      await this.#setUntil(this.#context.clock.now() + this.#claimMs)
    } catch (error) {
      // Another process may do the same work meanwhile, which changes nothing.
      this.#context.logger.warn(`Could not renew claims of a backfill: ${messageOf(error)}`)
    }
  }

  async #setUntil(claimed_until: number | null): Promise<void> {
    const dids = [...this.#held]
    for (let i = 0; i < dids.length; i += PART) {
      await bookkeeping(this.#context.store)
        .updateTable('lexidex_job')
        .set({ claimed_until })
        .where('did', 'in', dids.slice(i, i + PART))
        .where('status', '=', 'pending')
        .where('claimed_until', 'is not', null)
        .execute()
    }
  }
}
