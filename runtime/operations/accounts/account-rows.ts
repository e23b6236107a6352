import { sql } from 'kysely'
import { bookkeeping, type OperationContext } from '../context.ts'

/** What is known of an account before it is asked. */
export interface KnownAccount {
  readonly did: string
  readonly handle: string | null
  readonly pds: string | null
  readonly hidden: number
  readonly resync: number
  readonly check_attempts: number
}

/** Handles that did not hold are looked at again after this, */
const UNVERIFIED_MS = 60 * 60_000
/** and those that did after this, together with the rest of the account: a stream may lose its hints. */
const VERIFIED_MS = 24 * 60 * 60_000

const COLUMNS = ['did', 'handle', 'pds', 'hidden', 'resync', 'check_attempts'] as const

/**
 * Accounts that a stream has hinted at, or whose last check failed; longest due first.
 *
 * @param now ms since 1970
 */
export function dueAccounts(
  { store, clock }: OperationContext,
  limit: number,
  now = clock.now(),
): Promise<KnownAccount[]> {
  return (
    bookkeeping(store)
      .selectFrom('lexidex_account')
      .select(COLUMNS)
      // Not those of this very millisecond: a hint counts as later than a check that began in the same one.
      .where('check_due_at', '<', now)
      .orderBy('check_due_at')
      .limit(limit)
      .execute()
  )
}

/**
 * Accounts that nothing was heard of, in order of need: never resolved, without a verified handle for an hour, not
 * looked at for a day. None of accounts that were deleted.
 */
export async function restingAccounts({ store, clock }: OperationContext, limit: number): Promise<KnownAccount[]> {
  const now = clock.now()
  const accounts = () =>
    bookkeeping(store).selectFrom('lexidex_account').select(COLUMNS).where('check_due_at', 'is', null).limit(limit)
  // Spelled out, not bound: an index for part of a table is used only where the query states that part.
  const unnamed = () => accounts().where('handle', 'is', null).where(sql<boolean>`hidden < 2`)
  const never = await unnamed().where('resolved_at', 'is', null).execute()
  if (never.length > 0) return never
  const unverified = await unnamed()
    .where('resolved_at', '<', now - UNVERIFIED_MS)
    .orderBy('resolved_at')
    .execute()
  if (unverified.length > 0) return unverified
  return accounts()
    .where('handle', 'is not', null)
    .where('resolved_at', '<', now - VERIFIED_MS)
    .orderBy('resolved_at')
    .execute()
}

/** When the next account falls due that is not at `now`; both in ms since 1970. Null where none does. */
export async function nextDue({ store }: OperationContext, now: number): Promise<number | null> {
  const row = await bookkeeping(store)
    .selectFrom('lexidex_account')
    .select('check_due_at')
    .where('check_due_at', '>=', now)
    .orderBy('check_due_at')
    .limit(1)
    .executeTakeFirst()
  return row?.check_due_at ?? null
}

export interface FailedCheck {
  /** ms since 1970: when it began. A hint that came later leaves the account due at once. */
  readonly askedAt: number
  /** ms since 1970 */
  readonly dueAt: number
  readonly error: string
}

export async function saveFailedCheck(
  { store }: OperationContext,
  { did, check_attempts }: KnownAccount,
  { askedAt, dueAt, error }: FailedCheck,
): Promise<void> {
  await bookkeeping(store)
    .updateTable('lexidex_account')
    .set({
      check_attempts: check_attempts + 1,
      check_error: error,
      check_due_at: sql<number>`CASE WHEN check_due_at >= ${askedAt} THEN check_due_at ELSE ${dueAt} END`,
    })
    .where('did', '=', did)
    .execute()
}

/** Notes that an account's repo was compared as a whole, unless a later hint asks for it anew. */
export async function saveResynced({ store }: OperationContext, did: string, askedAt: number): Promise<void> {
  await bookkeeping(store)
    .updateTable('lexidex_account')
    .set({ resync: 0, check_due_at: null, check_attempts: 0, check_error: null })
    .where('did', '=', did)
    .where((eb) => eb.or([eb('check_due_at', 'is', null), eb('check_due_at', '<', askedAt)]))
    .execute()
}
