import { hash } from 'node:crypto'
import type { CID } from 'multiformats/cid'

/** What a block costs beside its bytes. */
const OVERHEAD = 250

/** `$type` as DAG-CBOR writes it. */
const TYPE = Buffer.from('\x65$type', 'latin1')
/** A map of two entries of which the first is `e`: a node of the tree, as DAG-CBOR writes it. */
const NODE = Buffer.from('\xa2\x61e', 'latin1')

/**
 * The blocks of a repo that matter for some collections. Those that are surely records of other collections are let
 * go at once, so that what is held follows what is wanted and not the size of the repo. (Trees precede their records
 * in no order that hosts keep to; so when a record comes, nobody knows yet what it is.)
 */
export class RepoBlocks {
  readonly #blocks = new Map<string, Buffer>()
  readonly #wanted: readonly Buffer[]
  #size = 0
  #dropped = 0

  /** @param collections NSIDs */
  constructor(collections: readonly string[]) {
    this.#wanted = collections.map((nsid) => Buffer.from(nsid, 'latin1'))
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
  add(cid: Uint8Array, bytes: Uint8Array, only?: ReadonlySet<string>): void {
    const key = keyOf(cid)
    const copy = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (only === undefined ? this.#isForeign(copy) : !only.has(key)) {
      this.#dropped++
      return
    }
    if (this.#blocks.has(key)) return
    if (!hash('sha256', copy, 'buffer').equals(cid.subarray(4))) throw new Error('a block is not what its CID says')
    this.#blocks.set(key, Buffer.from(copy))
    this.#size += copy.length + OVERHEAD
  }

  has(cid: CID): boolean {
    return this.#blocks.has(keyOf(cid.bytes))
  }

  /** @throws Error where it is not there */
  readonly read = (cid: CID): Uint8Array => {
    const bytes = this.#blocks.get(keyOf(cid.bytes))
    if (bytes === undefined) throw new Error(`block ${cid} is missing`)
    return bytes
  }

  /** A record of another collection. False for what only may be one: an odd record that says no type, or a wrong one. */
  #isForeign(bytes: Buffer): boolean {
    if (bytes.subarray(0, NODE.length).equals(NODE) || !bytes.includes(TYPE)) return false
    return !this.#wanted.some((nsid) => bytes.includes(nsid))
  }
}

/** The key of a CID in sets of `add`. */
export function keyOf(cid: Uint8Array): string {
  return Buffer.from(cid.buffer, cid.byteOffset, cid.byteLength).toString('latin1')
}
