import { encode } from '@atproto/lex-cbor'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Block, carOf } from '../../fixtures/network/archive.ts'
import { cidOfBytes } from '../../fixtures/network/cid.ts'
import { cidText, idOf } from '../../runtime/sources/block-id.ts'
import { CarReader } from '../../runtime/sources/car.ts'
import { RepoBlocks } from '../../runtime/sources/repo-blocks.ts'

const blockOf = (value: unknown): Block => {
  const bytes = encode(value as never)
  return { kind: 'record', cid: cidOfBytes(bytes), bytes }
}

/** What a reader makes of pieces. */
function read(pieces: readonly Uint8Array[]) {
  const blocks: string[] = []
  let roots: readonly string[] = []
  const reader = new CarReader({
    roots: (found) => {
      roots = found.map(cidText)
    },
    block: (cid, bytes) => blocks.push(`${Buffer.from(cid).toString('hex')} ${Buffer.from(bytes).toString('hex')}`),
  })
  for (const piece of pieces) reader.push(piece)
  reader.end()
  return { roots, blocks }
}

describe('CarReader', () => {
  const blocks = [{ a: 1 }, { text: 'x'.repeat(300) }, {}, { text: 'y'.repeat(20_000) }].map(blockOf)
  const root = blocks[1]!.cid
  const car = new Uint8Array(carOf({ root, blocks }))
  const whole = {
    roots: [`${root}`],
    blocks: blocks.map(
      ({ cid, bytes }) => `${Buffer.from(cid.bytes).toString('hex')} ${Buffer.from(bytes).toString('hex')}`,
    ),
  }

  test('reads the same, however the archive is cut into pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: car.length }), { maxLength: 20 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), car.length]
        const pieces = at.slice(1).map((end, i) => car.subarray(at[i], end))
        expect(read(pieces)).toEqual(whole)
      }),
    )
    expect(read(Array.from(car, (byte) => new Uint8Array([byte])))).toEqual(whole)
  })

  test('notices wherever it breaks off between its blocks or in them', () => {
    const ends = new Set<number>()
    for (let length = 0; length < car.length; length++) {
      try {
        read([car.subarray(0, length)])
        ends.add(length)
      } catch (error) {
        expect((error as Error).message).toContain('breaks off')
      }
    }
    // Between two blocks an archive may end; what is missing then, the tree tells.
    expect(ends.size).toBe(blocks.length)
  })

  test('makes no room for what a length only claims', () => {
    const claim = new Uint8Array([0xff, 0xff, 0xff, 0x7f])
    expect(() => read([claim])).toThrow('more than')
    expect(() => read([car, claim])).toThrow('more than')
    expect(() => read([new Uint8Array(12).fill(0x80)])).toThrow('no length')
  })

  test('takes nothing but CARs of version 1 with CIDs of repos', () => {
    const header = (value: unknown) => {
      const bytes = encode(value as never)
      return Buffer.concat([Buffer.from([bytes.length]), bytes])
    }
    expect(() => read([header({ version: 2, roots: [] })])).toThrow('version 1')
    expect(() => read([header('x')])).toThrow('version 1')
    expect(() => read([header({ version: 1, roots: [] }), new Uint8Array([40, ...new Uint8Array(40)])])).toThrow('CID')
  })
})

describe('RepoBlocks', () => {
  const NSID = 'community.lexicon.calendar.event'
  const add = (to: RepoBlocks, value: unknown) => {
    const { cid, bytes } = blockOf(value)
    to.add(cid.bytes, bytes)
    return cid
  }

  test('holds trees, wanted records and what cannot be told apart, and lets all else go', () => {
    const blocks = new RepoBlocks([NSID])
    const link = cidOfBytes(new Uint8Array())
    const kept = [
      { $type: NSID, name: 'Soup' },
      { name: 'no type' },
      { l: null, e: [{ p: 0, k: Buffer.from(`app.bsky.feed.post/$type`), v: link, t: null }] },
      { did: 'did:plc:x', version: 3, data: link, rev: 'x', prev: null, sig: new Uint8Array(64) },
    ].map((value) => add(blocks, value))
    const size = blocks.size
    for (let i = 0; i < 100; i++) add(blocks, { $type: 'app.bsky.feed.post', text: `${i}`.repeat(500) })
    expect([blocks.dropped, blocks.size]).toEqual([100, size])
    for (const cid of kept) expect(blocks.has(idOf(cid))).toBe(true)
  })
})
