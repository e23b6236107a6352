import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ResolvedConfig, resolveConfig } from '../../../generator/input/config.ts'
import { GenerateError, type Issue } from '../../../generator/input/issues.ts'

let root: string

beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'lexidex-'))
  for (const directory of [
    'lexicons',
    'src/lexicons',
    'src/lexidex/lexicons',
    'node_modules/@scope/lex',
    'node_modules/empty',
  ]) {
    mkdirSync(path.join(root, directory), { recursive: true })
  }
  writeFileSync(path.join(root, 'node_modules/@scope/lex/package.json'), '{}')
})

afterAll(() => rmSync(root, { recursive: true }))

const event = { collection: 'community.lexicon.calendar.event' }

function resolve(raw: unknown, configPath = 'lexidex.config.ts') {
  return resolveConfig(raw, { root, configPath: path.join(root, configPath) })
}

function config(raw: object): ResolvedConfig {
  return resolve({ namespace: 'com.example', collections: { event }, ...raw }).config
}

function issuesOf(raw: unknown, configPath?: string): readonly Issue[] {
  try {
    return resolve(raw, configPath).issues
  } catch (error) {
    if (error instanceof GenerateError) return error.issues
    throw error
  }
}

/** Issues of a config that is right but for `raw`. */
function issues(raw: object): readonly Issue[] {
  return issuesOf({ namespace: 'com.example', collections: { event }, ...raw })
}

function inEvent(extra: object): readonly Issue[] {
  return issues({ collections: { event: { ...event, ...extra } } })
}

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

