import { CidLinkWrapper, decode } from '@atcute/cbor'
import { concat } from '../core/bytes.ts'
import { type BlockId, idOf } from './block-id.ts'

/** Bytes of a header or a block. Blocks of repos are records and tree nodes, which hosts keep below 1 MB. */
const MAX_SECTION = 4_000_000
/** Version 1, SHA-256: the only form that repos use. */
const CID_LENGTH = 36

export interface CarHandlers {
  /** CIDs that the archive is about, once, before any block. */
  roots(roots: readonly BlockId[]): void
  /** The bytes are part of a larger buffer: copy what is to be kept. */
  block(cid: Uint8Array, bytes: Uint8Array): void
}

/**
 * Takes a CAR apart as it arrives, piece by piece; holds no more than one block. Whether a block's bytes are those of
 * its CID is not looked at.
 *
 * Written here since readers of packages make room for whatever length a host claims.
 *
 * @see https://ipld.io/specs/transport/car/carv1/
 */
export class CarReader {
  readonly #handlers: CarHandlers
  #pieces: Uint8Array[] = []
  #held = 0
  /** Bytes that are needed to get on. */
  #needed = 1
  #hasHeader = false

  constructor(handlers: CarHandlers) {
    this.#handlers = handlers
  }

  /** @throws Error where the bytes are no CAR */
  push(piece: Uint8Array): void {
    this.#pieces.push(piece)
    this.#held += piece.length
    if (this.#held < this.#needed) return
    const data = this.#pieces.length === 1 ? piece : concat(this.#pieces)
    let at = 0
    for (;;) {
      const section = readLength(data, at)
      const end = section === null ? data.length + 1 : section.start + section.length
      if (section === null || end > data.length) {
        this.#needed = end - at
        break
      }
      this.#section(data.subarray(section.start, end))
      at = end
    }
    this.#pieces = at < data.length ? [data.subarray(at)] : []
    this.#held = data.length - at
  }

  /** @throws Error where the archive breaks off */
  end(): void {
    if (this.#held > 0 || !this.#hasHeader) throw new Error('the archive breaks off')
  }

  #section(section: Uint8Array): void {
    if (this.#hasHeader) {
      if (section.length < CID_LENGTH || section[0] !== 1 || section[2] !== 0x12 || section[3] !== 32) {
        throw new Error('a block has a CID of a kind that repos do not use')
      }
      this.#handlers.block(section.subarray(0, CID_LENGTH), section.subarray(CID_LENGTH))
      return
    }
    this.#hasHeader = true
    this.#handlers.roots(readRoots(section))
  }
}

/** A length in LEB128; null where it is not all there yet. */
function readLength(data: Uint8Array, at: number): { start: number; length: number } | null {
  let length = 0
  for (let i = at; i < data.length; i++) {
    length += (data[i]! & 0x7f) * 2 ** (7 * (i - at))
    if (length > MAX_SECTION) throw new Error(`a block has more than ${MAX_SECTION} bytes`)
    if (data[i]! < 0x80) return { start: i + 1, length }
    if (i - at === 8) throw new Error('a block has no length')
  }
  return null
}

function readRoots(bytes: Uint8Array): readonly BlockId[] {
  const header: { version?: unknown; roots?: unknown } | null = decode(bytes)
  if (header?.version !== 1 || !Array.isArray(header.roots)) throw new Error('it is no CAR of version 1')
  return header.roots.filter((root) => root instanceof CidLinkWrapper).map(idOf)
}
