import { messageOf } from '../core/errors.ts'
import { bookkeeping, type OperationContext } from './context.ts'

/** How long a lease holds, in ms. Whoever dies with one keeps the others waiting for so long. */
const HOLDS_MS = 30_000

/** A right that one process has at a time, kept for as long as it is not released. */
export interface Lease {
  /** Aborts where the lease was lost: this process slept for so long that another has taken it. */
  readonly lost: AbortSignal
  release(): Promise<void>
}

/** Whether somebody has it. */
export async function isLeased({ store, clock }: OperationContext, name: string): Promise<boolean> {
  const row = await bookkeeping(store)
    .selectFrom('lexidex_lease')
    .select('holder')
    .where('name', '=', name)
    .where('expires_at', '>=', clock.now())
    .executeTakeFirst()
  return row !== undefined
}

/** @returns null where somebody else has it */
export async function takeLease(context: OperationContext, name: string): Promise<Lease | null> {
  const { store, clock, logger } = context
  const holder = crypto.randomUUID()
  const table = () => bookkeeping(store)
  const isMine = async () => {
    const row = await table().selectFrom('lexidex_lease').select('holder').where('name', '=', name).executeTakeFirst()
    return row?.holder === holder
  }

  const now = clock.now()
  await table()
    .insertInto('lexidex_lease')
    .values({ name, holder, expires_at: now + HOLDS_MS })
    .onConflict((conflict) =>
      conflict
        .column('name')
        .doUpdateSet({ holder, expires_at: now + HOLDS_MS })
        .where('lexidex_lease.expires_at', '<', now),
    )
    .execute()
  if (!(await isMine())) return null

  const lost = new AbortController()
  const renew = async () => {
    try {
      const expires_at = clock.now() + HOLDS_MS
      await table()
        .updateTable('lexidex_lease')
        .set({ expires_at })
        .where('name', '=', name)
        .where('holder', '=', holder)
        .execute()
      if (!(await isMine())) lost.abort()
    } catch (error) {
      logger.warn(`Could not renew the lease "${name}", trying again: ${messageOf(error)}`)
    }
  }
  const timer = setInterval(renew, HOLDS_MS / 3)
  return {
    lost: lost.signal,
    async release() {
      clearInterval(timer)
      await table().deleteFrom('lexidex_lease').where('name', '=', name).where('holder', '=', holder).execute()
    },
  }
}
