/** The web's platform where Node has the same interfaces; in workerd it runs in `test/worker`. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { EVENT, type Network, startNetwork } from '../../fixtures/network/index.ts'
import type { SocketChunk } from '../../runtime/core/platform.ts'
import { platform } from '../../runtime/platform/web/index.ts'
import { partsOf } from '../../runtime/platform/web/txt.ts'

describe('a socket', () => {
  let network: Network
  beforeEach(async () => {
    network = await startNetwork({ accounts: 2, events: 30, rsvps: 0 })
  })
  afterEach(() => network.close())

  const urlFrom = (cursor: number) => `${network.jetstream}/subscribe?wantedCollections=${EVENT}&cursor=${cursor}`

  test('gives what has arrived, from its opening until the signal', async () => {
    const stop = new AbortController()
    const seen: string[] = []
    let opened: SocketChunk | null = null
    for await (const chunk of platform.readSocket(urlFrom(1), { signal: stop.signal, pingIntervalMs: 20 })) {
      opened ??= chunk
      seen.push(...chunk.messages.map(String))
      if (seen.length >= 30) stop.abort()
    }
    expect(opened!.confirmedAt).toBeGreaterThan(0)
    expect(JSON.parse(seen[0]!)).toMatchObject({ kind: 'commit', commit: { collection: EVENT } })
    await vi.waitFor(() => expect(network.subscribers).toBe(0))
  })

  test('is confirmed for as long as it is open', async () => {
    const stop = new AbortController()
    const times: number[] = []
    const live = urlFrom(Date.now() * 1000 + 1e12)
    for await (const { confirmedAt } of platform.readSocket(live, { signal: stop.signal, pingIntervalMs: 10 })) {
      times.push(confirmedAt)
      if (times.length === 4) stop.abort()
    }
    expect([...times].sort((a, b) => a - b)).toEqual(times)
    expect(new Set(times).size).toBe(4)
  })

  test('says why it ended', async () => {
    const read = async (url: string) => {
      for await (const _ of platform.readSocket(url, { signal: new AbortController().signal, pingIntervalMs: 1000 })) {
        await network.close()
      }
    }
    await expect(read(urlFrom(1))).rejects.toThrow(/closed by the host|the connection failed/)
    await expect(read('ws://127.0.0.1:9/subscribe')).rejects.toThrow()
  })

  test('ends where its reader falls behind, with all that had arrived', async () => {
    const author = network.accounts[0]!.did
    const description = 'x'.repeat(1_000_000)
    for (let i = 0; i < 14; i++) network.put(author, EVENT, `big${i}`, { $type: EVENT, name: `${i}`, description })
    const seen: string[] = []
    const options = { signal: new AbortController().signal, pingIntervalMs: 1000 }
    for await (const { messages } of platform.readSocket(urlFrom(1), options)) {
      seen.push(...messages.map(String))
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    const names = seen.map((text) => JSON.parse(text).commit.rkey as string).filter((rkey) => rkey.startsWith('big'))
    expect(names.length).toBeGreaterThanOrEqual(8)
    expect(names.length).toBeLessThan(14)
    expect(names).toEqual(Array.from({ length: names.length }, (_, i) => `big${i}`))
  })
})

describe('a request', () => {
  const transport = platform.createTransport()
  const signal = new AbortController().signal
  const answer = (response: Response) => vi.spyOn(globalThis, 'fetch').mockResolvedValueOnce(response)
  const get = () => transport.get(new URL('https://pds.test/x'), { headers: { a: 'b' }, signal, isPublicOnly: true })
  afterEach(() => vi.restoreAllMocks())

  test('follows no redirect, and streams', async () => {
    const fetch = answer(new Response('text', { status: 200, headers: { etag: '1' } }))
    const { status, headers, body } = await get()
    expect(fetch.mock.calls[0]![1]).toMatchObject({ redirect: 'manual', headers: { a: 'b' } })
    expect([status, headers.get('etag')]).toEqual([200, '1'])
    const pieces: Uint8Array[] = []
    for await (const piece of body) pieces.push(piece)
    expect(pieces).toEqual([new TextEncoder().encode('text')])
    answer(new Response(null, { status: 302, headers: { location: '/y' } }))
    expect((await get()).status).toBe(302)
  })

  test('of a host that has no address fails as it does elsewhere', async () => {
    answer(new Response('error code: 1016', { status: 530 }))
    await expect(get()).rejects.toMatchObject({ code: 'ENOTFOUND' })
  })
})

describe('TXT records', () => {
  const look = platform.createTxtLookup()
  const answer = (body: unknown, status = 200) =>
    vi.spyOn(globalThis, 'fetch').mockResolvedValueOnce(Response.json(body, { status }))
  afterEach(() => vi.restoreAllMocks())

  test('come in their parts', async () => {
    const fetch = answer({
      Status: 0,
      Answer: [
        { type: 5, data: 'x.test.' },
        { type: 16, data: '"did=did:plc:" "abc"' },
      ],
    })
    expect(await look('_atproto.alice.test')).toEqual([['did=did:plc:', 'abc']])
    expect(String(fetch.mock.calls[0]![0])).toMatch(/\?name=_atproto\.alice\.test&type=TXT$/)
    expect(partsOf('"a\\"b\\\\" "c"')).toEqual(['a"b\\', 'c'])
    expect(partsOf('bare')).toEqual(['bare'])
  })

  test('that are not there are told from name servers that do not answer', async () => {
    answer({ Status: 3 })
    await expect(look('a.test')).rejects.toMatchObject({ code: 'ENOTFOUND' })
    answer({ Status: 0, Answer: [] })
    await expect(look('a.test')).rejects.toMatchObject({ code: 'ENODATA' })
    answer({ Status: 2 })
    await expect(look('a.test')).rejects.toSatisfy((error: Error) => !('code' in error))
    answer({}, 502)
    await expect(look('a.test')).rejects.toThrow('502')
  })
})
