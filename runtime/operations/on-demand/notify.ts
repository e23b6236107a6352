import type { Admission } from '../../admission/admit.ts'
import { createApplier } from '../../apply/applier.ts'
import { unlessAborted } from '../../core/abort.ts'
import { parseAtUri } from '../../core/at-uri.ts'
import { messageOf } from '../../core/errors.ts'
import type { RecordEvent } from '../../core/events.ts'
import type { NotifyError, NotifyResult } from '../../core/notify.ts'
import type { PutOperation } from '../../core/operation.ts'
import { ResolveError } from '../../identity/resolver.ts'
import { createPdsClient, type PdsClient } from '../../sources/pds.ts'
import { ServiceError } from '../../sources/xrpc.ts'
import type { OperationContext } from '../context.ts'
import { findActor } from './actors.ts'

/** URIs of one call. */
export const MAX_URIS = 25
const TIMEOUT_MS = 5000

/**
 * Fetches records from their authors' own PDSes and applies them before it returns, so that whoever wrote one reads it
 * back at once. What the stream says of them later changes nothing.
 *
 * Only `RecordNotFound`, from a PDS that has the account, deletes a record. Whatever else goes wrong with one URI is
 * among the `errors`, and the others go on. Nothing takes longer than 5 s to fetch.
 *
 * @param uris URIs of records, with DIDs or handles; at most 25
 * @param options.signal ends the fetching; what was not fetched by then is among the `errors`
 * @throws RangeError where there are more
 * @throws the error of the database, where that fails
 */
export async function notify(
  context: OperationContext,
  uris: string | readonly string[],
  options: { readonly signal?: AbortSignal } = {},
): Promise<NotifyResult> {
  const wanted = [uris].flat()
  if (wanted.length > MAX_URIS) throw new RangeError(`max ${MAX_URIS} URIs per request`)
  const limit = AbortSignal.timeout(TIMEOUT_MS)
  const signal = options.signal === undefined ? limit : AbortSignal.any([limit, options.signal])
  const fetcher = new RecordFetcher(context, signal)
  const fetched = await Promise.all([...new Set(wanted)].map((uri) => fetcher.fetch(uri)))
  const outcomes = await applyAll(context, fetched)

  const errors = outcomes.flatMap(({ uri, outcome }): readonly NotifyError[] =>
    typeof outcome === 'string' ? [] : [{ uri, message: outcome.failed }],
  )
  const count = (wanted: Outcome) => outcomes.filter(({ outcome }) => outcome === wanted).length
  return { indexed: count('indexed'), deleted: count('deleted'), ...(errors.length > 0 && { errors }) }
}

interface Failure {
  readonly failed: string
}

/** What a PDS says of a URI. */
interface Fetched {
  readonly uri: string
  readonly said: RecordEvent | Failure
}

type Outcome = 'indexed' | 'deleted' | Failure

/** Asks the PDSes of one call's records; each account is looked up once. */
class RecordFetcher {
  readonly #context: OperationContext
  readonly #signal: AbortSignal
  readonly #pds: PdsClient
  readonly #repos = new Map<string, Promise<{ pds: string; rev: string }>>()

  constructor(context: OperationContext, signal: AbortSignal) {
    this.#context = context
    this.#signal = signal
    this.#pds = createPdsClient(context.xrpc)
  }

