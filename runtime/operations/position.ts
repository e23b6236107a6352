import type { Position } from '../core/events.ts'
import { JETSTREAM, positionBefore } from '../sources/jetstream-position.ts'
import { bookkeeping, type OperationContext } from './context.ts'

/** How far Jetstream has been read; null where nothing says so. */
export async function loadPosition({ store }: OperationContext): Promise<Position | null> {
  const row = await bookkeeping(store)
    .selectFrom('lexidex_cursor')
    .select(['source', 'epoch', 'cursor'])
    .where('source', '=', JETSTREAM)
    .executeTakeFirst()
  return row ?? null
}

/**
 * Makes sure that there is a position, and sets it to now where there is none. Whatever is listed from here on may
 * change while it is listed, or before anyone follows the stream; following from this position makes up for it.
 */
export async function anchorPosition({ store, clock, jetstreams }: OperationContext): Promise<void> {
  if (jetstreams.length === 0) return
  await bookkeeping(store)
    .insertInto('lexidex_cursor')
    .values({ ...positionBefore(clock.nowUs(), jetstreams), updated_at: clock.now() })
    .onConflict((conflict) => conflict.column('source').doNothing())
    .execute()
}
