import type { LexiconDoc } from '@atproto/lexicon'
import { isDid, isNsid, isRecordKey, makeAtUri } from '../core/at-uri.ts'
import type { CollectionDef, ColumnDef } from '../core/collection.ts'
import { messageOf } from '../core/errors.ts'
import type { RecordEvent, RecordPut } from '../core/events.ts'
import { lineOf } from '../core/line.ts'
import { type Logger, silentLogger } from '../core/log.ts'
import type { Operation, QuarantineOperation } from '../core/operation.ts'
import { isTid } from '../core/tid.ts'
import { type Clock, systemClock } from '../core/time.ts'
import { cidProblem } from './cid.ts'
import { isDeeperThan, MAX_DEPTH, quarantineText } from './depth.ts'
import { projectColumns, sortTime } from './project.ts'
import { throttled } from './throttle.ts'
import { compileValidators, type Validate } from './validate.ts'

/**
 * Longest record, in UTF-16 code units of its JSON. The protocol's limit is 1 MiB in CBOR, which few of the hosts that a
 * record may come from hold to; words of longer text would keep the index busy for seconds.
 */
export const MAX_RECORD = 2_000_000

/** An event that belongs to no record: its identifiers are not what the protocol allows. */
export interface Rejection {
  readonly op: 'reject'
  readonly reason: string
}

/** The only maker of operations: every record, whatever its source, passes here. */
export interface Admission {
  /**
   * What is to be done about an event; null where that is nothing. Never throws.
   *
   * A put that the collection's `recordFilter` drops (by `false` or by throwing) becomes a delete at its rev, unless it
   * is known to be the first: an earlier version that passed must not stay as if it were current.
   */
  admit(event: RecordEvent): Operation | Rejection | null
}

export interface AdmissionOptions {
  readonly collections: readonly CollectionDef[]
  /** Record lexicons that the collections reach. */
  readonly schemas: readonly LexiconDoc[]
  /** Refuses records whose content does not have the CID that the source states. Default false: the source is trusted. */
  readonly verifyCid?: boolean
  /** Default: the system's. */
  readonly clock?: Clock
  /** Default: silent. Rejections and failing filters are logged, at most once a minute per reason. */
  readonly logger?: Logger
}

interface Gate {
  readonly collection: CollectionDef
  readonly columns: readonly ColumnDef<any>[]
  readonly validate: Validate
}

/** @throws LexidexError where a collection is to be validated and its lexicon is missing */
export function createAdmission(options: AdmissionOptions): Admission {
  const { collections, schemas, verifyCid = false, clock = systemClock, logger = silentLogger } = options
  const validators = compileValidators(collections, schemas)
  const gates = new Map<string, Gate>()
  for (const collection of collections) {
    const columns = Object.values(collection.columns) as ColumnDef<any>[]
    gates.set(collection.nsid, { collection, columns, validate: validators.get(collection.nsid)! })
  }
  const warn = throttled(clock, (message, count) =>
    logger.warn(count > 1 ? `${message} (${count} times since last told)` : message),
  )

  function reject(event: RecordEvent, reason: string): Rejection {
    warn(reason, `Rejected an event: ${reason} (${describe(event)})`)
    return { op: 'reject', reason }
  }

  function passesFilter(collection: CollectionDef, record: unknown): boolean {
    if (collection.recordFilter === undefined) return true
    try {
      return collection.recordFilter(record)
    } catch (error) {
      warn(`filter ${collection.name}`, `recordFilter of ${collection.name} threw, record dropped: ${messageOf(error)}`)
      return false
    }
  }

  function admitPut(gate: Gate, event: RecordPut, uri: string): Operation | null {
    const { collection, columns, validate } = gate
    const { did, rkey, rev, cid, record } = event
    const quarantine = (reason: string): QuarantineOperation => {
      // Validators quote the record.
      const text = quarantineText(record)
      return { op: 'quarantine', collection, uri, did, rev, cid, reason: lineOf(reason), record: text }
    }
    if (isDeeperThan(record, MAX_DEPTH)) return quarantine(`Record nests deeper than ${MAX_DEPTH} levels`)
    let text: string
    try {
      text = JSON.stringify(record) ?? 'null'
    } catch (error) {
      return quarantine(`Record is not JSON: ${messageOf(error)}`)
    }
    if (text.length > MAX_RECORD) return quarantine(`Record is longer than ${MAX_RECORD} characters of JSON`)
    const reason = (verifyCid ? cidProblem(record, cid) : null) ?? validate(record, text)
    if (reason !== null) return quarantine(reason)
    // A delete leaves a tombstone, which is too much to keep of every record that a filter lets pass by.
    if (!passesFilter(collection, record)) return event.isNew ? null : { op: 'delete', collection, uri, did, rev }
    const nowUs = clock.nowUs()
    return {
      op: 'put',
      collection,
      uri,
      did,
      rkey,
      cid,
      rev,
      indexedAt: nowUs,
      sortAt: sortTime(collection, record, rkey, rev, nowUs),
      values: projectColumns(columns, record),
      record: text,
    }
  }

  return {
    admit(event) {
      const { did, collection, rkey, rev } = event
      const gate = gates.get(collection)
      if (gate === undefined) return is(isNsid, collection) ? null : reject(event, 'invalid NSID')
      if (!is(isDid, did)) return reject(event, 'invalid DID')
      if (!is(isRecordKey, rkey)) return reject(event, 'invalid record key')
      if (!is(isTid, rev)) return reject(event, 'invalid rev')
      const uri = makeAtUri(did, collection, rkey)
      if (event.kind === 'delete') return { op: 'delete', collection: gate.collection, uri, did, rev }
      if (!is(isCidText, event.cid)) return reject(event, 'invalid CID')
      return admitPut(gate, event, uri)
    },
  }
}

/** Events come from JSON of strangers: their types promise a string, no more. */
function is(test: (value: string) => boolean, value: unknown): boolean {
  return typeof value === 'string' && test(value)
}

/** Only what the column needs: the source has checked the hash, or trusts who did. */
function isCidText(cid: string): boolean {
  return /^[a-zA-Z0-9+/=_-]{1,256}$/.test(cid)
}

function describe({ did, collection, rkey, rev }: RecordEvent): string {
  return `at://${did}/${collection}/${rkey} at ${rev}`.slice(0, 300)
}
