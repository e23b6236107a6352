import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { EVENT, type Network, STATUS, startNetwork } from '../../fixtures/network/index.ts'
import type { Position } from '../../runtime/core/events.ts'
import { createJetstream, type JetstreamOptions } from '../../runtime/sources/jetstream.ts'
import { StreamReader } from './reader.ts'

const host = (url: string) => new URL(url).host
let network: Network
let author: string
const readers: StreamReader[] = []

beforeEach(async () => {
  const baseDate = new Date().toISOString()
  network = await startNetwork({ accounts: 3, events: 20, rsvps: 5, baseDate, clock: Date.now })
  author = network.accounts[0]!.did
})
afterEach(async () => {
  for (const reader of readers.splice(0)) await reader.stop()
  await network.close()
})

function read(...parameters: ConstructorParameters<typeof StreamReader>): StreamReader {
  const reader = new StreamReader(...parameters)
  readers.push(reader)
  return reader
}

const putEvent = (rkey: string, name = 'Soup') =>
  network.put(author, EVENT, rkey, { $type: EVENT, name, createdAt: new Date().toISOString() })

/** A position before everything. */
const start = (): Position => ({ source: 'jetstream', epoch: host(network.jetstream), cursor: '1' })

describe('a stream', () => {
  test('begins with what happens from now on', async () => {
    const reader = read([network.jetstream])
    await reader.until(() => network.subscribers === 1)
    putEvent('one')
    await reader.until(() => reader.rkeys.length > 0)
    expect(reader.rkeys).toEqual(['one'])
  })

  test('has a position before its first event, from which nothing is lost', async () => {
    const first = read([network.jetstream])
    await first.until(() => first.items.length > 0)
    await first.stop()
    putEvent('meanwhile')
    const second = read([network.jetstream], first.position)
    await second.until(() => second.rkeys.includes('meanwhile'))
  })

  test('goes on from a position', async () => {
    putEvent('one')
    const { time_us: between } = network.log.at(-1)!
    putEvent('two')
    const reader = read([network.jetstream], { ...start(), cursor: String(between + 1) })
    await reader.until(() => reader.rkeys.length > 0)
    expect(reader.rkeys).toEqual(['two'])
    expect(reader.position).toEqual({ ...start(), cursor: String(network.log.at(-1)!.time_us) })
  })

  test('gives every frame in its order, deletes and hosting events among them', async () => {
    putEvent('one')
    network.put(author, STATUS, undefined, { $type: STATUS, status: '🍲', createdAt: new Date().toISOString() })
    network.delete(author, EVENT, 'one')
    network.identity(author, 'other.test')
    network.account(author, { active: false, status: 'deactivated' })
    const reader = read([network.jetstream], start())
    const wanted = network.log.filter((frame) => frame.kind !== 'commit' || frame.commit.collection === EVENT)
    await reader.until(() => reader.events.length === wanted.length)
    expect(reader.events.slice(-4)).toMatchObject([
      { kind: 'put', rkey: 'one' },
      { kind: 'delete', rkey: 'one' },
      { kind: 'identity', handle: 'other.test' },
      { kind: 'account', active: false, status: 'deactivated' },
    ])
    expect(reader.events.map(({ timeUs }) => timeUs)).toEqual(wanted.map(({ time_us }) => time_us))
  })

  test('survives frames that cannot be read, and counts them', async () => {
    network.faults.frames = (frame) => [
      'not JSON',
      '{"kind":"commit"}',
      frame,
      { ...frame, kind: 'commit', commit: 7 } as never,
    ]
    const reader = read([network.jetstream])
    await reader.until(() => network.subscribers === 1)
    putEvent('one')
    putEvent('two')
    await reader.until(() => reader.rkeys.length === 2)
    await reader.until(() => reader.source.stats().malformed === 6)
    expect(reader.rkeys).toEqual(['one', 'two'])
  })

  test('comes back after the connection is cut, without loss', async () => {
    const reader = read([network.jetstream])
    for (let i = 0; i < 3; i++) {
      await reader.until(() => network.subscribers === 1 && reader.source.stats().connections === i + 1)
      putEvent(`during${i}`)
      network.dropConnections()
      putEvent(`between${i}`)
    }
    await reader.until(() => reader.rkeys.includes('between2'))
    expect([...new Set(reader.rkeys)]).toEqual(['during0', 'between0', 'during1', 'between1', 'during2', 'between2'])
  })

  test('comes back where the host refuses it', async () => {
    let refusals = 2
    network.faults.subscribe = () => (refusals-- > 0 ? { status: 503 } : undefined)
    const reader = read([network.jetstream])
    await reader.until(() => network.subscribers === 1)
    putEvent('one')
    await reader.until(() => reader.rkeys.includes('one'))
  })

  test('ends at once when it is told to', async () => {
    const reader = read([network.jetstream])
    await reader.until(() => network.subscribers === 1)
    await reader.stop()
    await reader.until(() => network.subscribers === 0)
  })

  test('ends while it waits to connect again', async () => {
    network.faults.subscribe = () => 'hangup'
    const reader = read([network.jetstream])
    await reader.stop()
    expect(reader.items).toEqual([])
  })
})

