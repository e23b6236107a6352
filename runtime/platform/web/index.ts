import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import type { Platform } from '../../core/platform.ts'
import { readSocket } from './socket.ts'
import { createTransport } from './transport.ts'
import { lookUpTxt } from './txt.ts'

const CURVES = { 'P-256': p256, secp256k1 }
const utf8 = new TextDecoder()

/** Workers, and whatever else has the web's own interfaces and no more. */
export const platform: Platform = {
  createTransport,
  createTxtLookup: () => lookUpTxt,
  readSocket,
  createZstdDecoder: () => 'this platform has no zstd',
  textOf: (bytes) => utf8.decode(bytes),
  latin1,
  sha256,
  includes,
  verify({ curve, point }, signed, signature) {
    try {
      // The larger of the two values that fit is refused where it matters, by whoever asks.
      return CURVES[curve].verify(signature, sha256(signed), point, { lowS: false })
    } catch {
      // Strangers write DID documents: what is no key proves nothing.
      return false
    }
  },
}

/** Arguments that every engine takes at a time. */
const MAX_ARGUMENTS = 8192

function latin1(bytes: Uint8Array, from: number, to: number): string {
  const part = bytes.subarray(from, Math.min(to, from + MAX_ARGUMENTS))
  const text = String.fromCharCode(...part)
  return from + MAX_ARGUMENTS < to ? text + latin1(bytes, from + MAX_ARGUMENTS, to) : text
}

function includes(bytes: Uint8Array, pattern: Uint8Array): boolean {
  const first = pattern[0]
  if (first === undefined) return true
  const last = bytes.length - pattern.length
  for (let at = bytes.indexOf(first); at >= 0 && at <= last; at = bytes.indexOf(first, at + 1)) {
    if (pattern.every((byte, i) => bytes[at + i] === byte)) return true
  }
  return false
}
