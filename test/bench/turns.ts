/** How long one turn of the event loop keeps everybody else waiting, in ms of this thread's own time. */
export interface Turns {
  readonly p99Ms: number
  readonly maxMs: number
}

/** Time between two looks, in ms: what a figure may be too large by. */
const INTERVAL_MS = 1

/**
 * Watches the turns until it is ended. In CPU time of the thread, so that whatever else the machine does is not counted:
 * timers and requests wait for that as well, but no program can help it.
 */
export function watchTurns(): { end(): Turns } {
  const turns: number[] = []
  let busy = true
  let before = spent()
  const look = () => {
    const now = spent()
    turns.push(now - before)
    before = now
    if (busy) setTimeout(look, INTERVAL_MS)
  }
  setTimeout(look, INTERVAL_MS)
  return {
    end() {
      busy = false
      turns.sort((a, b) => a - b)
      return { p99Ms: turns[Math.floor(turns.length * 0.99)] ?? 0, maxMs: turns.at(-1) ?? 0 }
    },
  }
}

function spent(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
