import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Network, startNetwork } from '../../fixtures/network/index.ts'
import { type Fetch, FetchError } from '../../runtime/core/http.ts'
import type { TxtLookup } from '../../runtime/identity/handles.ts'
import { createResolver, type Resolver, type ResolverOptions } from '../../runtime/identity/resolver.ts'

const ALICE = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'
const BOB = 'did:web:bob.example.com'
const HANDLE = 'alice.example.com'

interface World extends Partial<ResolverOptions> {
  /** TXT records of `_atproto.<handle>`, or the code of an error. Default: none. */
  dns?: readonly (readonly string[])[] | string
  /** Answers GET requests. Default: 404. */
  web?: (url: string) => Response | Promise<Response>
}

function resolverOf({ dns = 'ENODATA', web = () => new Response('', { status: 404 }), ...options }: World) {
  const asked: string[] = []
  const txt: TxtLookup = async (name) => {
    asked.push(name)
    if (typeof dns === 'string') throw Object.assign(new Error(`queryTxt ${dns}`), { code: dns })
    return dns
  }
  const fetch: Fetch = async (url) => {
    asked.push(url)
    return web(url)
  }
  return { asked, resolver: createResolver({ plc: 'https://plc.example.com', txt, fetch, ...options }) }
}

describe('a handle leads to the DID', () => {
  test('of its TXT record, whose parts belong together', async () => {
    const { resolver, asked } = resolverOf({ dns: [['v=spf1'], [`did=${ALICE.slice(0, 9)}`, ALICE.slice(9)]] })
    expect(await resolver.resolveHandle('Alice.Example.com')).toBe(ALICE)
    expect(asked).toEqual([`_atproto.${HANDLE}`])
  })

  test('of its well-known document, where it has no TXT record', async () => {
    const { resolver, asked } = resolverOf({ web: () => new Response(`${BOB}\n`) })
    expect(await resolver.resolveHandle(HANDLE)).toBe(BOB)
    expect(asked).toEqual([`_atproto.${HANDLE}`, `https://${HANDLE}/.well-known/atproto-did`])
  })

  test('of its TXT record, where both say something', async () => {
    const { resolver } = resolverOf({ dns: [[`did=${ALICE}`]], web: () => new Response(BOB) })
    expect(await resolver.resolveHandle(HANDLE)).toBe(ALICE)
  })

  test.each(['ETIMEOUT', 'ESERVFAIL'])('of its well-known document, where name servers say %s', async (dns) => {
    const { resolver } = resolverOf({ dns, web: () => new Response(BOB) })
    expect(await resolver.resolveHandle(HANDLE)).toBe(BOB)
  })
})

describe('a handle leads nowhere', () => {
  test.each<[string, World]>([
    ['without both', {}],
    ['where its name does not exist', { dns: 'ENOTFOUND' }],
    ['where TXT records contradict each other', { dns: [[`did=${ALICE}`], [`did=${BOB}`]] }],
    ['where the TXT record is no DID', { dns: [['did=alice']] }],
    ['where the document is a page', { web: () => new Response('<html>Welcome</html>') }],
    ['where the document says it of an error', { web: () => new Response(ALICE, { status: 403 }) }],
    [
      'where its host may not be fetched',
      { web: () => Promise.reject(new FetchError('refused', 'a private address')) },
    ],
    ['where its host sends a flood', { web: () => Promise.reject(new FetchError('too-large', 'too large')) }],
    [
      'where its host has no address',
      { web: () => Promise.reject(new FetchError('network', 'x', { cause: { code: 'ENOTFOUND' } })) },
    ],
  ])('%s', async (_what, world) => {
    expect(await resolverOf(world).resolver.resolveHandle(HANDLE)).toBeNull()
  })

  test.each(['alice', 'a..b', '-a.com', 'alice.example.com/', '127.0.0.1', 'did:plc:x', ''])(
    'that is none: %j; nobody is asked',
    async (handle) => {
      const { resolver, asked } = resolverOf({})
      expect(await resolver.resolveHandle(handle)).toBeNull()
      expect(asked).toEqual([])
    },
  )

  test.each([
    'handle.invalid',
    'alice.test',
    'nas.local',
    'db.internal',
    'x.localhost',
    'x.onion',
    '1.0.0.10.in-addr.arpa',
  ])('that the internet cannot know: %s; nobody is asked', async (handle) => {
    const { resolver, asked } = resolverOf({})
    expect(await resolver.resolveHandle(handle)).toBeNull()
    expect(asked).toEqual([])
  })
})

