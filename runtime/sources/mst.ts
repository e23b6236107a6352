import type { BlockId } from './block-id.ts'
import { readNode } from './mst-node.ts'

/** Trees of this many levels do not come about by hashes, but by intent. */
const MAX_DEPTH = 128

/** One record's place in a repo. */
export interface Leaf {
  /** `collection/rkey`, one character per byte. */
  readonly key: string
  readonly id: BlockId
}

/** Gives the bytes of a block. Throws where it is not there. */
export type ReadBlock = (id: BlockId) => Uint8Array

/**
 * Leaves of a Merkle search tree, in the order of their keys.
 *
 * @throws Error where a node is missing, is none, or its keys are out of order
 *
 * @see https://atproto.com/specs/repository#mst-structure
 */
export function* leaves(read: ReadBlock, root: BlockId): Generator<Leaf, void> {
  let last = ''
  // From the root down to where the walk is; `next` is that of the keys that comes next, -1 before all.
  const path = [{ ...readNode(read(root)), next: -1 }]
  for (let node = path.at(-1); node !== undefined; node = path.at(-1)) {
    const place = node.next++
    if (place === node.keys.length) {
      path.pop()
      continue
    }
    if (place >= 0) {
      const key = node.keys[place]!
      // Also what makes the walk end: a node that is met twice repeats its keys.
      if (key <= last) throw new Error(`keys of the tree are out of order at ${key}`)
      last = key
      yield { key, id: node.values[place]! }
    }
    const below = place < 0 ? node.left : node.rights[place]!
    if (below === null) continue
    if (path.length > MAX_DEPTH) throw new Error(`the tree has more than ${MAX_DEPTH} levels`)
    path.push({ ...readNode(read(below)), next: -1 })
  }
}
