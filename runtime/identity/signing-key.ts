import { base58btc } from 'multiformats/bases/base58'
import { platform } from '#platform'
import { toHex } from '../core/bytes.ts'
import type { PublicKey } from '../core/platform.ts'
import type { SigningKey } from './resolver.ts'

/**
 * Curves of atproto's signing keys, by the multicodec prefix of a `Multikey`, or by an older type, which has none.
 * `half` is half the order of the curve: the larger of the two values that fit a signature is not allowed.
 *
 * @see https://atproto.com/specs/cryptography
 */
const CURVES = [
  {
    prefix: [0xe7, 0x01],
    type: 'EcdsaSecp256k1VerificationKey2019',
    alg: 'ES256K',
    curve: 'secp256k1',
    half: '7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0',
  },
  {
    prefix: [0x80, 0x24],
    type: 'EcdsaSecp256r1VerificationKey2019',
    alg: 'ES256',
    curve: 'P-256',
    half: '7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8',
  },
] as const

export interface ReadKey {
  readonly key: PublicKey
  /** Name of the algorithm in tokens. */
  readonly alg: 'ES256' | 'ES256K'
  readonly half: string
}

/** Null where it is no key of a kind that atproto uses. */
export function readKey({ type, multibase }: SigningKey): ReadKey | null {
  let bytes: Uint8Array
  try {
    bytes = base58btc.decode(multibase)
  } catch {
    // Strangers write DID documents: what is no key proves nothing.
    return null
  }
  const isMultikey = type === 'Multikey'
  const kind = CURVES.find((curve) =>
    isMultikey ? curve.prefix.every((byte, i) => bytes[i] === byte) : curve.type === type,
  )
  if (kind === undefined) return null
  const { curve, prefix, alg, half } = kind
  return { key: { curve, point: isMultikey ? bytes.subarray(prefix.length) : bytes }, alg, half }
}

/** Whether bytes carry the signature of an account's key, in the one form that atproto allows. */
export function isSignedBy(stated: SigningKey, signed: Uint8Array, signature: Uint8Array): boolean {
  const read = readKey(stated)
  if (read === null || signature.length !== 64) return false
  if (toHex(signature.subarray(32)) > read.half) return false
  return platform.verify(read.key, signed, signature)
}
