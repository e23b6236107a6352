import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { config, event, issues, issuesOf, resolve, root } from './config-support.ts'

describe('defaults', () => {
  it('fills in everything', () => {
    expect(config({})).toEqual({
      root,
      configPath: 'lexidex.config.ts',
      namespace: 'com.example',
      collections: [
        {
          name: 'event',
          collection: 'community.lexicon.calendar.event',
          queryable: {},
          searchable: [],
          relations: {},
          references: {},
          methods: ['listRecords', 'getRecord'],
          validate: 'lenient',
          discover: true,
          queries: [],
        },
        expect.objectContaining({ name: 'profile', collection: 'app.bsky.actor.profile', discover: false }),
      ],
      profiles: [{ collection: 'app.bsky.actor.profile', name: 'profile', rkey: 'self' }],
      lexicons: [{ kind: 'directory', name: 'lexicons', path: path.join(root, 'lexicons') }],
      outDir: 'src/lexidex',
      databases: ['sqlite'],
      jetstreams: ['wss://jetstream1.us-east.bsky.network'],
      relays: ['https://relay1.us-east.bsky.network'],
      plc: 'https://plc.directory',
      allowHosts: [],
      repos: [],
      notify: false,
      rest: false,
      permissionSet: null,
    })
    expect(issues({})).toEqual([])
  })

  it('of relations', () => {
    const { collections } = config({
      collections: { event: { ...event, relations: { rsvps: { collection: 'rsvp' } } } },
    })
    expect(collections[0]!.relations).toEqual({
      rsvps: { collection: 'rsvp', field: 'subject.uri', match: 'uri', count: true },
    })
  })

  it('does not look for accounts by collections of Bluesky, unless told to', () => {
    const discover = (collection: object) =>
      config({ collections: { x: collection }, profiles: [] }).collections[0]!.discover
    expect(discover({ collection: 'app.bsky.feed.post' })).toBe(false)
    expect(discover({ collection: 'app.bsky.feed.post', discover: true })).toBe(true)
    expect(discover({ collection: 'com.example.post' })).toBe(true)
  })

  it('tells a stated time field from the default', () => {
    const time = (extra: object) => config({ collections: { event: { ...event, ...extra } } }).collections[0]!.timeField
    expect(time({})).toBeUndefined()
    expect(time({ timeField: 'createdAt' })).toBe('createdAt')
    expect(time({ timeField: false })).toBe(false)
  })
})

it('sorts collections by code point', () => {
  const names = config({ collections: { b: event, B: event, a10: event, a9: event }, profiles: [] }).collections.map(
    (c) => c.name,
  )
  expect(names).toEqual(['B', 'a10', 'a9', 'b'])
})

describe('profiles', () => {
  it('uses a collection that is configured', () => {
    const result = config({
      collections: { person: { collection: 'app.bsky.actor.profile', queryable: { displayName: {} } } },
    })
    expect(result.collections.map((c) => c.name)).toEqual(['person'])
    expect(result.profiles).toEqual([{ collection: 'app.bsky.actor.profile', name: 'person', rkey: 'self' }])
  })

  it('takes objects', () => {
    const result = config({
      profiles: [{ collection: 'com.example.card', shortName: 'card2', rkey: 'main' }, 'app.bsky.actor.profile'],
    })
    expect(result.collections.map((c) => c.name)).toEqual(['card2', 'event', 'profile'])
    expect(result.profiles[0]).toEqual({ collection: 'com.example.card', name: 'card2', rkey: 'main' })
  })
})

describe('lexicons', () => {
  it('are beside the config, in the root, or a package', () => {
    const entries = ['./lexicons', '@scope/lex']
    const { config } = resolve(
      { namespace: 'com.example', collections: {}, lexicons: entries },
      'src/lexidex.config.ts',
    )
    expect(config.lexicons).toEqual([
      { kind: 'directory', name: 'src/lexicons', path: path.join(root, 'src/lexicons') },
      { kind: 'package', name: '@scope/lex', path: path.join(root, 'node_modules/@scope/lex') },
    ])
  })

  it('leave out what is generated', () => {
    expect(config({ lexicons: ['src'] }).lexicons).toEqual([
      { kind: 'directory', name: 'src', path: path.join(root, 'src'), except: path.join(root, 'src/lexidex') },
    ])
  })
})

it.each([
  [{}, false],
  [{ notify: false }, false],
  [{ notify: true }, true],
  [{ notify: 'a secret' }, true],
  [{ notify: { serviceDid: 'did:web:index.example.com' } }, true],
  // As with `process.env.NOTIFY_SECRET` on a machine that generates, and does not know it.
  [{ notify: undefined }, true],
])('with %j there is a method to notify: %s', (extra, expected) => {
  expect(config(extra).notify).toBe(expected)
})

it('joins allowHosts and networkOverrides', () => {
  const result = config({
    allowHosts: ['localhost:2583'],
    networkOverrides: { additionalAllowedHosts: ['127.0.0.1', 'localhost'] },
  })
  expect(result.allowHosts).toEqual(['127.0.0.1', 'localhost', 'localhost:2583'])
})

it("takes the config of Contrail's documentation as it is", async () => {
  const { default: calendar } = await import('../../../fixtures/apps/calendar/lexidex.config.ts')
  expect(issuesOf(calendar)).toEqual([])
})

it('takes every key of a Contrail config', () => {
  const found = issues({
    logger: console,
    notify: true,
    feeds: { home: { targets: ['event'] } },
    labels: { sources: [] },
    constellation: false,
    maintenance: { optimize: true },
    networkOverrides: { resolver: {}, slingshotUrl: 'https://slingshot.example' },
    spaces: {},
    community: {},
    realtime: {},
    permissionSet: {},
    collections: {
      event: {
        ...event,
        queries: { mine: () => new Response() },
        pipelineQueries: { near: () => ({}) },
        allowInSpaces: true,
      },
    },
  })
  expect(found.map(({ severity, code, path }) => `${severity} ${code} ${path}`)).toEqual([
    'warning not-supported collections.event.allowInSpaces',
    'warning not-supported community',
    'warning not-supported feeds',
    'warning not-supported labels',
    'warning not-supported maintenance',
    'warning not-supported networkOverrides.resolver',
    'warning not-supported networkOverrides.slingshotUrl',
    'warning not-supported realtime',
    'warning not-supported spaces',
  ])
})
