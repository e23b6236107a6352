import { decode, encode } from '@atproto/lex-cbor'
import { lexToJson } from '@atproto/lex-json'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cidOfBytes } from '../../fixtures/network/cid.ts'
import { readRecordBlock } from '../../runtime/sources/record-block.ts'

/** The one key that the library drops is a case of its own, below. */
const key = fc.oneof(fc.string(), fc.string({ unit: 'binary' })).filter((name) => name !== '__proto__')

const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.string({ unit: 'binary' }),
    fc.string(),
    fc.maxSafeInteger(),
    fc.integer({ min: -70_000, max: 70_000 }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 40 }),
    fc.uint8Array({ maxLength: 4 }).map(cidOfBytes),
    fc.array(tie('value'), { maxLength: 30 }),
    fc.dictionary(key, tie('value'), { maxKeys: 30 }),
  ),
}))

const block = value.map((one) => encode(one as never))

const readOr = (read: (bytes: Uint8Array) => unknown, bytes: Uint8Array) => {
  try {
    return read(bytes)
  } catch {
    return 'none'
  }
}

const library = (bytes: Uint8Array) => lexToJson(decode(bytes))

test('a record is read as the library of PDSes reads it', () => {
  fc.assert(
    fc.property(block, (bytes) => {
      expect(readRecordBlock(bytes)).toEqual(library(bytes))
      // Also the order of keys.
      expect(JSON.stringify(readRecordBlock(bytes))).toBe(JSON.stringify(library(bytes)))
    }),
    { numRuns: 500 },
  )
})

test('out of a damaged one nothing is read that it does not read too', () => {
  fc.assert(
    fc.property(block, fc.nat(), fc.nat({ max: 255 }), fc.nat({ max: 2 }), (bytes, place, byte, how) => {
      const at = place % bytes.length
      const damaged = [bytes.with(at, byte), bytes.slice(0, at), new Uint8Array([...bytes, byte])][how]!
      const read = readOr(readRecordBlock, damaged)
      if (read !== 'none') expect(read).toEqual(readOr(library, damaged))
    }),
    { numRuns: 3000 },
  )
})

test.each([
  ['numbers that are longer than they need to be', [0x18, 0x01]],
  ['text that is no UTF-8', [0x62, 0xc3, 0x28]],
  ['half a surrogate pair', [0x63, 0xed, 0xa0, 0x80]],
  ['a key that is there twice', [0xa2, 0x61, 0x61, 0x01, 0x61, 0x61, 0x02]],
  ['keys in another order', [0xa2, 0x61, 0x62, 0x01, 0x61, 0x61, 0x02]],
  ['a key that is no text', [0xa1, 0x01, 0x02]],
  ['an integer beyond 2^53', [0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
  ['an array that claims to be long', [0x9a, 0xff, 0xff, 0xff, 0xff]],
  ['a text that claims to be long', [0x7a, 0xff, 0xff, 0xff, 0xff, 0x61]],
  ['a link of another kind', [0xd8, 0x2b, 0x01]],
])('refuses %s', (_, bytes) => {
  expect(() => readRecordBlock(Uint8Array.from(bytes))).toThrow()
})

test('leaves what is nested too deep, and keys that are a danger, to admission', () => {
  expect(readRecordBlock(new Uint8Array(5001).fill(0x81).with(5000, 0x80))).toBeInstanceOf(Array)
  const odd = readRecordBlock(Uint8Array.from([0xa1, 0x69, ...Buffer.from('__proto__'), 0xa1, 0x61, 0x61, 1])) as object
  expect(Object.getPrototypeOf(odd)).toBe(Object.prototype)
  expect(JSON.stringify(odd)).toBe('{"__proto__":{"a":1}}')
})
