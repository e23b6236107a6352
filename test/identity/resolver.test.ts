import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Network, startNetwork } from '../../fixtures/network/index.ts'
import type { Fetch } from '../../runtime/core/http.ts'
import { createResolver, type Resolver, type ResolverOptions } from '../../runtime/identity/resolver.ts'

const DID = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'

const document = (did: string, changes: object = {}) => ({
  id: did,
  alsoKnownAs: ['at://Alice.Example.com'],
  service: [{ id: '#atproto_pds', type: 'AtprotoPersonalDataServer', serviceEndpoint: 'https://pds.example.com/' }],
  ...changes,
})

/** A resolver whose documents come from `answer`; `asked` collects the URLs. */
function resolverOf(answer: (url: string) => Response | Promise<Response>, options: Partial<ResolverOptions> = {}) {
  const asked: string[] = []
  const fetch: Fetch = async (url) => {
    asked.push(url)
    return answer(url)
  }
  return { asked, resolver: createResolver({ plc: 'https://plc.example.com', fetch, ...options }) }
}

describe('did:plc', () => {
  test('gives handle and PDS', async () => {
    const { resolver, asked } = resolverOf(() => Response.json(document(DID)))
    expect(await resolver.resolve(DID)).toEqual({
      did: DID,
      handle: 'alice.example.com',
      pds: 'https://pds.example.com',
      signingKey: null,
    })
    expect(asked).toEqual([`https://plc.example.com/${DID}`])
  })

  test('takes the first name that is a handle, and none where there is none', async () => {
    const names = { alsoKnownAs: ['https://x.example', 'at://not_a_handle', 'at://bob.test', 'at://bobby.test'] }
    const { resolver } = resolverOf(() => Response.json(document(DID, names)))
    expect((await resolver.resolve(DID)).handle).toBe('bob.test')
    const nameless = resolverOf(() => Response.json(document(DID, { alsoKnownAs: undefined })))
    expect((await nameless.resolver.resolve(DID)).handle).toBeNull()
  })

  test.each([
    ['no such DID', () => new Response('', { status: 404 }), true],
    ['a DID that was ended', () => new Response('', { status: 410 }), true],
    ['a directory in trouble', () => new Response('', { status: 503 }), false],
    ['no JSON', () => new Response('<html>'), false],
    ['the document of another', () => Response.json(document('did:plc:other')), false],
    ['no PDS', () => Response.json(document(DID, { service: [] })), true],
    [
      'a PDS that is no URL',
      () => Response.json(document(DID, { service: [{ ...document(DID).service[0], serviceEndpoint: 'ftp://x' }] })),
      true,
    ],
  ])('%s', async (_what, answer, permanent) => {
    const { resolver } = resolverOf(answer)
    await expect(resolver.resolve(DID)).rejects.toMatchObject({ name: 'ResolveError', permanent })
  })
})

describe('did:web', () => {
  test.each([
    ['did:web:example.com', 'https://example.com/.well-known/did.json'],
    ['did:web:example.com%3A8443', 'https://example.com:8443/.well-known/did.json'],
    ['did:web:localhost%3A2583', 'http://localhost:2583/.well-known/did.json'],
  ])('%s', async (did, url) => {
    const { resolver, asked } = resolverOf(() => Response.json(document(did)))
    expect((await resolver.resolve(did)).pds).toBe('https://pds.example.com')
    expect(asked).toEqual([url])
  })

  test.each(['did:web:example.com:user:alice', 'did:web:a%2Fb', 'did:web:a%40b', 'did:key:zabc', 'nonsense'])(
    '%s is refused without a request',
    async (did) => {
      const { resolver, asked } = resolverOf(() => Response.json(document(did)))
      await expect(resolver.resolve(did)).rejects.toMatchObject({ permanent: true })
      expect(asked).toEqual([])
    },
  )

  test('a private host is refused', async () => {
    const resolver = createResolver({ plc: 'https://plc.example.com' })
    await expect(resolver.resolve('did:web:127.0.0.1')).rejects.toMatchObject({ permanent: true })
    await expect(resolver.resolve('did:web:localhost')).rejects.toMatchObject({ permanent: true })
  })
})

describe('the cache', () => {
  test('holds for an hour', async () => {
    let now = 1_000_000
    const clock = { now: () => now, nowUs: () => now * 1000 }
    const { resolver, asked } = resolverOf(() => Response.json(document(DID)), { clock })
    await resolver.resolve(DID)
    now += 59 * 60_000
    await resolver.resolve(DID)
    expect(asked).toHaveLength(1)
    now += 2 * 60_000
    await resolver.resolve(DID)
    expect(asked).toHaveLength(2)
  })

  test('is shared by calls at the same time', async () => {
    const { resolver, asked } = resolverOf(() => Response.json(document(DID)))
    await Promise.all([resolver.resolve(DID), resolver.resolve(DID), resolver.resolve(DID)])
    expect(asked).toHaveLength(1)
  })

  test('does not keep failures', async () => {
    let status = 500
    const { resolver } = resolverOf(() => Response.json(document(DID), { status }))
    await expect(resolver.resolve(DID)).rejects.toThrow('500')
    status = 200
    expect((await resolver.resolve(DID)).did).toBe(DID)
  })

  test('forgets, and does not keep what was asked for before that', async () => {
    const gates: (() => void)[] = []
    const { resolver, asked } = resolverOf(async () => {
      await new Promise<void>((resolve) => gates.push(resolve))
      return Response.json(document(DID))
    })
    const early = resolver.resolve(DID)
    resolver.forget(DID)
    gates.shift()!()
    await early
    const late = resolver.resolve(DID)
    gates.shift()!()
    await late
    expect(asked).toHaveLength(2)
    await resolver.resolve(DID)
    expect(asked).toHaveLength(2)
  })
})

describe('on a network', () => {
  let network: Network
  let resolver: Resolver
  beforeEach(async () => {
    network = await startNetwork({ accounts: 4, events: 0, rsvps: 0, statuses: 0, profiles: 0 })
    resolver = createResolver({ plc: network.plc })
  })
  afterEach(async () => {
    resolver.close()
    await network.close()
  })

  test('every account has its own PDS', async () => {
    const identities = await Promise.all(network.accounts.map(({ did }) => resolver.resolve(did)))
    expect(identities).toMatchObject(network.accounts.map(({ did, handle, pds }) => ({ did, handle, pds })))
  })

  test('an unknown DID is not found', async () => {
    await expect(resolver.resolve(DID)).rejects.toMatchObject({ permanent: true })
  })
})
