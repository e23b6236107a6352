import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { base58btc } from 'multiformats/bases/base58'
import { expect, test } from 'vitest'
import { ResolveError, type SigningKey } from '../../runtime/identity/resolver.ts'
import { isJwt, verifyServiceAuth } from '../../runtime/identity/service-auth.ts'

const ALICE = `did:plc:${'a'.repeat(24)}`
const AUDIENCE = 'did:web:index.example.com'
const METHOD = 'com.example.notifyOfUpdate'
const NOW = Date.UTC(2026, 0, 1)
const clock = { now: () => NOW, nowUs: () => NOW * 1000 }

const KINDS = {
  ES256K: { curve: 'secp256k1', prefix: [0xe7, 0x01], type: 'EcdsaSecp256k1VerificationKey2019' },
  ES256: { curve: 'P-256', prefix: [0x80, 0x24], type: 'EcdsaSecp256r1VerificationKey2019' },
} as const

interface Keys {
  readonly alg: keyof typeof KINDS
  readonly privateKey: KeyObject
  readonly multikey: SigningKey
  /** The same as older documents have it. */
  readonly older: SigningKey
}

function keys(alg: keyof typeof KINDS): Keys {
  const { curve, prefix } = KINDS[alg]
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: curve })
  const { x, y } = publicKey.export({ format: 'jwk' }) as { x: string; y: string }
  const isOdd = Buffer.from(y, 'base64url').at(-1)! % 2 === 1
  const point = Buffer.concat([Buffer.from([isOdd ? 3 : 2]), Buffer.from(x, 'base64url')])
  const whole = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
  return {
    alg,
    privateKey,
    multikey: multikey(base58btc.encode(Buffer.concat([Buffer.from(prefix), point]))),
    older: { type: KINDS[alg].type, multibase: base58btc.encode(whole) },
  }
}

const multikey = (multibase: string): SigningKey => ({ type: 'Multikey', multibase })
const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url')

function token(by: Keys, claims: object = {}, header: object = {}): string {
  const body = { iss: ALICE, aud: AUDIENCE, lxm: METHOD, exp: NOW / 1000 + 60, iat: NOW / 1000, ...claims }
  const signed = `${encode({ typ: 'JWT', alg: by.alg, ...header })}.${encode(body)}`
  const signature = sign('sha256', Buffer.from(signed), { key: by.privateKey, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}

/** Verifies against documents that give these keys, one after the other. */
function verified(jwt: string, ...signingKeys: (SigningKey | null)[]): Promise<string> {
  let asked = 0
  return verifyServiceAuth(jwt, {
    audience: AUDIENCE,
    method: METHOD,
    clock,
    resolver: {
      async resolve(did) {
        if (did !== ALICE) throw new ResolveError(true, `Cannot resolve ${did}`)
        const signingKey = signingKeys[Math.min(asked++, signingKeys.length - 1)]!
        return { did, handle: null, pds: 'https://pds.example.com', signingKey }
      },
    },
  })
}

test.each(['ES256K', 'ES256'] as const)('a token that is signed by %s speaks for its issuer', async (alg) => {
  const alice = keys(alg)
  expect(await verified(token(alice), alice.multikey)).toBe(ALICE)
  expect(await verified(token(alice), alice.older)).toBe(ALICE)
  expect(isJwt(token(alice))).toBe(true)
})

test('a key that has just been changed is asked for anew', async () => {
  const [before, now] = [keys('ES256'), keys('ES256K')]
  expect(await verified(token(now), before.multikey, now.multikey)).toBe(ALICE)
})

const alice = keys('ES256K')
const mallory = keys('ES256K')
/** The signature of one token under the claims of another. */
const prolonged = () => {
  const [head, , signature] = token(alice).split('.')
  return `${head}.${token(alice, { exp: NOW / 1000 + 1000 }).split('.')[1]}.${signature}`
}

test.each<[string, string, string]>([
  ['of another key', token(mallory), 'BadJwtSignature'],
  ['that says it is of another kind', token(alice, {}, { alg: 'ES256' }), 'BadJwtSignature'],
  ['without an algorithm', token(alice, {}, { alg: 'none' }), 'BadJwtSignature'],
  ['without a signature', `${token(alice).split('.').slice(0, 2).join('.')}.AA`, 'BadJwtSignature'],
  ['that was changed', prolonged(), 'BadJwtSignature'],
  ['that has expired', token(alice, { exp: NOW / 1000 }), 'JwtExpired'],
  ['that never expires', token(alice, { exp: undefined }), 'JwtExpired'],
  ['for another service', token(alice, { aud: 'did:web:other.example.com' }), 'BadJwtAudience'],
  ['for another method', token(alice, { lxm: 'com.example.other' }), 'BadJwtLexiconMethod'],
  ['for every method', token(alice, { lxm: undefined }), 'BadJwtLexiconMethod'],
  ['of nobody', token(alice, { iss: undefined }), 'BadJwtIss'],
  ['of a service of the account', token(alice, { iss: `${ALICE}#atproto_labeler` }), 'BadJwtIss'],
  ['of an account that cannot be resolved', token(alice, { iss: 'did:web:nobody.example.com' }), 'BadJwtIss'],
  ['for access to a PDS', token(alice, {}, { typ: 'at+jwt' }), 'BadJwtType'],
  ['that is no JSON', 'YQ.YQ.YQ', 'BadJwt'],
  ['that is no object', `${encode(7)}.${encode(null)}.AA`, 'BadJwt'],
])('a token %s is refused', async (_what, jwt, error) => {
  await expect(verified(jwt, alice.multikey)).rejects.toMatchObject({ status: 401, error })
})

test.each([null, 'z', 'nonsense', 'zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme'])(
  'a document with the key %s proves nothing',
  async (key) => {
    await expect(verified(token(alice), key === null ? null : multikey(key))).rejects.toMatchObject({
      status: 401,
      error: 'BadJwtSignature',
    })
  },
)
