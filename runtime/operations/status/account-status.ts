import { sql } from 'kysely'
import { bookkeeping, type OperationContext } from '../context.ts'

/** Accounts of one hosting status. */
export interface HostingStatus {
  /** `active`, `deactivated`, `suspended`, `takendown` or `deleted` */
  readonly status: string
  readonly accounts: number
}

/** How far the checks of accounts are. */
export interface ChecksStatus {
  /** Accounts that are to be asked now. */
  readonly due: number
  /** Accounts whose last check came to nothing; asked again later. */
  readonly failing: number
  /** Accounts whose whole repo is to be compared. */
  readonly resync: number
  /** Accounts that were never asked. */
  readonly unresolved: number
  /** Why the account with the most failures in a row could not be checked. */
  readonly lastError: string | null
}

export async function hostingStatus({ store }: OperationContext): Promise<readonly HostingStatus[]> {
  const rows = await bookkeeping(store)
    .selectFrom('lexidex_account')
    .select((eb) => ['status', eb.fn.countAll<number | string>().as('accounts')])
    .groupBy('status')
    .orderBy('status')
    .execute()
  return rows.map(({ status, accounts }) => ({ status, accounts: Number(accounts) }))
}

export async function checksStatus({ store, clock }: OperationContext): Promise<ChecksStatus> {
  const counts = await bookkeeping(store)
    .selectFrom('lexidex_account')
    .select([
      count('due', sql<boolean>`check_due_at < ${clock.now()}`),
      count('failing', sql<boolean>`check_attempts > 0`),
      count('resync', sql<boolean>`resync = 1`),
      count('unresolved', sql<boolean>`resolved_at IS NULL`),
    ])
    .executeTakeFirstOrThrow()
  const worst = await bookkeeping(store)
    .selectFrom('lexidex_account')
    .select('check_error')
    .where('check_error', 'is not', null)
    .orderBy('check_attempts', 'desc')
    .limit(1)
    .executeTakeFirst()
  const { due, failing, resync, unresolved } = counts
  return {
    due: Number(due),
    failing: Number(failing),
    resync: Number(resync),
    unresolved: Number(unresolved),
    lastError: worst?.check_error ?? null,
  }
}

function count<N extends string>(name: N, condition: ReturnType<typeof sql<boolean>>) {
  return sql<number | string>`coalesce(sum(CASE WHEN ${condition} THEN 1 ELSE 0 END), 0)`.as(name)
}
