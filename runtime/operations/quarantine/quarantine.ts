import { isolate } from '../../apply/isolate.ts'
import { parseAtUri } from '../../core/at-uri.ts'
import { LexidexError } from '../../core/errors.ts'
import type { Operation } from '../../core/operation.ts'
import { bookkeeping, type OperationContext } from '../context.ts'

/** Rows that are read at a time: each may be as long as a PDS's answer. */
const BATCH = 50

/** A version of a record that was refused. */
export interface QuarantinedRecord {
  readonly uri: string
  /** NSID. */
  readonly collection: string
  readonly did: string
  readonly rev: string
  readonly cid: string
  readonly reason: string
  /** The record as JSON text. */
  readonly record: string
  /** ms since 1970 */
  readonly quarantinedAt: number
}

export interface ListQuarantineOptions {
  /** Short name or NSID. Default: all collections. */
  readonly collection?: string | undefined
  /** URI of one record. */
  readonly uri?: string | undefined
  /** Default 50. */
  readonly limit?: number | undefined
  /** The last URI of the page before. */
  readonly after?: string | undefined
}

/** Versions of records that were refused, in the order of their URIs. */
export async function listQuarantine(
  context: OperationContext,
  options: ListQuarantineOptions = {},
): Promise<readonly QuarantinedRecord[]> {
  const { collection, uri, limit = 50, after } = options
  let query = bookkeeping(context.store).selectFrom('lexidex_quarantine').selectAll().orderBy('uri').limit(limit)
  if (collection !== undefined) query = query.where('collection', '=', nsidOf(context, collection))
  if (uri !== undefined) query = query.where('uri', '=', uri)
  if (after !== undefined) query = query.where('uri', '>', after)
  const rows = await query.execute()
  return rows.map(({ quarantined_at: quarantinedAt, ...row }) => ({ ...row, quarantinedAt }))
}

/** Which refused versions are tried again. */
export type RetryQuarantineOptions =
  | { readonly uri: string }
  /** Short name or NSID. */
  | { readonly collection: string }
  | { readonly all: true }

export interface RetryQuarantineResult {
  readonly retried: number
  /** Records that are indexed now. Where a later version was known, or a filter does not want it, the rest is neither. */
  readonly applied: number
  readonly stillRefused: number
}

/**
 * Takes refused versions through admission again, as after a lexicon was mended, and applies those that pass. Nothing is
 * fetched.
 *
 * @throws the error of the database, where that fails
 */
export async function retryQuarantine(
  context: OperationContext,
  options: RetryQuarantineOptions,
): Promise<RetryQuarantineResult> {
  const which = 'all' in options ? {} : options
  let retried = 0
  let applied = 0
  let stillRefused = 0
  let after: string | undefined
  for (;;) {
    const rows = await listQuarantine(context, { ...which, limit: BATCH, after })
    if (rows.length === 0) return { retried, applied, stillRefused }
    after = rows.at(-1)!.uri
    retried += rows.length
    applied += await applyAgain(context, rows)
    stillRefused += await countLeft(context, rows)
  }
}

/** @returns how many are indexed now */
async function applyAgain(context: OperationContext, rows: readonly QuarantinedRecord[]): Promise<number> {
  const operations = rows.flatMap((row) => operationOf(context, row) ?? [])
  if (operations.length === 0) return 0
  const { store, clock } = context
  let puts = 0
  const write = async (part: readonly Operation[]) => {
    puts += (await store.apply({ operations: part, positions: [], now: clock.now() })).puts
  }
  // What the database refuses is back in quarantine, or was never out of it.
  await isolate(operations, write, (error) => store.isTransient(error))
  return puts
}

/** Null where it is refused again. */
function operationOf(
  { admission }: OperationContext,
  { uri, collection, did, rev, cid, record }: QuarantinedRecord,
): Operation | null {
  const { rkey } = parseAtUri(uri)!
  const operation = admission.admit({ kind: 'put', did, collection, rkey, rev, cid, record: JSON.parse(record) })
  if (operation?.op === 'put') return { ...operation, retry: true }
  // The filter does not want it: there is nothing to keep.
  return operation?.op === 'delete' ? operation : null
}

async function countLeft({ store }: OperationContext, rows: readonly QuarantinedRecord[]): Promise<number> {
  const uris = rows.map(({ uri }) => uri)
  const left = await bookkeeping(store)
    .selectFrom('lexidex_quarantine')
    .select('uri')
    .where('uri', 'in', uris)
    .execute()
  return left.length
}

/** @throws LexidexError where the app has no such collection, and nothing of it is quarantined under that NSID */
function nsidOf({ collections }: OperationContext, name: string): string {
  const found = collections.find((collection) => collection.name === name || collection.nsid === name)
  // Versions of a collection that is no longer indexed are still there.
  if (found !== undefined) return found.nsid
  if (name.includes('.')) return name
  const names = collections.map((collection) => collection.name).join(', ')
  throw new LexidexError(`There is no collection ${name}`, { hint: `Write its NSID, or one of: ${names}.` })
}
