import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const INTERVAL_MS = 100

/** The most that a process held at a time, in MB. */
export interface PeakMemory {
  /** All that lies in memory, pages of files that are mapped among it. */
  readonly rssMb: number
  /** What no file stands behind: heaps, buffers, caches. */
  readonly anonymousMb: number
}

/** Watches another process while `work` goes on. Null where the system does not tell. */
export async function watchMemory<T>(
  pid: number,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly peak: PeakMemory | null }> {
  const file = `/proc/${pid}/smaps_rollup`
  if (!existsSync(file)) return { result: await work(), peak: null }
  const peak = { rssMb: 0, anonymousMb: 0 }
  let busy = true
  const watching = (async () => {
    while (busy) {
      const text = readFileSync(file, 'utf8')
      peak.rssMb = Math.max(peak.rssMb, megabytes(text, 'Rss'))
      peak.anonymousMb = Math.max(peak.anonymousMb, megabytes(text, 'Anonymous'))
      await sleep(INTERVAL_MS)
    }
  })()
  try {
    return { result: await work(), peak }
  } finally {
    busy = false
    await watching
  }
}

function megabytes(text: string, name: string): number {
  const kilobytes = new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text)
  return Number(kilobytes?.[1] ?? 0) / 1024
}
