import { decode } from '@atproto/lex-cbor'
import { CID } from 'multiformats/cid'
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
  return new NodeReader(bytes).read() ?? decodeNode(bytes)
}

const NULL = 0xf6
/** A link to a CID of version 1, of DAG-CBOR, by SHA-256: its tag, the length of the bytes, and their beginning. */
const LINK = '\xd8\x2a\x58\x25\x00\x01\x71\x12\x20'
/** Where the CID begins in it, and ends. */
const [CID_FROM, CID_TO] = [5, 41]

/**
 * Reads nodes in the one form that all repos have. The library takes ten times as long for them, and all that backfills
 * read of most repos is nodes.
 */
class NodeReader {
  readonly #text: string
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#text = platform.latin1(bytes, 0, bytes.length)
  }

  /** Null where the bytes are in another form, if they are a node at all. */
  read(): Node | null {
    const keys: string[] = []
    const values: BlockId[] = []
    const rights: (BlockId | null)[] = []
    if (!this.#skip('\xa2\x61e')) return null
    const count = this.#number(0x80)
    for (let i = 0, previous = ''; i < count; i++) {
      if (!this.#skip('\xa4\x61k')) return null
      const length = this.#number(0x40)
      const suffix = this.#text.slice(this.#at, this.#at + length)
      this.#at += length
      const prefix = this.#skip('\x61p') ? this.#number(0) : -1
      const right = this.#skip('\x61t') ? this.#link() : undefined
      const value = this.#skip('\x61v') ? this.#link() : undefined
      if (length < 0 || prefix < 0 || prefix > previous.length || right === undefined || !value) return null
      previous = previous.slice(0, prefix) + suffix
      keys.push(previous)
      values.push(value)
      rights.push(right)
    }
    const left = this.#skip('\x61l') ? this.#link() : undefined
    const isWhole = count >= 0 && left !== undefined && this.#at === this.#text.length
    return isWhole ? { left, keys, values, rights } : null
  }

  #skip(what: string): boolean {
    if (!this.#text.startsWith(what, this.#at)) return false
    this.#at += what.length
    return true
  }

  /** @param major the type in its first byte. @returns below 0 where there is none in its shortest form */
  #number(major: number): number {
    const first = this.#text.charCodeAt(this.#at++) - major
    if (first < 24) return first
    if (first === 24) {
      const value = this.#text.charCodeAt(this.#at++)
      return value < 24 ? -1 : value
    }
    if (first !== 25) return -1
    const value = this.#text.charCodeAt(this.#at) * 256 + this.#text.charCodeAt(this.#at + 1)
    this.#at += 2
    return value < 256 ? -1 : value
  }

  /** Undefined where there is none. */
  #link(): BlockId | null | undefined {
    const start = this.#at
    if (this.#text.charCodeAt(start) === NULL) {
      this.#at++
      return null
    }
    if (!this.#text.startsWith(LINK, start)) return undefined
    this.#at += CID_TO
    return this.#text.slice(start + CID_FROM, start + CID_TO)
  }
}

function decodeNode(bytes: Uint8Array): Node {
  const node = decode(bytes) as { l?: unknown; e?: unknown } | null
  if (typeof node !== 'object' || node === null || !Array.isArray(node.e)) throw new Error('a node of the tree is none')
  const entries = (node.e as any[]).map((entry) => ({ ...entry, v: CID.asCID(entry?.v) }))
  const keys: string[] = []
  for (const { p: prefix, k: suffix, v: value } of entries) {
    const previous = keys.at(-1) ?? ''
    const isEntry = Number.isInteger(prefix) && suffix instanceof Uint8Array && value !== null
    if (!isEntry || prefix < 0 || prefix > previous.length) {
      throw new Error('a node of the tree has an entry that is none')
    }
    keys.push(previous.slice(0, prefix) + platform.latin1(suffix, 0, suffix.length))
  }
  const values = entries.map(({ v }) => idOf(v!))
  return { left: readLink(node.l), keys, values, rights: entries.map(({ t }) => readLink(t)) }
}

function readLink(value: unknown): BlockId | null {
  if (value === null || value === undefined) return null
  const cid = CID.asCID(value)
  if (cid === null) throw new Error('a node of the tree has a link that is none')
  return idOf(cid)
}
