import { createApplier } from '../../apply/applier.ts'
import { unlessAborted } from '../../core/abort.ts'
import { Closing } from '../../core/closing.ts'
import { messageOf } from '../../core/errors.ts'
import { dropOldest } from '../../core/oldest.ts'
import { ResolveError } from '../../identity/resolver.ts'
import { createPdsClient } from '../../sources/pds.ts'
import { ServiceError, type XrpcClient } from '../../sources/xrpc.ts'
import { AccountFetcher } from '../backfill/account-fetcher.ts'
import { Checkpoints } from '../backfill/checkpoints.ts'
import { addAccounts, addJobs, type Job } from '../backfill/jobs.ts'
import { Tally } from '../backfill/tally.ts'
import { bookkeeping, type OperationContext } from '../context.ts'
import { anchorPosition } from '../live/position.ts'
import { verifiedRev } from '../verified.ts'
import { type FoundActor, findActor } from './actors.ts'
import { MissingRecords } from './missing.ts'

const BUDGET_MS = 3000
/** After a fetch that came to nothing, the account is not asked for again for so long. */
const ABSENT_MS = 60_000
/** Accounts that are fetched at a time; more are answered with what is there. */
const MAX_RUNNING = 20
/** Pairs of account and collection that are remembered as fetched, and accounts as absent. */
const MAX_REMEMBERED = 100_000

/** Fetches accounts that somebody asks for and that were never fetched before. */
export class OnDemand {
  readonly #context: OperationContext
  /** Resolves when the store can be written to. */
  readonly #ready: () => Promise<void>
  readonly #fetched = new Set<string>()
  /** ms since 1970 until which an account is left alone. */
  readonly #absentUntil = new Map<string, number>()
  readonly #running = new Map<string, Promise<void>>()
  readonly #closing = new Closing()
  readonly #missing: MissingRecords

  constructor(context: OperationContext, ready: () => Promise<void>) {
    // Who asks cannot wait for second tries; the background can.
    this.#context = { ...context, xrpc: withoutRetries(context.xrpc) }
    this.#ready = ready
    this.#missing = new MissingRecords(this.#context, ready)
  }

  /** The account of a DID or handle, asked of the network within 3 s where need be; null where there is none, or none in time. */
  async find(actor: string): Promise<FoundActor | null> {
    return this.#find(actor, AbortSignal.timeout(BUDGET_MS))
  }