describe('a quiet stream', () => {
  test('moves its position with the time', async () => {
    const reader = read([network.jetstream], null, { pingIntervalMs: 20 })
    await reader.until(() => reader.items.length > 0)
    const first = BigInt(reader.position.cursor)
    await reader.until(() => BigInt(reader.position.cursor) > first)
    const nowUs = BigInt(Date.now()) * 1000n
    expect(BigInt(reader.position.cursor)).toBeLessThan(nowUs)
    // And still: what comes after is seen from there on.
    await reader.stop()
    putEvent('late')
    const next = read([network.jetstream], reader.position)
    await next.until(() => next.rkeys.includes('late'))
  })

  test('does not move past what a host has not answered for', async () => {
    const reader = read([network.jetstream], start(), { pingIntervalMs: 60_000 })
    await reader.until(() => reader.rkeys.length > 0)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(reader.position.cursor).toBe(String(network.log.filter(isWanted).at(-1)!.time_us))
  })
})

const isWanted = (frame: Network['log'][number]) => frame.kind !== 'commit' || frame.commit.collection === EVENT

describe('several hosts', () => {
  test('takes the next where one fails, 10 s back', async () => {
    const other = await startNetwork({ seed: 2, accounts: 1, events: 0, rsvps: 0, statuses: 0, profiles: 0 })
    const cursors: (string | null)[] = []
    other.faults.subscribe = ({ params }) => void cursors.push(params.get('cursor'))
    try {
      const [from, seen] = [start(), String(network.log.filter(isWanted).at(-1)!.time_us)]
      const reader = read([network.jetstream, other.jetstream], from)
      await reader.until(() => reader.rkeys.length > 0 && reader.position.cursor === seen)
      network.faults.subscribe = () => ({ status: 503 })
      network.dropConnections()
      await reader.until(() => other.subscribers === 1)
      await reader.until(() => reader.position.epoch === host(other.jetstream))
      expect(cursors).toEqual([String(Number(seen) - 10_000_000)])
    } finally {
      await other.close()
    }
  })

  test('goes back to the first where the second fails, 10 s back again: what came meanwhile is not lost', async () => {
    const other = await startNetwork({ seed: 2, accounts: 1, events: 0, rsvps: 0, clock: Date.now })
    const asked: { host: string; cursor: string | null }[] = []
    const spy = (name: string) => (request: { params: URLSearchParams }) => {
      asked.push({ host: name, cursor: request.params.get('cursor') })
      return undefined
    }
    network.faults.subscribe = spy('A')
    other.faults.subscribe = spy('B')
    try {
      const reader = read([network.jetstream, other.jetstream], start())
      await reader.until(() => network.subscribers === 1 && reader.rkeys.length > 0)
      network.faults.subscribe = () => 'hangup'
      network.dropConnections()
      await reader.until(() => other.subscribers === 1)
      const { did } = other.accounts[0]!
      other.put(did, EVENT, 'on-b', { $type: EVENT, name: 'Soup', createdAt: new Date().toISOString() })
      await reader.until(() => reader.rkeys.includes('on-b'))
      // A has it as well, with a time of its own clock; nobody listens there.
      putEvent('on-a')
      const seenOnB = String(other.log.at(-1)!.time_us)

      network.faults.subscribe = spy('A')
      other.faults.subscribe = () => ({ status: 503 })
      other.dropConnections()
      await reader.until(() => reader.rkeys.includes('on-a'))
      expect(asked.map(({ host: name }) => name)).toEqual(['A', 'B', 'A'])
      expect(asked[2]!.cursor).toBe(String(Number(seenOnB) - 10_000_000))
      expect(reader.position.epoch).toBe(host(network.jetstream))
    } finally {
      await other.close()
    }
  })

  test('stays with the host that the position belongs to', async () => {
    const reader = read(['ws://127.0.0.1:1', network.jetstream], start())
    await reader.until(() => reader.rkeys.length > 0)
    expect(reader.source.stats()).toMatchObject({ connections: 1, host: host(network.jetstream) })
  })

  test('sets back a position of a host that is not there any more', async () => {
    const cursors: (string | null)[] = []
    network.faults.subscribe = ({ params }) => void cursors.push(params.get('cursor'))
    const reader = read([network.jetstream], { source: 'jetstream', epoch: 'gone.example', cursor: '1700000000000000' })
    await reader.until(() => reader.items.length > 0)
    expect(cursors).toEqual(['1699999990000000'])
  })
})

