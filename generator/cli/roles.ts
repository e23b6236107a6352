import { sleep } from '../../runtime/sources/backoff.ts'
import type { Indexer } from './indexer.ts'
import { note, print } from './output.ts'

/** What a process of an index does. `all` is for one that does everything. */
export const ROLES = ['all', 'serve', 'ingest', 'backfill'] as const
export type Role = (typeof ROLES)[number]

export interface Work {
  readonly role: Role
  readonly ingest: boolean
  readonly backfill: boolean
  readonly concurrency: number
  readonly signal: AbortSignal
}

/** ms until another look for history to fetch. */
const WAIT_MS = 5000

export function serves(role: Role): boolean {
  return role === 'all' || role === 'serve'
}

/** What a process does beside serving: each runs until the signal aborts. */
export async function partsOf(indexer: Indexer, work: Work): Promise<readonly (() => Promise<void>)[]> {
  const { role, signal, ingest, backfill } = work
  if (role === 'serve') return []
  if (role === 'ingest') return [() => indexer.runPersistent({ signal, backfill: false })]
  if (role === 'backfill') return [() => backfillForever(indexer, work)]
  // Before the stream is followed: its first event makes the position new.
  const decision = backfill ? await indexer.decideBackfill() : undefined
  const parts: (() => Promise<void>)[] = []
  if (ingest) parts.push(() => indexer.runPersistent({ signal, backfill }))
  else if (backfill) parts.push(() => indexer.keepHouse({ signal }))
  if (backfill) parts.push(() => backfillOnce(indexer, { ...work, decision }))
  return parts
}

type Decision = Awaited<ReturnType<Indexer['decideBackfill']>>

/** The history that is missing, where any is. What falls due later is fetched beside the stream. */
async function backfillOnce(
  indexer: Indexer,
  { concurrency, signal, decision }: Work & { readonly decision: Decision | undefined },
): Promise<void> {
  let decided = decision
  let told = false
  while (!signal.aborted) {
    if (await backfillWhereDue(indexer, { concurrency, signal, decision: decided })) return
    // What was decided does not hold any more.
    decided = undefined
    if (!told) note('Another process backfills, or did until it crashed; waiting for it.')
    told = true
    if (indexer.store.shared !== undefined) await indexer.backfill({ concurrency, signal })
    await sleep(WAIT_MS, signal)
  }
}

/** All that there is to fetch, and whatever falls due, with whoever else does. */
async function backfillForever(indexer: Indexer, { concurrency, signal }: Work): Promise<void> {
  let begun = false
  while (!signal.aborted) {
    if (!begun) begun = await backfillWhereDue(indexer, { concurrency, signal })
    await indexer.backfill({ concurrency, signal })
    await sleep(WAIT_MS, signal)
  }
}

/** @returns false where another process is at it */
async function backfillWhereDue(
  indexer: Indexer,
  options: { concurrency: number; signal: AbortSignal; decision?: Decision | undefined },
): Promise<boolean> {
  const { backfillWhereDue } = await import('./indexer.ts')
  try {
    print(await backfillWhereDue(indexer, options))
    return true
  } catch (error) {
    if (error instanceof Error && error.name === 'BackfillInProgress') return false
    throw error
  }
}
