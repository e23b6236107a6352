import { decode } from '@atproto/lex-cbor'
import { lexToJson } from '@atproto/lex-json'
import { platform } from '#platform'
import { cidText } from './block-id.ts'

/**
 * A record as JSON, in the form and order that a PDS's `listRecords` gives.
 *
 * @throws Error where the bytes are no record
 */
export function readRecordBlock(bytes: Uint8Array): unknown {
  try {
    return new BlockReader(bytes).read()
  } catch {
    return lexToJson(decode(bytes))
  }
}

/** Deeper ones are the library's, and admission's, to refuse. */
const MAX_DEPTH = 128
/** A link to a CID of version 1, by SHA-256: its tag and the length of the bytes; the codec; the hash. */
const [LINK, HASH] = ['\xd8\x2a\x58\x25\x00\x01', '\x12\x20']
const CODECS = '\x71\x55'
/** Where the CID begins in it, and ends. */
const [CID_FROM, CID_TO] = [5, 41]
const BEYOND_ASCII = /[\x80-\xff]/

const [UNSIGNED, NEGATIVE, TEXT, ARRAY, MAP, TAG] = [0, 1, 3, 4, 5, 6]

/**
 * Reads DAG-CBOR of what most records are made of, straight to JSON: text, numbers, lists, objects and links, each in its
 * one right form. Throws where it meets anything else, which is for the library, that takes four times as long.
 */
class BlockReader {
  readonly #bytes: Uint8Array
  /** One character per byte. */
  readonly #text: string
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#text = platform.latin1(bytes, 0, bytes.length)
  }

  read(): unknown {
    const value = this.#value(0)
    if (this.#at !== this.#bytes.length) throw new Error('there is more than one value')
    return value
  }

  #value(depth: number): unknown {
    if (depth > MAX_DEPTH) throw new Error('too deep')
    const first = this.#bytes[this.#at]
    if (first === undefined) throw new Error('broken off')
    switch (first >> 5) {
      case UNSIGNED:
        return this.#number()
      case NEGATIVE:
        return -1 - this.#number()
      case TEXT:
        return this.#string()
      case ARRAY: {
        const items: unknown[] = []
        for (let left = this.#number(); left > 0; left--) items.push(this.#value(depth + 1))
        return items
      }
      case MAP:
        return this.#object(depth)
      case TAG:
        return this.#link()
      default:
        this.#at++
        if (first === 0xf4) return false
        if (first === 0xf5) return true
        if (first === 0xf6) return null
        throw new Error('of another kind')
    }
  }

  /** What comes with the type, in as few bytes as it takes. */
  #number(): number {
    const short = this.#bytes[this.#at++]! & 31
    if (short < 24) return short
    const length = short === 24 ? 1 : short === 25 ? 2 : short === 26 ? 4 : 0
    if (length === 0 || this.#at + length > this.#bytes.length) throw new Error('no such number')
    let value = 0
    for (let i = 0; i < length; i++) value = value * 256 + this.#bytes[this.#at++]!
    if (value < (length === 1 ? 24 : 256 ** (length / 2))) throw new Error('not in the shortest form')
    return value
  }

  #string(): string {
    const length = this.#number()
    const end = this.#at + length
    if (end > this.#bytes.length) throw new Error('broken off')
    const text = this.#text.slice(this.#at, end)
    const bytes = BEYOND_ASCII.test(text) ? this.#bytes.subarray(this.#at, end) : null
    this.#at = end
    if (bytes === null) return text
    const decoded = platform.textOf(bytes)
    // What is no UTF-8 becomes this as well.
    if (decoded.includes('\ufffd')) throw new Error('odd text')
    return decoded
  }

  /** Keys are in one order, so that none is there twice. */
  #object(depth: number): Record<string, unknown> {
    const object: Record<string, unknown> = {}
    let previous = ''
    for (let left = this.#number(); left > 0; left--) {
      if (this.#bytes[this.#at]! >> 5 !== TEXT) throw new Error('a key is no text')
      const key = this.#string()
      const inOrder = key.length === previous.length ? key > previous : key.length > previous.length
      if (!inOrder || key === '__proto__') throw new Error('an odd key')
      object[key] = this.#value(depth + 1)
      previous = key
    }
    return object
  }

  #link(): { readonly $link: string } {
    const start = this.#at
    const isLink =
      this.#text.startsWith(LINK, start) &&
      CODECS.includes(this.#text[start + LINK.length]!) &&
      this.#text.startsWith(HASH, start + LINK.length + 1)
    this.#at += CID_TO
    if (!isLink || this.#at > this.#bytes.length) throw new Error('no link')
    return { $link: cidText(this.#text.slice(start + CID_FROM, this.#at)) }
  }
}
