import { messageOf } from '../../core/errors.ts'
import { Slots } from '../../core/slots.ts'
import { ResolveError } from '../../identity/resolver.ts'
import { sleep } from '../../sources/backoff.ts'
import { ServiceError } from '../../sources/xrpc.ts'
import type { OperationContext } from '../context.ts'
import { Waker } from '../live/waker.ts'
import { refreshAccount } from '../refresh/refresh.ts'
import { AccountSurvey } from './account-check.ts'
import {
  dueAccounts,
  type KnownAccount,
  nextDue,
  restingAccounts,
  saveFailedCheck,
  saveResynced,
} from './account-rows.ts'

/** Accounts that are asked for at a time: those that were hinted at, */
const CONCURRENCY = 20
/** and those that were not, which can wait. */
const RESTING_CONCURRENCY = 5
const RESTING_BATCH = 50
const RESTING_PAUSE_MS = 100
/** Accounts in hand at a time, most of which wait for their host. */
const MAX_BUSY = 2000
/** Longest sleep: another process may have noted a hint. */
const LONGEST_SLEEP_MS = 10_000
const FIRST_RETRY_MS = 30_000
const LONGEST_RETRY_MS = 6 * 60 * 60_000

export interface CheckAccountsOptions {
  /** Accounts at most. Default: all that are due, and then all that rest. */
  readonly limit?: number | undefined
  /** Ends the call early; what was not found out stays due. */
  readonly signal?: AbortSignal | undefined
}

export interface CheckAccountsResult {
  /** Accounts of which it was found out how they stand. */
  readonly checked: number
  /** Accounts that are to be asked again later; `check_error` of `lexidex_account` has the reason. */
  readonly failed: number
}

/**
 * Finds out how known accounts stand, and applies it: hides those that are deactivated, suspended or taken down, shows
 * those that are active, removes what is left of deleted ones, and keeps handles that lead back to the account.
 *
 * Takes accounts that a stream has hinted at, then those that nothing is known of yet, then those that were not looked
 * at for long. Repos that broke (`#sync`) are compared as a whole. What cannot be told for the moment is asked again
 * after 30 s, 1 min, … 6 h.
 *
 * @throws the error of the database, where that fails
 */
export async function checkAccounts(
  context: OperationContext,
  { limit = Infinity, signal = new AbortController().signal }: CheckAccountsOptions = {},
): Promise<CheckAccountsResult> {
  const checks = new AccountChecks(context, signal)
  let left = limit
  for (const find of [dueAccounts, restingAccounts]) {
    while (left > 0 && !signal.aborted) {
      const found = await find(context, Math.min(left, MAX_BUSY))
      // None comes twice: each is settled, or due later.
      if (found.length === 0) break
      left -= found.length
      await checks.all(found, checks.slots)
    }
  }
  return checks.result()
}

export interface RunAccountChecksOptions {
  readonly signal: AbortSignal
  /** Wakes it when hints have become durable. Default: it looks by itself, every 10 s. */
  readonly waker?: Waker | undefined
}

/** Checks accounts as they fall due, and those that rest beside them, until the signal aborts. Never rejects. */
export async function runAccountChecks(
  context: OperationContext,
  { signal, waker = new Waker() }: RunAccountChecksOptions,
): Promise<void> {
  const checks = new AccountChecks(context, signal)
  const resting = new Slots(RESTING_CONCURRENCY)
  await Promise.all([
    keepOn(context, signal, async () => {
      const now = context.clock.now()
      const started = await checks.startDue(now, () => waker.wake())
      if (started === 0) await waker.sleep(await untilDue(context, now), signal)
    }),
    keepOn(context, signal, async () => {
      const found = await restingAccounts(context, RESTING_BATCH)
      await checks.all(found, resting)
      await sleep(found.length === 0 ? LONGEST_SLEEP_MS : RESTING_PAUSE_MS, signal)
    }),
  ])
  await checks.idle()
}