describe('every problem has a code, a path and mostly a hint', () => {
  const cases: [name: string, found: () => readonly Issue[], expected: Partial<Issue>][] = [
    ['no config', () => issuesOf(undefined), { code: 'missing-key', path: '' }],
    [
      'not an object',
      () => issuesOf(3),
      { code: 'wrong-type', path: '', message: 'Expected object, received number.' },
    ],
    [
      'no namespace',
      () => issuesOf({ collections: {} }),
      { code: 'missing-key', path: 'namespace', message: '`namespace` is missing.' },
    ],
    ['no collections', () => issuesOf({ namespace: 'a.b' }), { code: 'missing-key', path: 'collections' }],
    ['bad namespace', () => issues({ namespace: 'example' }), { code: 'invalid-namespace', path: 'namespace' }],
    [
      'unknown key',
      () => issues({ colections: {} }),
      { code: 'unknown-key', path: 'colections', hint: 'Did you mean `collections`?' },
    ],
    [
      'unknown key of a collection',
      () => inEvent({ queriable: {} }),
      { path: 'collections.event.queriable', hint: 'Did you mean `queryable`?' },
    ],
    [
      'unknown option',
      () => inEvent({ queryable: { mode: { typ: 'range' } } }),
      { code: 'unknown-key', path: 'collections.event.queryable.mode.typ' },
    ],
    [
      'bad option',
      () => inEvent({ queryable: { mode: { type: 'prefix' } } }),
      { code: 'invalid-value', path: 'collections.event.queryable.mode.type' },
    ],
    [
      'bad field path',
      () => inEvent({ queryable: { 'a-b': {} } }),
      { code: 'invalid-path', path: 'collections.event.queryable.a-b' },
    ],
    [
      '$type inside',
      () => inEvent({ searchable: ['a.$type.b'] }),
      { code: 'invalid-path', path: 'collections.event.searchable.0' },
    ],
    [
      'bad short name',
      () => issues({ collections: { 'my-event': event } }),
      { code: 'invalid-name', path: 'collections.my-event' },
    ],
    [
      'long short name',
      () => issues({ collections: { [`a${'b'.repeat(70)}`]: event } }),
      { code: 'invalid-name', path: `collections.a${'b'.repeat(70)}` },
    ],
    [
      'no NSID',
      () => issues({ collections: { event: {} } }),
      { code: 'missing-key', path: 'collections.event.collection' },
    ],
    [
      'bad NSID',
      () => issues({ collections: { event: { collection: 'event' } } }),
      { code: 'invalid-nsid', path: 'collections.event.collection' },
    ],
    ['wrong type', () => inEvent({ searchable: 'name' }), { code: 'wrong-type', path: 'collections.event.searchable' }],
    [
      'wrong type inside',
      () => inEvent({ searchable: ['name', 3] }),
      { code: 'wrong-type', path: 'collections.event.searchable.1' },
    ],
    [
      'no function',
      () => inEvent({ recordFilter: true }),
      { code: 'wrong-type', path: 'collections.event.recordFilter' },
    ],
    [
      'bad method',
      () => inEvent({ methods: ['putRecord'] }),
      { code: 'invalid-value', path: 'collections.event.methods.0' },
    ],
    [
      'bad match',
      () => inEvent({ relations: { r: { collection: 'x', match: 'cid' } } }),
      { code: 'invalid-value', path: 'collections.event.relations.r.match' },
    ],
    [
      'groups of nothing',
      () => inEvent({ relations: { r: { collection: 'x', groups: { a: 'b' } } } }),
      { code: 'groups-without-group-by', path: 'collections.event.relations.r.groups' },
    ],
    [
      'bad group name',
      () => inEvent({ relations: { r: { collection: 'x', groupBy: 's', groups: { 'not going': 'b' } } } }),
      { code: 'invalid-name', path: 'collections.event.relations.r.groups.not going' },
    ],
    [
      'reference without field',
      () => inEvent({ references: { r: { collection: 'x' } } }),
      { code: 'missing-key', path: 'collections.event.references.r.field' },
    ],
    ['bad profile', () => issues({ profiles: ['profile'] }), { code: 'invalid-nsid', path: 'profiles.0' }],
    [
      'bad profile object',
      () => issues({ profiles: [{ collection: 'a.b.c', shortname: 'x' }] }),
      { code: 'unknown-key', path: 'profiles.0.shortname', hint: 'Did you mean `shortName`?' },
    ],
    [
      'bad record key',
      () => issues({ profiles: [{ collection: 'a.b.c', rkey: 'a b' }] }),
      { code: 'invalid-rkey', path: 'profiles.0.rkey' },
    ],
    ['profile of no type', () => issues({ profiles: [3] }), { code: 'wrong-type', path: 'profiles.0' }],
    [
      'taken profile name',
      () => issues({ profiles: ['com.example.event'] }),
      { code: 'name-conflict', path: 'profiles.0' },
    ],
    [
      'unused profile name',
      () => issues({ profiles: [{ ...event, shortName: 'x' }] }),
      { severity: 'warning', code: 'unused-short-name', path: 'profiles.0.shortName' },
    ],
    [
      'bad Jetstream',
      () => issues({ jetstreams: ['https://jetstream.example'] }),
      { code: 'invalid-url', path: 'jetstreams.0' },
    ],
    ['no Jetstream', () => issues({ jetstreams: [] }), { code: 'invalid-value', path: 'jetstreams' }],
    ['bad relay', () => issues({ relays: ['relay.example'] }), { code: 'invalid-url', path: 'relays.0' }],
    ['bad directory of identities', () => issues({ plc: 'plc' }), { code: 'invalid-url', path: 'plc' }],
    ['bad host', () => issues({ allowHosts: ['http://localhost'] }), { code: 'invalid-host', path: 'allowHosts.0' }],
    ['empty secret', () => issues({ notify: '' }), { code: 'invalid-secret', path: 'notify' }],
    ['number for notify', () => issues({ notify: 1 }), { code: 'wrong-type', path: 'notify' }],
    ['bad logger', () => issues({ logger: {} }), { code: 'wrong-type', path: 'logger' }],
    ['unknown database', () => issues({ database: 'mysql' }), { code: 'wrong-type', path: 'database' }],
    ['absolute outDir', () => issues({ outDir: '/tmp/x' }), { code: 'invalid-directory', path: 'outDir' }],
    ['outDir outside', () => issues({ outDir: '../x' }), { code: 'invalid-directory', path: 'outDir' }],
    ['outDir of lexicons', () => issues({ outDir: 'lexicons' }), { code: 'out-dir-conflict', path: 'lexicons' }],
    ['unknown lexicons', () => issues({ lexicons: ['lexikons'] }), { code: 'unknown-lexicons', path: 'lexicons.0' }],
    [
      'directory that is no package',
      () => issues({ lexicons: ['empty'] }),
      { code: 'unknown-lexicons', path: 'lexicons.0' },
    ],
  ]

  it.each(cases)('%s', (_, found, expected) => {
    expect(found()).toEqual([expect.objectContaining({ severity: 'error', ...expected })])
    expect(found()[0]).toHaveProperty('message', expect.stringMatching(/[.?]$/))
  })

  it('reports all of them together', () => {
    const found = issuesOf({ namespace: 'x', colections: {}, database: 'oracle' })
    expect(found.map((issue) => issue.path)).toEqual(['colections', 'collections', 'database', 'namespace'])
  })
})
