import type { CID } from 'multiformats/cid'
import { platform } from '#platform'

/** Bytes of a CID, one character per byte: what a block is found by. */
export type BlockId = string

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'

export function idOf({ bytes }: CID): BlockId {
  return platform.latin1(bytes, 0, bytes.length)
}

/** The CID in its usual form: base 32 with a `b` before it. */
export function cidText(id: BlockId): string {
  let text = 'b'
  let bits = 0
  let held = 0
  for (let i = 0; i < id.length; i++) {
    held = ((held << 8) | id.charCodeAt(i)) & 0xfff
    for (bits += 8; bits >= 5; bits -= 5) text += BASE32[(held >> (bits - 5)) & 31]
  }
  return bits > 0 ? text + BASE32[(held << (5 - bits)) & 31] : text
}