/** Repeats a step until the signal aborts. What it throws is the database's doing, or a mistake of ours: it is told. */
async function keepOn({ logger }: OperationContext, signal: AbortSignal, step: () => Promise<void>): Promise<void> {
  for (let failures = 0; !signal.aborted; ) {
    try {
      await step()
      failures = 0
    } catch (error) {
      if (signal.aborted) return
      logger.error(`Could not check accounts: ${messageOf(error)}`, error)
      await sleep(Math.min(60_000, 1000 * 2 ** failures++), signal)
    }
  }
}

async function untilDue(context: OperationContext, now: number): Promise<number> {
  const dueAt = await nextDue(context, now)
  if (dueAt === null) return LONGEST_SLEEP_MS
  return Math.min(LONGEST_SLEEP_MS, Math.max(1, dueAt + 1 - context.clock.now()))
}

class AccountChecks {
  readonly #context: OperationContext
  readonly #signal: AbortSignal
  readonly #survey: AccountSurvey
  readonly slots = new Slots(CONCURRENCY)
  /** Accounts in hand, by DID. */
  readonly #busy = new Map<string, Promise<void>>()
  #checked = 0
  #failed = 0
  #error: unknown = null

  constructor(context: OperationContext, signal: AbortSignal) {
    this.#context = context
    this.#signal = signal
    this.#survey = new AccountSurvey(context, { concurrency: CONCURRENCY, signal })
  }

  result(): CheckAccountsResult {
    return { checked: this.#checked, failed: this.#failed }
  }

  /** @throws what is not a failure of a host */
  async all(accounts: readonly KnownAccount[], slots: Slots): Promise<void> {
    await Promise.all(accounts.map((account) => this.#start(account, slots)))
    this.#throwError()
  }

  /**
   * Starts on what is due and not in hand.
   *
   * @param now ms since 1970
   * @param onDone told of each that is done with
   * @returns how many
   * @throws what was not a failure of a host since the last call
   */
  async startDue(now: number, onDone: () => void): Promise<number> {
    this.#throwError()
    if (this.#busy.size >= MAX_BUSY) return 0
    const found = await dueAccounts(this.#context, MAX_BUSY, now)
    const idle = found.filter(({ did }) => !this.#busy.has(did))
    for (const account of idle) void this.#start(account, this.slots).then(onDone)
    return idle.length
  }

  async idle(): Promise<void> {
    await Promise.all(this.#busy.values())
  }

  #throwError(): void {
    const error = this.#error
    this.#error = null
    if (error !== null) throw error
  }

  /** Never rejects. */
  #start(account: KnownAccount, slots: Slots): Promise<void> {
    const { did } = account
    const running = this.#busy.get(did)
    if (running !== undefined) return running
    const started = this.#check(account, slots)
      .catch((error) => {
        if (!this.#signal.aborted) this.#error = error
      })
      .finally(() => this.#busy.delete(did))
    this.#busy.set(did, started)
    return started
  }

  async #check(account: KnownAccount, slots: Slots): Promise<void> {
    const { clock, store } = this.#context
    const { did } = account
    const askedAt = clock.now()
    try {
      const facts = await this.#survey.ask(account, slots)
      // What was removed, or may be wrong, is fetched anew; until that is done the account stays due.
      const resync = facts.status === 'active' && (account.resync === 1 || account.hidden === 2)
      const operation = { op: 'account', did, ...facts, askedAt: resync ? 0 : askedAt } as const
      await store.apply({ operations: [operation], positions: [], now: clock.now() })
      if (resync) {
        await refreshAccount(this.#context, did, { signal: this.#signal })
        await saveResynced(this.#context, did, askedAt)
      }
      this.#checked++
    } catch (error) {
      this.#signal.throwIfAborted()
      if (!(error instanceof ServiceError || error instanceof ResolveError)) throw error
      this.#failed++
      const dueAt = clock.now() + retryDelay(account, error)
      await saveFailedCheck(this.#context, account, { askedAt, dueAt, error: messageOf(error) })
    }
  }
}

/** ms until the next try: 30 s, doubled with each failure, up to 6 h, or as long as the host asks for. */
function retryDelay({ check_attempts }: KnownAccount, error: ServiceError | ResolveError): number {
  const wanted = error instanceof ServiceError ? (error.retryAfterMs ?? 0) : 0
  return Math.max(wanted, Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** check_attempts))
}
