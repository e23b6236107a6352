import { BytesWrapper, CidLinkWrapper, decode } from '@atcute/cbor'

/** Deeper ones are admission's to refuse. */
const MAX_DEPTH = 128

/**
 * A record as JSON, in the form and order that a PDS's `listRecords` gives.
 *
 * @throws Error where the bytes are no record
 */
export function readRecordBlock(bytes: Uint8Array): unknown {
  return toJson(decode(bytes), 0)
}

/** Links and bytes in the form that they have in JSON; all else is that already. */
function toJson(value: any, depth: number): unknown {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return value
  if (value instanceof CidLinkWrapper || value instanceof BytesWrapper) return value.toJSON()
  for (const name in value) {
    const inner = value[name]
    if (typeof inner === 'object') value[name] = toJson(inner, depth + 1)
  }
  return value
}
