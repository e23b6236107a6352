import { parseAtUri } from '../../core/at-uri.ts'
import { Closing } from '../../core/closing.ts'
import { messageOf } from '../../core/errors.ts'
import { dropOldest } from '../../core/oldest.ts'
import { bookkeeping, type OperationContext } from '../context.ts'
import { MAX_URIS, notify } from './notify.ts'

/** A record that was looked for is left alone for so long, whatever came of it. */
const AGAIN_MS = 60 * 60_000
/** Records that wait to be looked for; more are left to the next request that lacks them. */
const MAX_WAITING = 1000
/** Records that are remembered as looked for. */
const MAX_REMEMBERED = 100_000

/**
 * Fetches single records that somebody would have seen, in the background: those of known accounts whose history is
 * still to be fetched. Where it was fetched, what is not in the index does not exist.
 */
export class MissingRecords {
  readonly #context: OperationContext
  readonly #ready: () => Promise<void>
  /** URI, and ms since 1970 until which it is left alone; the oldest first. */
  readonly #askedUntil = new Map<string, number>()
  readonly #waiting: string[] = []
  readonly #closing = new Closing()
  #work: Promise<void> | null = null

  /** @param ready resolves when the store can be written to */
  constructor(context: OperationContext, ready: () => Promise<void>) {
    this.#context = context
    this.#ready = ready
  }

  /** @param uris with DIDs */
  fetch(uris: readonly string[]): void {
    if (this.#closing.isClosed) return
    const now = this.#context.clock.now()
    for (const uri of uris) {
      if (this.#waiting.length >= MAX_WAITING) break
      if ((this.#askedUntil.get(uri) ?? 0) > now) continue
      this.#askedUntil.delete(uri)
      this.#askedUntil.set(uri, now + AGAIN_MS)
      dropOldest(this.#askedUntil, MAX_REMEMBERED)
      this.#waiting.push(uri)
    }
    if (this.#waiting.length > 0) this.#work ??= this.#closing.during((signal) => this.#drain(signal))
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await this.#work
  }

  async close(): Promise<void> {
    this.#closing.close()
    await this.#work
  }

  async #drain(signal: AbortSignal): Promise<void> {
    try {
      await this.#ready()
      while (this.#waiting.length > 0 && !signal.aborted) {
        const uris = await this.#unfetched(this.#waiting.splice(0, MAX_URIS))
        // What goes wrong with one of them is the backfill's to try again.
        if (uris.length > 0) await notify(this.#context, uris, { signal })
      }
    } catch (error) {
      this.#waiting.length = 0
      if (!signal.aborted) this.#context.logger.error(`Could not fetch missing records: ${messageOf(error)}`, error)
    } finally {
      this.#work = null
    }
  }

  /** Those whose account is known, and its history in their collection not fetched yet. */
  async #unfetched(uris: readonly string[]): Promise<readonly string[]> {
    const wanted = uris.map((uri) => ({ uri, ...parseAtUri(uri)! }))
    const jobs = await bookkeeping(this.#context.store)
      .selectFrom('lexidex_job')
      .select(['did', 'collection'])
      .where(
        'did',
        'in',
        wanted.map(({ authority }) => authority),
      )
      .where('status', '!=', 'completed')
      .execute()
    const open = new Set(jobs.map(({ did, collection }) => `${did} ${collection}`))
    return wanted.filter(({ authority, collection }) => open.has(`${authority} ${collection}`)).map(({ uri }) => uri)
  }
}
