import { BytesWrapper, CidLinkWrapper, decode } from '@atcute/cbor'
import { platform } from '#platform'
import { type BlockId, idOf } from './block-id.ts'

/** A node of a Merkle search tree. Before each key comes what is below `rights` of the key before it, or `left`. */
export interface Node {
  readonly left: BlockId | null
  /** `collection/rkey`, one character per byte. */
  readonly keys: readonly string[]
  readonly values: readonly BlockId[]
  readonly rights: readonly (BlockId | null)[]
}

/**
 * @throws Error where the bytes are no node
 *
 * @see https://atproto.com/specs/repository#mst-structure
 */
export function readNode(bytes: Uint8Array): Node {
  const node: Partial<Record<string, unknown>> | null = decode(bytes)
  if (!Array.isArray(node?.e)) throw new Error('a node of the tree is none')
  const keys: string[] = []
  const values: BlockId[] = []
  const rights: (BlockId | null)[] = []
  let previous = ''
  for (const entry of node.e) {
    const { p: prefix, k: suffix, v: value, t: right } = entry ?? {}
    const isEntry = Number.isInteger(prefix) && suffix instanceof BytesWrapper && value instanceof CidLinkWrapper
    if (!isEntry || prefix < 0 || prefix > previous.length) {
      throw new Error('a node of the tree has an entry that is none')
    }
    previous = previous.slice(0, prefix) + platform.latin1(suffix.buf, 0, suffix.buf.length)
    keys.push(previous)
    values.push(idOf(value))
    rights.push(readLink(right))
  }
  return { left: readLink(node.l), keys, values, rights }
}

function readLink(value: unknown): BlockId | null {
  if (value === null || value === undefined) return null
  if (!(value instanceof CidLinkWrapper)) throw new Error('a node of the tree has a link that is none')
  return idOf(value)
}
