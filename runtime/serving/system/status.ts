import { sql } from 'kysely'
import type { App } from '../../app.ts'
import type { RuntimeState } from '../../core/liveness.ts'
import { type Clock, systemClock } from '../../core/time.ts'
import type { Store } from '../../storage/store.ts'

/** How far the stream has been read. */
export interface CursorView {
  readonly time_us: number
  /** ISO 8601 */
  readonly date: string
  readonly seconds_ago: number
}

/** What `/status` says. Counts may be some seconds old. */
export interface Status {
  readonly status: 'ok'
  readonly collections: readonly { readonly name: string; readonly nsid: string; readonly records: number }[]
  /** Accounts that are known. */
  readonly accounts: number
  /** Histories of accounts to fetch, by state. */
  readonly jobs: { readonly pending: number; readonly completed: number; readonly failed: number }
  /** Records that were refused. */
  readonly quarantined: number
  /** Null before anything was read from a stream. */
  readonly cursor: CursorView | null
  /** Absent where the process only serves. */
  readonly live?: RuntimeState
}

type Counts = Omit<Status, 'status' | 'cursor' | 'live'>

// Counting reads every row of a table's smallest index. It may take this share of the time, and no more.
const COUNTING_SHARE = 0.01
const MIN_AGE_MS = 5000

/** Where a source's cursor is µs since 1970: between the years 2001 and 2286. */
const TIME_CURSOR = /^[1-9]\d{15}$/

/** @param state What the process does besides serving; default nothing */
export function createStatus(
  app: App,
  store: Store,
  options: { readonly state?: (() => RuntimeState) | undefined; readonly clock?: Clock | undefined } = {},
): { status(): Promise<Status>; cursor(): Promise<CursorView | null> } {
  const { state, clock = systemClock } = options
  const { db } = store
  const knownCounts = remembered(takeCounts, clock)

  const count = async (table: string): Promise<number> => {
    const [row] = await db.selectFrom(table).select(sql`count(*)`.as('n')).execute()
    return Number(row!.n)
  }

  async function takeCounts(): Promise<Counts> {
    const collections = []
    for (const { name, nsid, table } of app.collections) {
      collections.push({ name, nsid, records: await count(table) })
    }
    const jobs = { pending: 0, completed: 0, failed: 0 }
    const states = await db
      .selectFrom('lexidex_job')
      .select(['status', sql`count(*)`.as('n')])
      .groupBy('status')
      .execute()
    for (const { status, n } of states) jobs[status as keyof typeof jobs] = Number(n)
    const accounts = await count('lexidex_account')
    const quarantined = await count('lexidex_quarantine')
    return { collections, accounts, jobs, quarantined }
  }

  async function cursor(): Promise<CursorView | null> {
    const rows = await db.selectFrom('lexidex_cursor').select('cursor').orderBy('updated_at', 'desc').execute()
    const newest = rows.find((row) => TIME_CURSOR.test(row.cursor))
    if (newest === undefined) return null
    const timeUs = Number(newest.cursor)
    return {
      time_us: timeUs,
      date: new Date(timeUs / 1000).toISOString(),
      seconds_ago: Math.max(0, Math.round((clock.nowUs() - timeUs) / 1_000_000)),
    }
  }

  return {
    cursor,
    async status() {
      const known = await knownCounts()
      return { status: 'ok', ...known, cursor: await cursor(), ...(state === undefined ? {} : { live: state() }) }
    },
  }
}

/** The outcome of `work`, which is done anew once it is some seconds old; later, where the work takes long. */
export function remembered<T>(work: () => Promise<T>, clock: Clock = systemClock): () => Promise<T> {
  let outcome: Promise<T> | null = null
  let staleAt = 0
  const start = async () => {
    const began = clock.now()
    const value = await work()
    const ended = clock.now()
    staleAt = ended + Math.max(MIN_AGE_MS, (ended - began) / COUNTING_SHARE)
    return value
  }
  return () => {
    if (outcome !== null && clock.now() < staleAt) return outcome
    staleAt = Number.POSITIVE_INFINITY
    outcome = start().catch((error) => {
      outcome = null
      throw error
    })
    return outcome
  }
}