test('a consumer that is busy makes the host wait', async () => {
  const text = 'x'.repeat(100_000)
  let open = () => {}
  const reader = read([network.jetstream])
  await reader.until(() => network.subscribers === 1)
  reader.gate = new Promise((resolve) => {
    open = resolve
  })
  let sent = 0
  network.faults.frames = () => {
    sent++
    return undefined
  }
  for (let i = 0; i < 1000; i++) putEvent(`r${i}`, text)
  await new Promise((resolve) => setTimeout(resolve, 500))
  // 100 MB are there to send; some megabytes of it fit into sockets and buffers.
  expect(sent).toBeLessThan(500)
  open()
  reader.gate = null
  await reader.until(() => reader.rkeys.length === 1000)
  expect(reader.rkeys).toEqual(Array.from({ length: 1000 }, (_, i) => `r${i}`))
})

test('a host that answers no pings is left', async () => {
  const silent = new WebSocketServer({ port: 0, host: '127.0.0.1', autoPong: false })
  await once(silent, 'listening')
  try {
    const { port } = silent.address() as AddressInfo
    const reader = read([`ws://127.0.0.1:${port}`], null, { pingIntervalMs: 20 })
    await reader.until(() => reader.source.stats().connections === 2)
  } finally {
    silent.close()
  }
})

describe('settings that are of no use', () => {
  test.each<[string, Partial<JetstreamOptions>]>([
    ['no Jetstream', { urls: [] }],
    ['https', { urls: ['https://jetstream.example'] }],
    ['no URL', { urls: ['jetstream.example'] }],
    ['101 collections', { collections: Array.from({ length: 101 }, (_, i) => `com.example.a${i}`) }],
  ])('%s', (_what, options) => {
    expect(() => createJetstream({ urls: ['wss://jetstream.example'], collections: [EVENT], ...options })).toThrow()
  })

  test.each([
    { source: 'firehose', epoch: 'a', cursor: '1' },
    { source: 'jetstream', epoch: 'a', cursor: 'x' },
  ])('a position that is not its own: %j', async (from) => {
    const source = createJetstream({ urls: ['wss://jetstream.example'], collections: [EVENT] })
    const read = async () => {
      for await (const _items of source.items({ signal: new AbortController().signal, from })) break
    }
    await expect(read()).rejects.toThrow('Not a position')
  })
})
