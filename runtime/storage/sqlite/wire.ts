import { LexidexError } from '../../core/errors.ts'
import type { ApplyBatch, ColumnValue, Operation, RecordOperation } from '../../core/operation.ts'
import type { WrittenBatch, WrittenOperation } from './apply.ts'
import type { ApplyJob, Job } from './session.ts'
import type { CollectionTable } from './tables.ts'
import { WriterUnavailable } from './unavailable.ts'

/** An operation as a list: cloned in half the time that an object with names takes. `place` is that of its table. */
type WireOperation = WirePut | WireDelete | WireQuarantine | WireCheck | WireAccount

type WirePut = [
  op: 'put',
  place: number,
  uri: string,
  did: string,
  rkey: string,
  cid: string,
  rev: string,
  indexedAt: number,
  sortAt: number,
  values: readonly ColumnValue[],
  record: string,
  retry: boolean,
]
type WireDelete = [op: 'delete', place: number, uri: string, did: string, rev: string]
type WireQuarantine = [
  op: 'quarantine',
  place: number,
  uri: string,
  did: string,
  rev: string,
  cid: string,
  reason: string,
  record: string,
]
type WireCheck = [op: 'check', did: string, resync: boolean]
type WireAccount = [
  op: 'account',
  did: string,
  status: string,
  handle: string | null,
  pds: string | null,
  askedAt: number | undefined,
]

export interface WireBatch {
  readonly operations: readonly WireOperation[]
  readonly positions: WrittenBatch['positions']
  readonly now: number
}

export type WireJob = Exclude<Job, { kind: 'apply' }> | (Omit<ApplyJob, 'batch' | 'id'> & { readonly batch: WireBatch })

export interface Request {
  readonly id: number
  readonly job: WireJob
  readonly transaction: number | null
}

export type Reply =
  | { readonly ready: true }
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: WireError }

/** What an error is told apart by. Cloning keeps the message and the stack only. */
export interface WireError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly hint: string | undefined
  readonly isLexidex: boolean
  readonly isUnavailable: boolean
  /** `code`, `errcode` and `errstr` of SQLite's errors, and of Node's. */
  readonly details: Readonly<Record<string, unknown>>
}

/** @throws LexidexError where an operation is about a table that is not in `places` */
export function encodeBatch(batch: ApplyBatch, places: ReadonlyMap<string, number>): WireBatch {
  return { ...batch, operations: batch.operations.map((operation) => encode(operation, places)) }
}

export function decodeBatch(batch: WireBatch, tables: readonly CollectionTable[]): WrittenBatch {
  return { ...batch, operations: batch.operations.map((operation) => decode(operation, tables)) }
}

function encode(o: Operation, places: ReadonlyMap<string, number>): WireOperation {
  switch (o.op) {
    case 'put': {
      const { op, uri, did, rkey, cid, rev, indexedAt, sortAt, values, record, retry = false } = o
      return [op, placeOf(o, places), uri, did, rkey, cid, rev, indexedAt, sortAt, values, record, retry]
    }
    case 'delete':
      return [o.op, placeOf(o, places), o.uri, o.did, o.rev]
    case 'quarantine':
      return [o.op, placeOf(o, places), o.uri, o.did, o.rev, o.cid, o.reason, o.record]
    case 'check':
      return [o.op, o.did, o.resync]
    case 'account':
      return [o.op, o.did, o.status, o.handle, o.pds, o.askedAt]
  }
}

function placeOf({ collection }: RecordOperation, places: ReadonlyMap<string, number>): number {
  const place = places.get(collection.table)
  if (place !== undefined) return place
  throw new LexidexError(`The store was not told of the table ${collection.table}`, {
    hint: 'Pass all collections of the app to `store.use()` before applying.',
  })
}

function decode(o: WireOperation, tables: readonly CollectionTable[]): WrittenOperation {
  switch (o[0]) {
    case 'put': {
      const [op, place, uri, did, rkey, cid, rev, indexedAt, sortAt, values, record, retry] = o
      return { op, collection: tables[place]!, uri, did, rkey, cid, rev, indexedAt, sortAt, values, record, retry }
    }
    case 'delete': {
      const [op, place, uri, did, rev] = o
      return { op, collection: tables[place]!, uri, did, rev }
    }
    case 'quarantine': {
      const [op, place, uri, did, rev, cid, reason, record] = o
      return { op, collection: tables[place]!, uri, did, rev, cid, reason, record }
    }
    case 'check': {
      const [op, did, resync] = o
      return { op, did, resync }
    }
    case 'account': {
      const [op, did, status, handle, pds, askedAt] = o
      return { op, did, status, handle, pds, ...(askedAt === undefined ? {} : { askedAt }) }
    }
  }
}

export function encodeError(error: unknown): WireError {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
  const known = error as Record<string, unknown> | null
  const details: Record<string, unknown> = {}
  for (const key of ['code', 'errcode', 'errstr']) {
    if (error instanceof Error && key in error) details[key] = known![key]
  }
  return {
    name,
    message,
    stack,
    hint: error instanceof LexidexError ? error.hint : undefined,
    isLexidex: error instanceof LexidexError,
    isUnavailable: error instanceof WriterUnavailable,
    details,
  }
}

export function decodeError(wire: WireError): Error {
  const { name, message, stack, hint, isLexidex, isUnavailable, details } = wire
  if (isUnavailable) return new WriterUnavailable(message)
  const error = isLexidex ? new LexidexError(message, hint === undefined ? {} : { hint }) : new Error(message)
  Object.assign(error, details)
  error.name = name
  if (stack !== undefined) error.stack = stack
  return error
}
