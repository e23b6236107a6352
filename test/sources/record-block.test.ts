import { decode, encode } from '@atproto/lex-cbor'
import { lexToJson } from '@atproto/lex-json'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cidOfBytes } from '../../fixtures/network/cid.ts'
import { readRecordBlock } from '../../runtime/sources/record-block.ts'

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
    fc.dictionary(fc.oneof(fc.string(), fc.string({ unit: 'binary' })), tie('value'), { maxKeys: 30 }),
  ),
}))

const block = value.map((one) => encode(one as never))

const library = (bytes: Uint8Array) => lexToJson(decode(bytes))

function outcome(read: (bytes: Uint8Array) => unknown, bytes: Uint8Array): unknown {
  try {
    // Also the order of keys.
    return JSON.stringify(read(bytes))
  } catch (error) {
    return error
  }
}

test('a record is read as the library reads it', () => {
  fc.assert(
    fc.property(block, (bytes) => {
      expect(readRecordBlock(bytes)).toEqual(library(bytes))
      expect(outcome(readRecordBlock, bytes)).toEqual(outcome(library, bytes))
    }),
    { numRuns: 500 },
  )
})

test('so are damaged ones, with the same complaints', () => {
  fc.assert(
    fc.property(block, fc.nat(), fc.nat({ max: 255 }), fc.nat({ max: 2 }), (bytes, place, byte, how) => {
      const at = place % bytes.length
      const damaged = [bytes.with(at, byte), bytes.slice(0, at), new Uint8Array([...bytes, byte])][how]!
      expect(outcome(readRecordBlock, damaged)).toEqual(outcome(library, damaged))
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
  ['a fraction', [0xfb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0]],
  ['an integer beyond 2^53', [0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
  ['a key that is a danger', [0xa1, 0x69, ...Buffer.from('__proto__'), 0xa0]],
  ['an array that claims to be long', [0x9a, 0xff, 0xff, 0xff, 0xff]],
  ['a text that claims to be long', [0x7a, 0xff, 0xff, 0xff, 0xff, 0x61]],
  ['a link of another kind', [0xd8, 0x2b, 0x01]],
  ['lists in lists without end', new Array(5000).fill(0x81)],
])('%s', (_, bytes) => {
  const given = Uint8Array.from(bytes)
  expect(outcome(readRecordBlock, given)).toEqual(outcome(library, given))
})
