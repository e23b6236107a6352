import fc from 'fast-check'
import type { Network } from '../../../fixtures/network/index.ts'
import { type Action, action, perform } from './history.ts'
import { type CalendarIndexer, type MovableClock, pause } from './index.ts'

// biome-ignore format: a list of words
const KINDS = [
  'follow', 'follow', 'stop', 'ingest', 'backfill', 'run', 'notify', 'refresh', 'check', 'load', 'drop',
] as const

/** Something that one of the indexers does while the history goes on. */
const operation = fc.record({
  kind: fc.constantFrom(...KINDS),
  by: fc.nat(1),
  /** ms until it begins. */
  after: fc.nat(30),
  /** For notifications: which writes of the log. */
  picks: fc.array(fc.nat(100), { minLength: 1, maxLength: 5 }),
})

type Operation = typeof operation extends fc.Arbitrary<infer O> ? O : never

/** Writes, and what goes on beside them. */
const segment = fc.record({
  actions: fc.array(action, { minLength: 1, maxLength: 12 }),
  /** Writes between two turns of the event loop. */
  burst: fc.integer({ min: 1, max: 5 }),
  meanwhile: fc.array(operation, { maxLength: 4 }),
})

export type Segment = { actions: readonly Action[]; burst: number; meanwhile: readonly Operation[] }

export const script: fc.Arbitrary<readonly Segment[]> = fc.array(segment, { minLength: 2, maxLength: 7, size: 'max' })

/** Indexers of one database, in as many processes as far as they know. */
export class Crew {
  readonly #network: Network
  readonly #indexers: readonly CalendarIndexer[]
  readonly #following = new Map<number, { abort: AbortController; done: Promise<void> }>()

  constructor(network: Network, indexers: readonly CalendarIndexer[]) {
    this.#network = network
    this.#indexers = indexers
  }

  async play(segments: readonly Segment[]): Promise<void> {
    for (const { actions, burst, meanwhile } of segments) {
      await Promise.all([this.#write(actions, burst), ...meanwhile.map((operation) => this.#do(operation))])
    }
  }

  follow(by: number): void {
    if (this.#following.has(by)) return
    const abort = new AbortController()
    const options = { signal: abort.signal, flushIntervalMs: 5, batchSize: 3 }
    this.#following.set(by, { abort, done: this.#indexers[by]!.runPersistent(options) })
  }

  async stop(by: number): Promise<void> {
    const following = this.#following.get(by)
    if (following === undefined) return
    this.#following.delete(by)
    following.abort.abort()
    await following.done
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.#indexers.map((_, by) => this.stop(by)))
  }

  async #write(actions: readonly Action[], burst: number): Promise<void> {
    for (const [i, one] of actions.entries()) {
      perform(this.#network, one)
      if (i % burst === 0) await pause(2)
    }
  }

  async #do({ kind, by, after, picks }: Operation): Promise<void> {
    const indexer = this.#indexers[by]!
    await pause(after)
    switch (kind) {
      case 'follow':
        return this.follow(by)
      case 'stop':
        return this.stop(by)
      case 'ingest':
        if (!this.#following.has(by)) await indexer.ingest({ timeoutMs: 200, quietMs: 50, batchSize: 4 })
        return
      case 'backfill':
        // Two at a time where they are not asked for as one run, of which there is one.
        await indexer.discover()
        await indexer.backfill()
        return
      case 'run':
        await indexer.performBackfill({ force: 'catch_up' }).catch((error) => {
          if (error.name !== 'BackfillInProgress') throw error
        })
        return
      case 'notify':
        await indexer.notify(this.#uris(picks))
        return
      case 'refresh':
        await indexer.refresh({ ignoreWindowMs: 0 })
        return
      case 'check':
        await indexer.checkAccounts()
        return
      case 'load': {
        // As a backfill of many accounts would: what all others write meanwhile is counted and indexed at its end.
        const { bulk } = indexer.store
        if (!(await bulk?.begin())) return
        await pause(20)
        return bulk?.end()
      }
      case 'drop':
        this.#network.dropConnections()
    }
  }

  #uris(picks: readonly number[]): string[] {
    const written = this.#network.log.flatMap((frame) =>
      frame.kind === 'commit' ? [`at://${frame.did}/${frame.commit.collection}/${frame.commit.rkey}`] : [],
    )
    return written.length === 0 ? [] : picks.map((pick) => written[pick % written.length]!)
  }
}

/** Fetches and asks until nothing is due any more, a few days later. */
export async function settle(network: Network, indexer: CalendarIndexer, clock: MovableClock): Promise<void> {
  const active = network.accounts.filter(({ active }) => active).map(({ did }) => did)
  for (let round = 0; round < 10; round++) {
    // Whatever is put off is due then, and whoever was not heard of is asked again.
    clock.advance(49 * 3_600_000)
    // Not as a run, which would find the stream's position old by now, and fetch everything anew.
    await indexer.discover()
    await indexer.backfill({ retryFailed: true })
    await indexer.checkAccounts()
    const job = await indexer.db
      .selectFrom('lexidex_job')
      .select(['did', 'collection', 'status', 'last_error', 'attempts'])
      .where('status', '!=', 'completed')
      .where('did', 'in', active)
      .executeTakeFirst()
    const account = await indexer.db
      .selectFrom('lexidex_account')
      .selectAll()
      .where('check_due_at', 'is not', null)
      .executeTakeFirst()
    if (job === undefined && account === undefined && round > 0) return
    if (round === 9) throw new Error(`Something stays due: ${JSON.stringify({ job, account, now: clock.now() })}`)
  }
}
