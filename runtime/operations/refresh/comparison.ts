import type { Applier } from '../../apply/applier.ts'
import { nextTurn } from '../../apply/pause.ts'
import { isRecordKey, makeAtUri } from '../../core/at-uri.ts'
import type { CollectionDef } from '../../core/collection.ts'
import type { RecordEvent } from '../../core/events.ts'
import type { PdsClient } from '../../sources/pds.ts'
import type { Repo } from '../../sources/repo.ts'
import type { OperationContext } from '../context.ts'
import { refusedVersions, rowsByUri, type StoredRow, storedRows } from './compare-rows.ts'

/** Changes that wait for the database before they are counted. */
const OPEN = 500
/** Records that are compared before others get their turn. */
const TURN = 1000

/** How records of one collection stood. */
export interface CollectionCounts {
  /** The account has them and this index had not. Stored. */
  missing: number
  /** They were stored in another version, and met longer ago than the window is. Replaced. */
  staleUpdates: number
  /** All others, those that the index does not take (`recordFilter`, validation, …) among them. */
  inSync: number
  /** They were stored and the account has them no more. Removed. */
  deleted: number
}

export type Count = (collection: CollectionDef, counter: keyof CollectionCounts) => void

export interface ComparisonParts {
  readonly context: OperationContext
  readonly applier: Applier
  /** In the order in which they are to be compared. */
  readonly collections: readonly CollectionDef[]
  readonly did: string
  readonly ignoreWindowMs: number
  readonly count: Count
  readonly signal: AbortSignal
}

/** A change that was made, and what it counts as where it took effect. */
interface OpenChange {
  readonly collection: CollectionDef
  readonly uri: string
  /** CID before; null where there was none. */
  readonly before: string | null
  readonly counter: keyof CollectionCounts
}

type Present = { readonly rkey: string; readonly cid: string; readonly value: unknown }

/**
 * Compares an account as its PDS has it with what is stored, and applies the differences. All of it goes the usual way
 * through admission and the store's guards, at the rev that the PDS's word is of: whatever is written meanwhile by the
 * stream has a later rev, and wins. A change is counted by what has become of it, not by what was asked for.
 */
export class Comparison {
  readonly #parts: ComparisonParts
  readonly #rev: string
  /** µs since 1970: rows that were met later are not judged by their absence. */
  readonly #askedUs: number
  #open: OpenChange[] = []

  /**
   * @param rev what the PDS said is at least of this rev
   * @param askedUs µs since 1970: before the PDS was asked
   */
  constructor(parts: ComparisonParts, rev: string, askedUs: number) {
    this.#parts = parts
    this.#rev = rev
    this.#askedUs = askedUs
  }

  /** Compares with a complete repo of this very rev, which also proves what is not there any more. */
  async withRepo(repo: Repo): Promise<void> {
    for (const collection of this.#parts.collections) await this.#withCollection(repo, collection)
    await this.#settle()
  }

  /** Compares with listings, which prove nothing by what they lack. @throws ServiceError */
  async withListings(pds: string, client: PdsClient): Promise<void> {
    const { context, collections, did, signal } = this.#parts
    for (const collection of collections) {
      const refused = await refusedVersions(context, collection, did)
      for await (const { records } of client.listRecords(pds, { did, collection: collection.nsid }, { signal })) {
        const uris = records.map(({ rkey }) => makeAtUri(did, collection.nsid, rkey))
        const rows = await rowsByUri(context, collection, uris)
        for (const [i, record] of records.entries()) {
          const uri = uris[i]!
          await this.#present(collection, uri, record, rows.get(uri), refused.get(uri)?.cid)
        }
      }
    }
    await this.#settle()
  }

  async #withCollection(repo: Repo, collection: CollectionDef): Promise<void> {
    const { context, did } = this.#parts
    const refused = await refusedVersions(context, collection, did)
    const rows = storedRows(context, collection, did)
    let row = await nextOf(rows)
    let compared = 0
    // Both sides are in the order of their keys.
    for (const record of repo.records(collection.nsid)) {
      if (++compared % TURN === 0) await nextTurn()
      if (!isRecordKey(record.rkey)) {
        // No index has it, and not every database can be asked for it.
        this.#parts.count(collection, 'inSync')
        continue
      }
      const uri = makeAtUri(did, collection.nsid, record.rkey)
      for (; row !== null && row.uri < uri; row = await nextOf(rows)) await this.#absent(collection, row)
      const match = row?.uri === uri ? row : undefined
      if (match !== undefined) row = await nextOf(rows)
      await this.#present(collection, uri, record, match, refused.get(uri)?.cid)
      refused.delete(uri)
    }
    for (; row !== null; row = await nextOf(rows)) await this.#absent(collection, row)
    // Nobody needs to mend what is gone.
    for (const uri of refused.keys()) await this.#push(this.#deletionOf(collection, uri))
  }

