import { describe, expect, it } from 'vitest'
import type { Issue } from '../../../generator/input/issues.ts'
import { event, inEvent, issues, issuesOf } from './config-support.ts'

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
