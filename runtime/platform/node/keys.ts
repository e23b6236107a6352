import { createPublicKey, ECDH, verify as verifySignature } from 'node:crypto'
import type { PublicKey } from '../../core/platform.ts'

/** Names of the curves in OpenSSL. */
const CURVES = { 'P-256': 'prime256v1', secp256k1: 'secp256k1' } as const

export function verify({ curve, point }: PublicKey, signed: Uint8Array, signature: Uint8Array): boolean {
  try {
    const whole = ECDH.convertKey(point, CURVES[curve], undefined, undefined, 'uncompressed') as Buffer
    const [x, y] = [whole.subarray(1, 33), whole.subarray(33)].map((part) => part.toString('base64url'))
    const key = createPublicKey({ key: { kty: 'EC', crv: curve, x: x!, y: y! }, format: 'jwk' })
    return verifySignature('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, signature)
  } catch {
    // Strangers write DID documents: what is no key proves nothing.
    return false
  }
}
