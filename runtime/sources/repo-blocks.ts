import { platform } from '#platform'
import { areEqual, fromLatin1 } from '../core/bytes.ts'
import { type BlockId, cidText } from './block-id.ts'

/** What a block costs beside its bytes. */
const OVERHEAD = 250

/** Bytes that are taken from memory at a time. */
const ROOM = 32_768

/** `$type` as DAG-CBOR writes it. */
const TYPE = fromLatin1('\x65$type')
/** A map of two entries of which the first is `e`: a node of the tree, as DAG-CBOR writes it. */
const NODE = fromLatin1('\xa2\x61e')

/**
 * The blocks of a repo that matter for some collections. Those that are surely records of other collections are let
 * go at once, so that what is held follows what is wanted and not the size of the repo. (Trees precede their records
 * in no order that hosts keep to; so when a record comes, nobody knows yet what it is.)
 */
export class RepoBlocks {
  readonly #blocks = new Map<BlockId, Uint8Array>()
  readonly #wanted: readonly Uint8Array[]
  #size = 0
  #dropped = 0
  #room = new Uint8Array(0)
  #used = 0

  /** @param collections NSIDs */
  constructor(collections: readonly string[]) {
    this.#wanted = collections.map((nsid) => fromLatin1(nsid))
  }

  /** Bytes that are held, roughly. */
  get size(): number {
    return this.#size
  }

  /** Blocks that were let go. */
  get dropped(): number {
    return this.#dropped
  }

  /**
   * @param cid 36 bytes
   * @param only takes nothing but these, whatever they are; default: whatever may be wanted
   * @throws Error where the bytes are not those of the CID
   */
  add(cid: Uint8Array, bytes: Uint8Array, only?: ReadonlySet<BlockId>): void {
    const id = platform.latin1(cid, 0, cid.length)
    if (only === undefined ? this.#isForeign(bytes) : !only.has(id)) {
      this.#dropped++
      return
    }
    if (this.#blocks.has(id)) return
    if (!areEqual(platform.sha256(bytes), cid.subarray(4))) throw new Error('a block is not what its CID says')
    this.#blocks.set(id, this.#copy(bytes))
    this.#size += bytes.length + OVERHEAD
  }

  has(id: BlockId): boolean {
    return this.#blocks.has(id)
  }

  /** @throws Error where it is not there */
  readonly read = (id: BlockId): Uint8Array => {
    const bytes = this.#blocks.get(id)
    if (bytes === undefined) throw new Error(`block ${cidText(id)} is missing`)
    return bytes
  }

  /** Many blocks in one buffer: a buffer of its own for each costs more than all else that is done to it. */
  #copy(bytes: Uint8Array): Uint8Array {
    if (this.#used + bytes.length > this.#room.length) {
      this.#room = new Uint8Array(Math.max(ROOM, bytes.length))
      this.#used = 0
    }
    const copy = this.#room.subarray(this.#used, this.#used + bytes.length)
    copy.set(bytes)
    this.#used += bytes.length
    return copy
  }

  /** A record of another collection. False for what only may be one: an odd record that says no type, or a wrong one. */
  #isForeign(bytes: Uint8Array): boolean {
    if (areEqual(bytes.subarray(0, NODE.length), NODE)) return false
    return !this.#wanted.some((nsid) => platform.includes(bytes, nsid)) && platform.includes(bytes, TYPE)
  }
}
