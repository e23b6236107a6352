import type { BlobRef } from '@atproto/lexicon'
import type { CID } from 'multiformats/cid'

/** A blob in JSON. @see https://atproto.com/specs/data-model#blob-type */
export interface JsonBlob {
  $type: 'blob'
  ref: JsonLink
  mimeType: string
  size: number
}

/** A CID link in JSON. @see https://atproto.com/specs/data-model#link */
export interface JsonLink {
  $link: string
}

/** Bytes in JSON, as base 64. @see https://atproto.com/specs/data-model#bytes */
export interface JsonBytes {
  $bytes: string
}

/**
 * A record type as JSON carries it. Record types name the classes that a blob, a link or bytes become once they are
 * parsed; what an index serves is their plain form.
 */
// Strings come first: `string & {}`, by which known values stay open to others, is an object to the compiler.
export type Json<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends BlobRef
    ? JsonBlob
    : T extends CID
      ? JsonLink
      : T extends Uint8Array
        ? JsonBytes
        : T extends readonly (infer Item)[]
          ? Json<Item>[]
          : T extends object
            ? { [K in keyof T]: Json<T[K]> }
            : T
