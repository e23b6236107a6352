import { decode } from '@atproto/lex-cbor'
import { CID } from 'multiformats/cid'
import { latin1 } from '../core/bytes.ts'

/** Trees of this many levels do not come about by hashes, but by intent. */
const MAX_DEPTH = 128

/** One record's place in a repo. */
export interface Leaf {
  /** `collection/rkey`, one character per byte. */
  readonly key: string
  readonly cid: CID
}

/** Gives the bytes of a block. Throws where it is not there. */
export type ReadBlock = (cid: CID) => Uint8Array

interface Node {
  readonly left: CID | null
  readonly entries: readonly (Leaf & { readonly right: CID | null })[]
}

/**
 * Leaves of a Merkle search tree from `from` on and before `to`, in the order of their keys; all where no bounds are
 * given. Only the nodes on the way are read.
 *
 * @throws Error where a node is missing, is none, or its keys are out of order
 *
 * @see https://atproto.com/specs/repository#mst-structure
 */
export function* leaves(read: ReadBlock, root: CID, from = '', to: string | null = null): Generator<Leaf, void> {
  let last = ''

  function* below(cid: CID, depth: number): Generator<Leaf, void> {
    if (depth > MAX_DEPTH) throw new Error(`the tree has more than ${MAX_DEPTH} levels`)
    const { left, entries } = readNode(read(cid))
    const first = entries[0]?.key
    if (left !== null && (first === undefined || first > from)) yield* below(left, depth + 1)
    for (const [i, { key, cid: value, right }] of entries.entries()) {
      if (to !== null && key >= to) return
      // Also what makes the walk end: a node that is met twice repeats its keys.
      if (key <= last) throw new Error(`keys of the tree are out of order at ${key}`)
      last = key
      if (key >= from) yield { key, cid: value }
      const next = entries[i + 1]?.key
      if (right !== null && (next === undefined || next > from)) yield* below(right, depth + 1)
    }
  }

  yield* below(root, 0)
}

function readNode(bytes: Uint8Array): Node {
  const node = decode(bytes) as { l?: unknown; e?: unknown } | null
  if (typeof node !== 'object' || node === null || !Array.isArray(node.e)) throw new Error('a node of the tree is none')
  let previous = ''
  const entries = (node.e as any[]).map((entry) => {
    const prefix: unknown = entry?.p
    const suffix: unknown = entry?.k
    const cid = CID.asCID(entry?.v)
    const isEntry = Number.isInteger(prefix) && suffix instanceof Uint8Array && cid !== null
    if (!isEntry || (prefix as number) < 0 || (prefix as number) > previous.length) {
      throw new Error('a node of the tree has an entry that is none')
    }
    const key = previous.slice(0, prefix as number) + latin1(suffix)
    previous = key
    return { key, cid, right: readLink(entry.t) }
  })
  return { left: readLink(node.l), entries }
}

function readLink(value: unknown): CID | null {
  if (value === null || value === undefined) return null
  const cid = CID.asCID(value)
  if (cid === null) throw new Error('a node of the tree has a link that is none')
  return cid
}
