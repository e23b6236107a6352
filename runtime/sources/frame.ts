import type { SourceEvent } from '../core/events.ts'

export interface DecodedFrame {
  /** µs since 1970 by the host's clock, and the cursor; null where the frame has none. */
  readonly timeUs: number | null
  /** Null for kinds that are not known and for frames that cannot be read. */
  readonly event: SourceEvent | null
  /** Why the frame cannot be read. */
  readonly problem: string | null
}

/** A frame of Jetstream v1 as an event. Never throws: whatever a host sends, the stream goes on. */
export function decodeFrame(text: string): DecodedFrame {
  let frame: unknown
  try {
    frame = JSON.parse(text)
  } catch {
    return { timeUs: null, event: null, problem: 'not JSON' }
  }
  if (!isObject(frame)) return { timeUs: null, event: null, problem: 'not an object' }
  const { time_us: timeUs, did, kind } = frame
  if (!Number.isSafeInteger(timeUs) || typeof did !== 'string') {
    return { timeUs: null, event: null, problem: 'no time_us or no did' }
  }
  const at = timeUs as number
  const event = kind === 'commit' ? commitEvent(did, at, frame.commit) : hostingEvent(did, at, kind, frame)
  if (typeof event === 'string') return { timeUs: at, event: null, problem: event }
  return { timeUs: at, event, problem: null }
}

function commitEvent(did: string, timeUs: number, commit: unknown): SourceEvent | string {
  if (!isObject(commit)) return 'a commit without its body'
  const { operation, collection, rkey, rev, cid, record } = commit
  if (typeof collection !== 'string' || typeof rkey !== 'string' || typeof rev !== 'string') {
    return 'a commit without collection, rkey or rev'
  }
  if (operation === 'delete') return { kind: 'delete', did, collection, rkey, rev, timeUs }
  if (operation !== 'create' && operation !== 'update') return 'a commit of an unknown operation'
  if (typeof cid !== 'string' || record === undefined) return 'a commit without cid or record'
  return { kind: 'put', did, collection, rkey, rev, cid, record, timeUs, isNew: operation === 'create' }
}

function hostingEvent(did: string, timeUs: number, kind: unknown, frame: Json): SourceEvent | string | null {
  if (kind === 'account') {
    const { account } = frame
    if (!isObject(account) || typeof account.active !== 'boolean') return 'an account frame without active'
    const status = typeof account.status === 'string' ? { status: account.status } : {}
    return { kind, did, active: account.active, ...status, timeUs }
  }
  if (kind === 'identity') {
    const handle = isObject(frame.identity) ? frame.identity.handle : undefined
    return { kind, did, ...(typeof handle === 'string' ? { handle } : {}), timeUs }
  }
  return null
}

type Json = Record<string, unknown>

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