describe('it cannot be told', () => {
  test.each<[string, World]>([
    ['while name servers do not answer', { dns: 'ETIMEOUT' }],
    ['while the host has trouble', { web: () => new Response('', { status: 503 }) }],
    ['while the host limits its callers', { web: () => new Response('', { status: 429 }) }],
    ['while the host does not answer', { web: () => Promise.reject(new FetchError('timeout', 'no answer')) }],
  ])('%s', async (_what, world) => {
    const answer = resolverOf(world).resolver.resolveHandle(HANDLE)
    await expect(answer).rejects.toMatchObject({ name: 'ResolveError', permanent: false })
  })
})

describe('the cache', () => {
  function clockOf() {
    let now = 1_000_000
    return { now: () => now, nowUs: () => now * 1000, advance: (ms: number) => (now += ms) }
  }

  test('holds an hour, and what leads nowhere a minute', async () => {
    const clock = clockOf()
    let body = ''
    const { resolver, asked } = resolverOf({ clock, web: () => new Response(body) })
    expect(await resolver.resolveHandle(HANDLE)).toBeNull()
    body = BOB
    clock.advance(59_000)
    expect(await resolver.resolveHandle(HANDLE)).toBeNull()
    expect(asked).toHaveLength(2)
    clock.advance(2000)
    expect(await resolver.resolveHandle(HANDLE)).toBe(BOB)
    body = ''
    clock.advance(59 * 60_000)
    expect(await resolver.resolveHandle(HANDLE)).toBe(BOB)
    expect(await resolver.resolveHandle(HANDLE, { fresh: true })).toBeNull()
    expect(await resolver.resolveHandle(HANDLE)).toBeNull()
    expect(asked).toHaveLength(6)
  })

  test('does not keep what could not be told, and is shared by calls at the same time', async () => {
    let status = 503
    const { resolver, asked } = resolverOf({ web: () => new Response(BOB, { status }) })
    await expect(resolver.resolveHandle(HANDLE)).rejects.toThrow('503')
    status = 200
    const answers = await Promise.all([1, 2, 3].map(() => resolver.resolveHandle(HANDLE)))
    expect(answers).toEqual([BOB, BOB, BOB])
    expect(asked).toHaveLength(4)
  })

  test('keeps DIDs that do not exist for a minute', async () => {
    const clock = clockOf()
    const { resolver, asked } = resolverOf({ clock })
    for (let i = 0; i < 3; i++) await expect(resolver.resolve(ALICE)).rejects.toMatchObject({ status: 404 })
    expect(asked).toHaveLength(1)
    clock.advance(60_000)
    await expect(resolver.resolve(ALICE)).rejects.toMatchObject({ permanent: true })
    await expect(resolver.resolve(ALICE, { fresh: true })).rejects.toMatchObject({ permanent: true })
    expect(asked).toHaveLength(3)
  })
})

describe('the PDS of an account', () => {
  let network: Network
  let resolver: Resolver | undefined
  beforeEach(async () => {
    network = await startNetwork({ accounts: 2, events: 0, rsvps: 0, statuses: 0, profiles: 0 })
  })
  afterEach(async () => {
    resolver?.close()
    await network.close()
  })
  const resolverWith = (allowHosts: string[]) => {
    resolver = createResolver({ plc: network.plc, allowHosts })
    return resolver
  }

  test('is believed about its handles where the operator vouches for it', async () => {
    const hosts = network.pds.map((url) => new URL(url).host)
    const own = resolverWith(hosts)
    for (const { did, handle, pds } of network.accounts) {
      expect(await own.resolveHandle(handle, { pds })).toBe(did)
      expect(await own.resolveHandle(`x${handle}`, { pds })).toBeNull()
    }
  })

  test('is not asked where it is a stranger', async () => {
    let asked = 0
    network.faults.pds = () => {
      asked++
      return undefined
    }
    const { handle, pds } = network.accounts[0]!
    expect(await resolverWith([]).resolveHandle(handle, { pds })).toBeNull()
    expect(asked).toBe(0)
  })

  test('gives no answer that holds for another', async () => {
    const own = resolverWith(network.pds.map((url) => new URL(url).host))
    const [alice, bob] = network.accounts as [(typeof network.accounts)[0], (typeof network.accounts)[0]]
    expect(await own.resolveHandle(alice.handle, { pds: alice.pds })).toBe(alice.did)
    expect(await own.resolveHandle(alice.handle, { pds: bob.pds })).toBeNull()
    expect(await own.resolveHandle(alice.handle)).toBeNull()
  })
})