  /**
   * The same; and where the account's records of a collection were never fetched, that is tried first. It takes 3 s at
   * most, all in all. What is not done by then is left to the next backfill.
   *
   * @param collection NSID
   */
  async prepare(actor: string, collection: string): Promise<FoundActor | null> {
    if (this.#fetched.has(`${actor} ${collection}`)) return { did: actor, settled: true }
    const signal = AbortSignal.timeout(BUDGET_MS)
    const found = await this.#find(actor, signal)
    if (found === null) return null
    const { did } = found
    const work = this.#ensure(did, collection)
    await unlessAborted(work, signal).catch((error) => {
      if (!signal.aborted) throw error
    })
    return { did, settled: found.settled && this.#fetched.has(`${did} ${collection}`) }
  }

  /**
   * Has records fetched in the background that the index lacks, of known accounts whose history was not fetched yet. One
   * that was looked for is left alone for an hour.
   *
   * @param uris with DIDs
   */
  fetchMissing(uris: readonly string[]): void {
    this.#missing.fetch(uris)
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await Promise.all([this.#missing.settled(), ...this.#running.values()])
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.#closing.close()
    await Promise.all([this.#missing.close(), ...this.#running.values()])
  }

  async #find(actor: string, signal: AbortSignal): Promise<FoundActor | null> {
    try {
      return await unlessAborted(findActor(this.#context, actor), signal)
    } catch (error) {
      if (signal.aborted || error instanceof ResolveError) return null
      throw error
    }
  }

  async #ensure(did: string, collection: string): Promise<void> {
    const key = `${did} ${collection}`
    const { clock } = this.#context
    if (this.#fetched.has(key) || (this.#absentUntil.get(did) ?? 0) > clock.now()) return
    if (!this.#running.has(did) && (await this.#wasFetched(did, collection))) {
      this.#fetched.add(key)
      dropOldest(this.#fetched, MAX_REMEMBERED)
      return
    }
    // Not asked before: another request may have begun meanwhile.
    if (!this.#running.has(did)) this.#start(did, collection)
    await this.#running.get(did)
  }

  /** Whether a job was completed, given up, put off after a failure, or is under way. */
  async #wasFetched(did: string, collection: string): Promise<boolean> {
    const job = await bookkeeping(this.#context.store)
      .selectFrom('lexidex_job')
      .select(['status', 'attempts', 'cursor'])
      .where('did', '=', did)
      .where('collection', '=', collection)
      .executeTakeFirst()
    return job !== undefined && (job.status !== 'pending' || job.attempts > 0 || job.cursor !== null)
  }

  #start(did: string, collection: string): void {
    if (this.#running.size >= MAX_RUNNING || this.#closing.isClosed) return
    const work = this.#closing
      .during((closing) =>
        this.#tryToFetch(did, collection, AbortSignal.any([AbortSignal.timeout(BUDGET_MS), closing])),
      )
      .finally(() => this.#running.delete(did))
    this.#running.set(did, work)
  }

  async #tryToFetch(did: string, collection: string, signal: AbortSignal): Promise<void> {
    try {
      if (!(await this.#fetch(did, collection, signal))) this.#leaveAlone(did)
    } catch (error) {
      this.#leaveAlone(did)
      if (signal.aborted || error instanceof ServiceError || error instanceof ResolveError) return
      this.#context.logger.error(`Could not fetch ${did} on demand: ${messageOf(error)}`, error)
    }
  }

  #leaveAlone(did: string): void {
    this.#absentUntil.delete(did)
    this.#absentUntil.set(did, this.#context.clock.now() + ABSENT_MS)
    dropOldest(this.#absentUntil, MAX_REMEMBERED)
  }

  /** @returns whether there was anything to fetch */
  async #fetch(did: string, collection: string, signal: AbortSignal): Promise<boolean> {
    const context = this.#context
    await this.#ready()
    const identity = await unlessAborted(context.resolver.resolve(did), signal)
    if (!(await this.#isKnown(did)) && !(await this.#belongs(did, identity.pds, signal))) return false
    signal.throwIfAborted()
    // As before every listing: what changes from here on must be on the stretch of the stream that is still to be read.
    await anchorPosition(context)
    await addAccounts(context, [did])
    await addJobs(
      context,
      [did],
      context.collections.map(({ nsid }) => nsid),
    )
    const jobs = await this.#newJobs(did, collection)
    const { store, admission, clock, logger } = context
    const applier = createApplier({ store, admission, clock, logger })
    const checkpoints = new Checkpoints(context, applier, (error) => logger.error(messageOf(error), error))
    try {
      const fetcher = new AccountFetcher({ context, applier, checkpoints, tally: new Tally(), signal })
      await fetcher.fetch(identity, jobs, await verifiedRev(context, did))
    } finally {
      await applier.close()
      await checkpoints.flush()
    }
    return !signal.aborted
  }

  async #isKnown(did: string): Promise<boolean> {
    const db = bookkeeping(this.#context.store)
    return (
      (await db.selectFrom('lexidex_account').select('did').where('did', '=', did).executeTakeFirst()) !== undefined
    )
  }

  /** Whoever is asked for by name would else become known; an account does by having records of the app's. */
  async #belongs(did: string, pds: string, signal: AbortSignal): Promise<boolean> {
    const { collections, xrpc } = this.#context
    const theirs = new Set(await createPdsClient(xrpc).getCollections(pds, did, { signal }))
    return collections.some(({ discover, nsid }) => discover && theirs.has(nsid))
  }

  /** Jobs that were never tried, the one that is asked for first. */
  async #newJobs(did: string, collection: string): Promise<readonly Job[]> {
    const rows = await bookkeeping(this.#context.store)
      .selectFrom('lexidex_job')
      .select(['did', 'collection', 'cursor', 'rev', 'records', 'attempts', 'due_at', 'last_error'])
      .where('did', '=', did)
      .where('status', '=', 'pending')
      .where('attempts', '=', 0)
      .orderBy('collection')
      .execute()
    const jobs = rows.map((row): Job => ({ ...row, status: 'pending' }))
    return [
      ...jobs.filter((job) => job.collection === collection),
      ...jobs.filter((job) => job.collection !== collection),
    ]
  }
}

function withoutRetries(xrpc: XrpcClient): XrpcClient {
  return {
    ...xrpc,
    get: (service, method, params, options) => xrpc.get(service, method, params, { ...options, retry: false }),
  }
}
