import { LexidexError } from '../../core/errors.ts'
import type { Position } from '../../core/events.ts'
import { JETSTREAM, positionBefore, readPosition } from '../../sources/jetstream-position.ts'
import { bookkeeping, type OperationContext } from '../context.ts'
import { lastCompletedFor, REOPENING } from '../runs/run-rows.ts'
import { forgetVerified } from '../verified.ts'

/**
 * How old a position may be to go on from, in ms. Hosts keep about 72 h of the stream, some only 36 h, and set an older
 * cursor forward without a word.
 */
export const MAX_CURSOR_AGE_MS = 48 * 60 * 60_000

/** In `lexidex_state`: the stream went on from a position that was too old, so that something may be missing. */
const GAP = 'stream_gap'

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

/**
 * Up to when nothing is missing, in ms since 1970: the position's own time, or when a later backfill began that took
 * nothing for granted. Null where there is no position.
 */
export async function coveredUntil(context: OperationContext, position: Position | null): Promise<number | null> {
  if (position === null) return null
  const backfilledAt = await lastCompletedFor(context, REOPENING)
  return Math.max(readPosition(position)!.cursorUs / 1000, backfilledAt ?? 0)
}

/**
 * Where to begin to follow; there is a position afterwards. One that is too old is remembered: the first event moves it,
 * and then nothing would tell that a backfill is due.
 */
export async function beginAt(context: OperationContext): Promise<Position> {
  // So that whoever lists meanwhile and whoever follows agree on where the stream begins.
  await anchorPosition(context)
  await forgetVerified(context)
  const position = await loadPosition(context)
  if (position === null) {
    throw new LexidexError('No Jetstream to follow', { hint: 'Name at least one in `jetstreams` of the config.' })
  }
  const ageMs = context.clock.now() - (await coveredUntil(context, position))!
  if (ageMs > MAX_CURSOR_AGE_MS) {
    const hours = Math.round(ageMs / 3_600_000)
    const what = 'hosts may have forgotten what followed, so a backfill is due'
    context.logger.warn(`jetstream: the stream was last read ${hours} h ago; ${what}`)
    await noteGap(context, context.clock.now())
  }
  return position
}

/** Remembers that something of the stream may have been missed before `at`, in ms since 1970. */
export async function noteGap({ store }: OperationContext, at: number): Promise<void> {
  const row = { value: 'open', updated_at: at }
  await bookkeeping(store)
    .insertInto('lexidex_state')
    .values({ name: GAP, ...row })
    .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
    .execute()
}

/** When something of the stream may have been missed, in ms since 1970; null where it was caught up with since. */
export async function gapNotedAt({ store }: OperationContext): Promise<number | null> {
  const row = await bookkeeping(store)
    .selectFrom('lexidex_state')
    .select('updated_at')
    .where('name', '=', GAP)
    .executeTakeFirst()
  return row?.updated_at ?? null
}

/** Everything was fetched anew by somebody who began at `since`, in ms since 1970. */
export async function closeGap({ store }: OperationContext, since: number): Promise<void> {
  await bookkeeping(store)
    .deleteFrom('lexidex_state')
    .where('name', '=', GAP)
    .where('updated_at', '<=', since)
    .execute()
}
