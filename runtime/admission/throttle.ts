import type { Clock } from '../core/time.ts'

const INTERVAL_MS = 60_000

/**
 * Passes on the first message of a kind, then one a minute with the number that it stands for: one broken repo must
 * not fill the log.
 */
export function throttled(
  clock: Clock,
  write: (message: string, count: number) => void,
): (kind: string, message: string) => void {
  const kinds = new Map<string, { toldAt: number; untold: number }>()
  return (kind, message) => {
    const now = clock.now()
    const state = kinds.get(kind) ?? { toldAt: Number.NEGATIVE_INFINITY, untold: 0 }
    kinds.set(kind, state)
    state.untold++
    if (now - state.toldAt < INTERVAL_MS) return
    write(message, state.untold)
    state.toldAt = now
    state.untold = 0
  }
}
