import { BytesWrapper, CidLinkWrapper, decode } from '@atcute/cbor'

/** Deeper ones are admission's to refuse. */
const MAX_DEPTH = 128

/**
 * A record as JSON, in the form and order that a PDS's `listRecords` gives.
 *
 * @throws Error where the bytes are no record
 */
export function readRecordBlock(bytes: Uint8Array): unknown {
  const record = decode(bytes)
  return typeof record === 'object' && record !== null ? toJson(record, 0) : record
}

/** Links and bytes in the form that they have in JSON; all else is that already. */
function toJson(value: any, depth: number): unknown {
  if (depth > MAX_DEPTH) return value
  if (value instanceof CidLinkWrapper || value instanceof BytesWrapper) return value.toJSON()
  if (Array.isArray(value)) for (let i = 0; i < value.length; i++) convert(value, i, depth)
  else for (const name of Object.keys(value)) convert(value, name, depth)
  return value
}

/** Writes only what changes, which is next to nothing: to write all of it takes longer than to read it. */
function convert(within: any, at: string | number, depth: number): void {
  const value = within[at]
  if (typeof value !== 'object' || value === null) return
  const json = toJson(value, depth + 1)
  if (json !== value) within[at] = json
}
