import { decode, encode } from '@atproto/lex-cbor'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { describe, expect, test } from 'vitest'
import { cidOfBytes } from '../../fixtures/network/cid.ts'
import { cidText, idOf } from '../../runtime/sources/block-id.ts'
import { readNode } from '../../runtime/sources/mst-node.ts'

const cid = fc.uint8Array({ minLength: 1, maxLength: 8 }).map(cidOfBytes)
const link = fc.option(cid)
const node = fc.record({
  l: link,
  e: fc.array(
    fc.record({ p: fc.nat({ max: 300 }), k: fc.uint8Array({ minLength: 1, maxLength: 400 }), v: cid, t: link }),
    { maxLength: 30 },
  ),
})

/** What the bytes say to the library alone. */
function expected(bytes: Uint8Array): unknown {
  const { l, e } = decode(bytes) as any
  const id = (link: unknown) => (link === null || link === undefined ? null : idOf(CID.asCID(link)!))
  const keys: string[] = []
  for (const { p, k } of e) keys.push((keys.at(-1) ?? '').slice(0, p) + Buffer.from(k).toString('latin1'))
  return { left: id(l), keys, values: e.map(({ v }: any) => id(v)), rights: e.map(({ t }: any) => id(t)) }
}

/** Prefixes that the keys before them have. */
const valid = node.map(({ l, e }) => {
  let length = 0
  const entries = e.map(({ p, ...rest }) => {
    const prefix = Math.min(p, length)
    length = prefix + rest.k.length
    return { p: prefix, ...rest }
  })
  return encode({ l, e: entries } as never)
})

const readOr = (read: (bytes: Uint8Array) => unknown, bytes: Uint8Array) => {
  try {
    return read(bytes)
  } catch {
    return 'none'
  }
}

describe('readNode', () => {
  test('reads what the library reads', () => {
    fc.assert(
      fc.property(valid, (bytes) => {
        expect(readNode(bytes)).toEqual(expected(bytes))
      }),
    )
  })

  test('reads nothing else out of damaged bytes', () => {
    fc.assert(
      fc.property(valid, fc.nat(), fc.nat({ max: 255 }), fc.boolean(), (bytes, place, byte, cut) => {
        const at = place % bytes.length
        const damaged = cut ? bytes.slice(0, at) : bytes.with(at, byte)
        const read = readOr(readNode, damaged)
        if (read !== 'none') expect(read).toEqual(readOr(expected, damaged))
      }),
      { numRuns: 1000 },
    )
  })
})

test('the text of a CID', () => {
  fc.assert(
    fc.property(cid, (one) => {
      expect(cidText(idOf(one))).toBe(one.toString())
    }),
  )
})