  async #present(
    collection: CollectionDef,
    uri: string,
    { rkey, cid, value }: Present,
    row: StoredRow | undefined,
    refusedCid: string | undefined,
  ): Promise<void> {
    const { did, count, context, ignoreWindowMs } = this.#parts
    const isSettled = row === undefined ? refusedCid === cid : row.cid === cid || row.rev >= this.#rev
    if (isSettled) return count(collection, 'inSync')
    const { nsid } = collection
    await this.#push({ kind: 'put', did, collection: nsid, rkey, rev: this.#rev, cid, record: value })
    if (row === undefined) return this.#note({ collection, uri, before: null, counter: 'missing' })
    // The stream may well be about to deliver it.
    const isRecent = row.indexed_at > context.clock.nowUs() - ignoreWindowMs * 1000
    await this.#note({ collection, uri, before: row.cid, counter: isRecent ? 'inSync' : 'staleUpdates' })
  }

  async #absent(collection: CollectionDef, { uri, cid, rev, indexed_at }: StoredRow): Promise<void> {
    // A listing that runs beside this one stores what it meets at the rev of its beginning, which may be ours.
    if (rev > this.#rev || indexed_at > this.#askedUs) return this.#parts.count(collection, 'inSync')
    await this.#push(this.#deletionOf(collection, uri))
    await this.#note({ collection, uri, before: cid, counter: 'deleted' })
  }

  #deletionOf({ nsid }: CollectionDef, uri: string): RecordEvent {
    const rkey = uri.slice(uri.lastIndexOf('/') + 1)
    return { kind: 'delete', did: this.#parts.did, collection: nsid, rkey, rev: this.#rev }
  }

  async #push(event: RecordEvent): Promise<void> {
    const { applier, signal } = this.#parts
    signal.throwIfAborted()
    const crowded = applier.push({ event, position: null })
    if (crowded) await crowded
  }

  async #note(change: OpenChange): Promise<void> {
    this.#open.push(change)
    if (this.#open.length >= OPEN) await this.#settle()
  }

  /** Resolves when everything is durable and counted. */
  async #settle(): Promise<void> {
    const { context, applier, collections, count } = this.#parts
    await applier.flush()
    const open = this.#open
    this.#open = []
    for (const collection of collections) {
      const mine = open.filter((change) => change.collection === collection)
      const uris = mine.map(({ uri }) => uri)
      const rows = await rowsByUri(context, collection, uris)
      for (const { uri, before, counter } of mine) {
        const after = rows.get(uri)?.cid ?? null
        // A record that was deleted and is there has come back since.
        const tookEffect = counter === 'deleted' ? after === null : after !== before
        count(collection, tookEffect ? counter : 'inSync')
      }
    }
  }
}

async function nextOf(rows: AsyncGenerator<StoredRow, void>): Promise<StoredRow | null> {
  const { value } = await rows.next()
  return value ?? null
}
