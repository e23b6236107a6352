/** Compressed frames. The dictionaries are those of the real Jetstream, from the corpus beside the checkout. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { zstdCompressSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { EVENT, type Network, startNetwork } from '../../fixtures/network/index.ts'
import { createZstdDecoder } from '../../runtime/platform/node/zstd.ts'
import { StreamReader } from './reader.ts'

const folder = path.resolve(import.meta.dirname, '../../../shared/corpus/streams/jetstream-zstd-dictionary')
const missing = !existsSync(folder)
const dictionary = (name: string) => readFileSync(path.join(folder, name))

let network: Network
const readers: StreamReader[] = []

afterEach(async () => {
  for (const reader of readers.splice(0)) await reader.stop()
  await network.close()
})

/** A network that compresses with one dictionary, and a reader with another, or the same. */
async function follow(theirs: Uint8Array | undefined, ours: Uint8Array, warnings: string[] = []) {
  network = await startNetwork({
    accounts: 1,
    events: 0,
    rsvps: 0,
    clock: Date.now,
    ...(theirs && { zstdDictionary: theirs }),
  })
  const asked: (string | null)[] = []
  network.faults.subscribe = ({ params }) => void asked.push(params.get('compress'))
  const warn = (line: string) => warnings.push(line)
  const logger = { log: () => {}, warn, error: warn }
  const reader = new StreamReader([network.jetstream], null, { zstdDictionary: ours, logger })
  readers.push(reader)
  await reader.until(() => network.subscribers === 1 && reader.items.length > 0)
  return { reader, asked }
}

function putEvent(rkey: string, name = 'Soup'): void {
  const createdAt = new Date().toISOString()
  network.put(network.accounts[0]!.did, EVENT, rkey, { $type: EVENT, name, createdAt })
}

describe.skipIf(missing)(`compressed frames${missing ? ' (skipped: no corpus beside the checkout)' : ''}`, () => {
  test('are read like plain ones', async () => {
    const v1 = dictionary('legacy_subscribe.zdict')
    const { reader, asked } = await follow(v1, v1)
    for (let i = 0; i < 50; i++) putEvent(`r${i}`, 'Grüße 東京')
    await reader.until(() => reader.rkeys.length === 50)
    expect(reader.rkeys).toEqual(Array.from({ length: 50 }, (_, i) => `r${i}`))
    expect(reader.events[0]).toMatchObject({ record: { name: 'Grüße 東京' } })
    expect(asked).toEqual(['true'])
    expect(reader.source.stats()).toMatchObject({ compressed: true, malformed: 0 })
  })

  test('are asked for in plain from then on, where they were made with another dictionary; nothing is lost', async () => {
    const warnings: string[] = []
    const theirs = dictionary('subscribe_events_20260811.zdict')
    const { reader, asked } = await follow(theirs, dictionary('legacy_subscribe.zdict'), warnings)
    for (let i = 0; i < 5; i++) putEvent(`r${i}`)
    await reader.until(() => reader.rkeys.length >= 5)
    expect(reader.rkeys).toEqual(['r0', 'r1', 'r2', 'r3', 'r4'])
    expect(asked).toEqual(['true', null])
    expect(warnings).toEqual([expect.stringContaining('plain text')])
    expect(reader.source.stats()).toMatchObject({ compressed: false })
  })

  test('are plain where the host does not know how', async () => {
    const { reader } = await follow(undefined, dictionary('legacy_subscribe.zdict'))
    putEvent('one')
    await reader.until(() => reader.rkeys.includes('one'))
  })

  test('that grow beyond all measure are skipped, and counted', async () => {
    const v1 = dictionary('legacy_subscribe.zdict')
    const { reader } = await follow(v1, v1)
    putEvent('huge', 'x'.repeat(33 * 1024 * 1024))
    putEvent('one')
    await reader.until(() => reader.rkeys.length > 0)
    expect(reader.rkeys).toEqual(['one'])
    expect(reader.source.stats()).toMatchObject({ malformed: 1, connections: 1 })
  })

  test('never throw, whatever they hold', () => {
    const v1 = dictionary('legacy_subscribe.zdict')
    const decoder = createZstdDecoder(v1)
    if (typeof decoder === 'string') throw new Error(decoder)
    const frame = zstdCompressSync(Buffer.from('{"kind":"commit"}'), { dictionary: v1 })
    expect(decoder.decode(frame).toString()).toBe('{"kind":"commit"}')
    expect(decoder.decode(zstdCompressSync(Buffer.from('{}'))).toString()).toBe('{}')
    for (let i = 0; i < frame.length; i++) {
      const damaged = Buffer.from(frame)
      damaged[i]! ^= 0x41
      expect(() => decoder.decode(damaged)).not.toThrow()
      expect(() => decoder.decode(frame.subarray(0, i))).not.toThrow()
    }
  })
})

test('a dictionary that is none is said so, and done without', async () => {
  const warnings: string[] = []
  const { reader, asked } = await follow(undefined, Buffer.from('no dictionary at all'), warnings)
  putEvent('one')
  await reader.until(() => reader.rkeys.includes('one'))
  expect(asked).toEqual([null])
  expect(warnings).toEqual([expect.stringContaining('it is no dictionary of zstd')])
})