  async fetch(uri: string): Promise<Fetched> {
    try {
      return { uri, said: await this.#ask(uri) }
    } catch (error) {
      if (this.#signal.aborted) return { uri, said: { failed: `No answer within ${TIMEOUT_MS / 1000} s` } }
      if (!(error instanceof ServiceError || error instanceof ResolveError)) throw error
      return { uri, said: { failed: messageOf(error) } }
    }
  }

  async #ask(uri: string): Promise<RecordEvent | Failure> {
    const parts = parseAtUri(uri)
    if (parts === null) return { failed: 'Not the URI of a record: write it as at://did/collection/rkey' }
    const { authority, collection, rkey } = parts
    if (!this.#context.collections.some(({ nsid }) => nsid === collection)) {
      return { failed: `Collection not tracked: ${collection}` }
    }
    const did = (await unlessAborted(findActor(this.#context, authority), this.#signal))?.did
    if (did === undefined) return { failed: `Could not resolve ${authority}` }
    // Before the record, never after it: what changes in between must be later than this rev.
    const { pds, rev } = await this.#repo(did)
    try {
      const { cid, value } = await this.#pds.getRecord(pds, { did, collection, rkey }, { signal: this.#signal })
      return { kind: 'put', did, collection, rkey, rev, cid, record: value }
    } catch (error) {
      if (!(error instanceof ServiceError && error.kind === 'record-not-found')) throw error
      // A PDS says the same of accounts that it has just lost; that is no deletion.
      await this.#pds.getLatestCommit(pds, did, { signal: this.#signal })
      return { kind: 'delete', did, collection, rkey, rev }
    }
  }

  #repo(did: string): Promise<{ pds: string; rev: string }> {
    const known = this.#repos.get(did)
    if (known !== undefined) return known
    const found = this.#findRepo(did)
    this.#repos.set(did, found)
    return found
  }

  async #findRepo(did: string): Promise<{ pds: string; rev: string }> {
    const { resolver } = this.#context
    const { pds } = await unlessAborted(resolver.resolve(did), this.#signal)
    try {
      return await this.#latestCommit(pds, did)
    } catch (error) {
      if (!(error instanceof ServiceError && (error.kind === 'repo-not-found' || error.kind === 'inactive')))
        throw error
      // It may have left since its DID document was read.
      const now = await unlessAborted(resolver.resolve(did, { fresh: true }), this.#signal)
      if (now.pds === pds) throw error
      return this.#latestCommit(now.pds, did)
    }
  }

  async #latestCommit(pds: string, did: string): Promise<{ pds: string; rev: string }> {
    const { rev } = await this.#pds.getLatestCommit(pds, did, { signal: this.#signal })
    return { pds, rev }
  }
}

/** Applies what was said, in one batch, and looks how each record stands then. */
async function applyAll(
  context: OperationContext,
  fetched: readonly Fetched[],
): Promise<readonly { readonly uri: string; readonly outcome: Outcome }[]> {
  const { store, clock, logger } = context
  const admitted = new Map<RecordEvent, ReturnType<Admission['admit']>>()
  const admission: Admission = {
    admit(event) {
      const operation = context.admission.admit(event)
      admitted.set(event, operation)
      return operation
    },
  }
  const applier = createApplier({ store, admission, clock, logger, batchSize: MAX_URIS })
  for (const { said } of fetched) if ('kind' in said) applier.push({ event: said, position: null })
  await applier.close()

  const puts = [...admitted.values()].filter((operation) => operation?.op === 'put')
  const held = await heldOf(context, puts)
  return fetched.map(({ uri, said }) => {
    if (!('kind' in said)) return { uri, outcome: said }
    const operation = admitted.get(said) ?? null
    if (said.kind === 'delete' && operation?.op === 'delete') return { uri, outcome: 'deleted' }
    switch (operation?.op) {
      case 'put':
        return { uri, outcome: held.has(operation.uri) ? 'indexed' : { failed: whyNotKept(operation) } }
      case 'quarantine':
        return { uri, outcome: { failed: `Quarantined: ${operation.reason}` } }
      case 'reject':
        return { uri, outcome: { failed: `Rejected: ${operation.reason}` } }
      default:
        return { uri, outcome: { failed: `The recordFilter of ${said.collection} drops it` } }
    }
  })
}

/** URIs of those records that the index holds, in the version that was put or a later one. */
async function heldOf({ store }: OperationContext, puts: readonly PutOperation[]): Promise<ReadonlySet<string>> {
  const held = new Set<string>()
  for (const [table, uris] of Map.groupBy(puts, ({ collection }) => collection.table).entries()) {
    const rows = await store.db
      .selectFrom(table)
      .select('uri')
      .where(
        'uri',
        'in',
        uris.map(({ uri }) => uri),
      )
      .execute()
    for (const { uri } of rows) held.add(uri)
  }
  return held
}

function whyNotKept({ collection }: PutOperation): string {
  const guarded = !collection.discover || collection.subjectColumn !== undefined
  return guarded
    ? `Not kept: records of ${collection.nsid} are kept of, or about, accounts that are known`
    : 'Not kept: a later deletion of it is known, or the database refused it'
}
