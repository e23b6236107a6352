import { platform } from '#platform'
import { isDid } from '../core/at-uri.ts'
import { fromBase64Url } from '../core/bytes.ts'
import { messageOf, XrpcError } from '../core/errors.ts'
import type { PublicKey } from '../core/platform.ts'
import type { Clock } from '../core/time.ts'
import type { Resolver, SigningKey } from './resolver.ts'
import { readKey } from './signing-key.ts'

export interface ServiceAuthOptions {
  /** DID of this service, which tokens must be made out to. */
  readonly audience: string
  /** NSID of the method, which tokens must be made out for. */
  readonly method: string
  readonly resolver: Pick<Resolver, 'resolve'>
  readonly clock: Clock
}

/** Tokens for something else, which their holders may have given away. */
const OTHER_TYPES = new Set(['at+jwt', 'refresh+jwt', 'dpop+jwt'])

/** Whether a bearer token has the form of a JWT. */
export function isJwt(token: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)
}

/**
 * The account that a token of atproto's service auth speaks for: its signature is by the signing key of the issuer's
 * DID document as it is now. A token may be used again until it expires.
 *
 * @throws XrpcError 401 where the token proves nothing
 * @see https://atproto.com/specs/xrpc#inter-service-authentication-jwt
 */
export async function verifyServiceAuth(token: string, options: ServiceAuthOptions): Promise<string> {
  const { audience, method, resolver, clock } = options
  const [head = '', body = '', signature = ''] = token.split('.')
  const header = readPart(head)
  const { iss, aud, lxm, exp } = readPart(body)
  if (OTHER_TYPES.has(String(header.typ))) throw refused('BadJwtType', `it is of type ${header.typ}`)
  if (typeof exp !== 'number' || exp * 1000 <= clock.now()) throw refused('JwtExpired', 'it has expired')
  if (aud !== audience) throw refused('BadJwtAudience', `its audience (aud) is not ${audience}`)
  if (lxm !== method) throw refused('BadJwtLexiconMethod', `its method (lxm) is not ${method}`)
  if (typeof iss !== 'string' || !isDid(iss))
    throw refused('BadJwtIss', 'its issuer (iss) is not the DID of an account')

  const signed = new TextEncoder().encode(`${head}.${body}`)
  const proof = fromBase64Url(signature) ?? new Uint8Array()
  const fits = async (fresh: boolean) => {
    const key = await signingKey(iss, resolver, { fresh, alg: header.alg })
    return key !== null && platform.verify(key, signed, proof)
  }
  // The key may have been changed since the document was read.
  if ((await fits(false)) || (await fits(true))) return iss
  throw refused('BadJwtSignature', `its signature is not by the signing key of ${iss}`)
}

function refused(error: string, why: string): XrpcError {
  return new XrpcError(401, error, `The service auth token was refused: ${why}.`)
}

function readPart(part: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder().decode(fromBase64Url(part) ?? new Uint8Array()))
  } catch {
    throw refused('BadJwt', 'it is no JWT')
  }
  if (typeof value !== 'object' || value === null) throw refused('BadJwt', 'it is no JWT')
  return value as Record<string, unknown>
}

async function signingKey(
  did: string,
  resolver: Pick<Resolver, 'resolve'>,
  { fresh, alg }: { fresh: boolean; alg: unknown },
): Promise<PublicKey | null> {
  let stated: SigningKey | null
  try {
    stated = (await resolver.resolve(did, { fresh })).signingKey
  } catch (error) {
    throw refused('BadJwtIss', messageOf(error))
  }
  const read = stated === null ? null : readKey(stated)
  return read?.alg === alg ? read!.key : null
}
