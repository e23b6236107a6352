/** The index's status, asked for again while somebody looks. */
import { get } from './api.ts'

export interface Status {
  readonly collections: readonly { readonly name: string; readonly nsid: string; readonly records: number }[]
  readonly accounts: number
  readonly jobs: { readonly pending: number; readonly completed: number; readonly failed: number }
  readonly quarantined: number
  readonly cursor: { readonly time_us: number; readonly seconds_ago: number } | null
  readonly live?: {
    readonly state: string
    readonly reason?: string
    readonly host: string | null
    readonly lagMs: number | null
    readonly lastEventAt: number | null
  }
  readonly discovery?: readonly {
    readonly relay: string
    readonly collection: string
    readonly completed: boolean
    readonly error: string | null
  }[]
  readonly backfill?: readonly {
    readonly collection: string
    readonly completed: number
    readonly pending: number
    readonly retrying: number
    readonly failed: number
    readonly lastError: string | null
  }[]
  readonly bulkLoad?: boolean
  readonly hosting?: readonly { readonly status: string; readonly accounts: number }[]
  readonly quarantine?: readonly { readonly collection: string; readonly reason: string; readonly records: number }[]
  readonly runs?: readonly Run[]
}

export interface Run {
  readonly id: number
  readonly kind: string
  readonly status: string
  readonly reason: string | null
  readonly didsTotal: number
  readonly didsProcessed: number
  readonly records: number
  readonly errors: number
  readonly errorMessage: string | null
  readonly startedAt: number
  readonly completedAt: number | null
}

/** The server counts anew every 5 s at most. */
const EVERY_MS = 5000

type Listener = (status: Status, error: Error | null) => void

let latest: Status
let back = () => {}
let failure: Error | null = null
let timer: ReturnType<typeof setTimeout> | undefined
const listeners = new Set<Listener>()

/**
 * Begins to ask, and stops while the page is hidden.
 *
 * @param onBack Told when the index answers again after it did not
 */
export function watchStatus(first: Status, onBack: () => void): void {
  latest = first
  back = onBack
  document.addEventListener('visibilitychange', () => {
    clearTimeout(timer)
    if (!document.hidden) refreshStatus()
  })
  if (!document.hidden) timer = setTimeout(refreshStatus, EVERY_MS)
}

/** Tells what is known at once, and again after every answer, until `signal` aborts. */
export function onStatus(listener: Listener, signal?: AbortSignal): void {
  listeners.add(listener)
  signal?.addEventListener('abort', () => listeners.delete(listener))
  listener(latest, failure)
}

export async function refreshStatus(): Promise<void> {
  clearTimeout(timer)
  try {
    latest = await get('status')
    // While developing, an index that was away comes back with other methods.
    if (failure !== null) back()
    failure = null
  } catch (error) {
    failure = error as Error
  }
  for (const listener of listeners) listener(latest, failure)
  clearTimeout(timer)
  if (!document.hidden) timer = setTimeout(refreshStatus, EVERY_MS)
}

/** Jobs of a backfill that are done, and all of them. */
export function progressOf(jobs: { completed: number; pending: number; retrying?: number; failed: number }): {
  readonly done: number
  readonly all: number
} {
  const done = jobs.completed + jobs.failed
  return { done, all: done + jobs.pending + (jobs.retrying ?? 0) }
}
