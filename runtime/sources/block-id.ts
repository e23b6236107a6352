import { CidLinkWrapper } from '@atcute/cbor'
import { platform } from '#platform'
import { fromLatin1 } from '../core/bytes.ts'

/** Bytes of a CID, one character per byte: what a block is found by. */
export type BlockId = string

export function idOf({ bytes }: { readonly bytes: Uint8Array }): BlockId {
  return platform.latin1(bytes, 0, bytes.length)
}

/** The CID in its usual form: base 32 with a `b` before it. */
export function cidText(id: BlockId): string {
  return new CidLinkWrapper(fromLatin1(id)).$link
}
