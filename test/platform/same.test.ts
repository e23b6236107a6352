/** Node's platform and the web's are one thing to those who stand on them. */
import { generateKeyPairSync, sign } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PublicKey } from '../../runtime/core/platform.ts'
import { platform as node } from '../../runtime/platform/node/index.ts'
import { platform as web } from '../../runtime/platform/web/index.ts'

const bytes = fc.uint8Array({ maxLength: 300 })

test('hashes', () => {
  fc.assert(
    fc.property(bytes, (input) => {
      expect([...web.sha256(input)]).toEqual([...node.sha256(input)])
    }),
  )
})

test('finding bytes in bytes', () => {
  const few = fc.uint8Array({ maxLength: 12, max: 2 })
  fc.assert(
    fc.property(few, fc.uint8Array({ maxLength: 3, max: 2 }), (input, pattern) => {
      expect(web.includes(input, pattern)).toBe(node.includes(input, pattern))
    }),
    { numRuns: 500 },
  )
})

test('text of bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const input = new TextEncoder().encode(text)
      expect(web.textOf(input)).toBe(node.textOf(input))
    }),
  )
})

test('one character per byte', () => {
  fc.assert(
    fc.property(bytes, fc.nat({ max: 300 }), fc.nat({ max: 300 }), (input, a, b) => {
      const [from, to] = [Math.min(a, b, input.length), Math.min(Math.max(a, b), input.length)]
      expect(web.latin1(input, from, to)).toBe(node.latin1(input, from, to))
    }),
  )
  const long = Uint8Array.from({ length: 20_000 }, (_, i) => i)
  expect(web.latin1(long, 1, long.length)).toBe(node.latin1(long, 1, long.length))
})

describe.each([
  ['P-256', 'prime256v1'],
  ['secp256k1', 'secp256k1'],
] as const)('signatures on %s', (curve, name) => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: name })
  const { x, y } = publicKey.export({ format: 'jwk' })
  const [left, right] = [x!, y!].map((part) => Buffer.from(part, 'base64url'))
  const whole = Buffer.concat([Uint8Array.of(4), left!, right!])
  const compressed = Buffer.concat([Uint8Array.of(right!.at(-1)! % 2 === 0 ? 2 : 3), left!])

  test.each([
    ['whole', whole],
    ['compressed', compressed],
  ])('with a key that is %s', (_, point) => {
    const key: PublicKey = { curve, point }
    fc.assert(
      fc.property(bytes, fc.nat({ max: 63 }), (message, place) => {
        const signature = sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' })
        const other = Uint8Array.from(signature, (byte, i) => (i === place ? byte ^ 1 : byte))
        for (const platform of [node, web]) {
          expect(platform.verify(key, message, signature)).toBe(true)
          expect(platform.verify(key, message, other)).toBe(false)
          expect(platform.verify(key, Uint8Array.of(...message, 1), signature)).toBe(false)
        }
      }),
      { numRuns: 10 },
    )
  })

  test('with what is no key, or no signature', () => {
    for (const platform of [node, web]) {
      expect(platform.verify({ curve, point: new Uint8Array(33) }, new Uint8Array(), new Uint8Array(64))).toBe(false)
      expect(platform.verify({ curve, point: whole }, new Uint8Array(), new Uint8Array(3))).toBe(false)
    }
  })
})
