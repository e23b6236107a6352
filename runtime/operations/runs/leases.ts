import { messageOf } from '../../core/errors.ts'
import { bookkeeping, type OperationContext } from '../context.ts'

/** How long a lease holds, in ms. Whoever dies with one keeps the others waiting for so long. */
const HOLDS_MS = 30_000
const RENEW_MS = 10_000
/** It counts as lost so long before another may take it: for what its holder is in the middle of, and for clocks. */
const SPARE_MS = 2000

/** A right that one process has at a time, kept for as long as it is not released. */
export interface Lease {
  /** Aborts where the lease is lost: this process slept, or its database failed, for so long that another may take it. */
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

/**
 * Takes a lease and keeps it until it is given back. Never do two have it, as long as their clocks agree to the second:
 * whoever could not renew it in time is told by `lost` before another may take it.
 *
 * @returns null where somebody else has it
 */
export async function takeLease(context: OperationContext, name: string): Promise<Lease | null> {
  const { store, clock, logger } = context
  const holder = crypto.randomUUID()
  /** One statement: whoever comes second changes nothing. */
  const hold = async (): Promise<number | null> => {
    const now = clock.now()
    const expires_at = now + HOLDS_MS
    const held = await bookkeeping(store)
      .insertInto('lexidex_lease')
      .values({ name, holder, expires_at })
      .onConflict((conflict) =>
        conflict
          .column('name')
          .doUpdateSet({ holder, expires_at })
          .where((eb) => eb.or([eb('lexidex_lease.holder', '=', holder), eb('lexidex_lease.expires_at', '<', now)])),
      )
      .returning('expires_at')
      .executeTakeFirst()
    return held === undefined ? null : expires_at
  }
  const first = await hold()
  if (first === null) return null

  let expiresAt = first
  let timer: ReturnType<typeof setTimeout>
  let released = false
  const lost = new AbortController()
  const isCovered = () => clock.now() <= expiresAt - SPARE_MS
  const renew = async () => {
    let next: number | null = null
    try {
      if (isCovered()) next = await hold()
    } catch (error) {
      logger.warn(`Could not renew the lease "${name}", trying again: ${messageOf(error)}`)
      next = expiresAt
    }
    if (released) return
    // Late, even if it is ours again: somebody else may have had it in between.
    if (next === null || !isCovered()) return lost.abort()
    expiresAt = next
    schedule()
  }
  const schedule = () => {
    const left = expiresAt - SPARE_MS - clock.now()
    timer = setTimeout(renew, Math.max(100, Math.min(left, RENEW_MS)))
  }
  schedule()
  return {
    lost: lost.signal,
    async release() {
      released = true
      clearTimeout(timer)
      await bookkeeping(store)
        .deleteFrom('lexidex_lease')
        .where('name', '=', name)
        .where('holder', '=', holder)
        .execute()
    },
  }
}
