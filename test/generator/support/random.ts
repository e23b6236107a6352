import type { LexiconDoc } from '@atproto/lexicon'
import fc from 'fast-check'
import { Definitions, type RecordPath, recordPaths, resolvePath } from '../../../generator/model/fields.ts'
import { supportedFilters } from '../../../generator/model/filters.ts'

const fieldNames = fc.constantFrom(
  ...[
    'name',
    'subject',
    'createdAt',
    'from',
    'order',
    'group',
    'uri',
    'cid',
    'did',
    'limit',
    'sort',
    'search',
    'value',
  ],
  ...[
    'a',
    'aB',
    'a_b',
    '_x',
    'x1',
    '1x',
    'kebab-case',
    "it's",
    'fooBARBaz',
    'record',
    'id',
    'rank',
    '__proto',
    'class',
  ],
  ...['text', 'count', 'z', 'p', 'q', 'r', 'startsAt', 'startsAtMin', 'hidden', 'ünïcode', 'likes', 'likesCount'],
)
const shortNames = fc.constantFrom(
  ...[
    'event',
    'post',
    'text',
    'count',
    'class',
    'default',
    'record',
    'search',
    'eventSearch',
    'Query',
    'z',
    'app',
    'id',
  ],
  ...['select', 'getCursor', 'index', 'listEventRecords', 'x', 'X9', 'sqliteThing', 'constructor', 'config', 'table'],
)
// biome-ignore lint/suspicious/noTemplateCurlyInString: no placeholder may come of it
const descriptions = fc.constantFrom(undefined, 'Plain.', 'Ends */ here', '`${x}`\nline', '"quoted" \\ it\'s', '{{x}}')

const strings = fc.record(
  {
    type: fc.constant('string'),
    description: descriptions,
    format: fc.constantFrom('datetime', 'did', 'at-uri', 'handle', 'cid', 'uri', 'language'),
    knownValues: fc.constantFrom(['a', 'b'], ['#here'], ["it's", 'x`y', '*/'], []),
  },
  { requiredKeys: ['type'] },
)
const leaves = fc.oneof(
  { arbitrary: strings, weight: 4 },
  fc.record({
    type: fc.constantFrom('integer', 'boolean', 'cid-link', 'bytes', 'blob', 'unknown'),
    description: descriptions,
  }),
)
const names = fc.constantFrom('#part', '#other', '#words', '#missing', '#here', '#main')
const refs = fc.record({ type: fc.constant('ref'), ref: names })
const properties = fc.oneof(
  { arbitrary: leaves, weight: 6 },
  refs,
  fc.record({ type: fc.constant('union'), refs: fc.array(names, { maxLength: 3 }), closed: fc.boolean() }),
  fc.record({ type: fc.constant('array'), items: fc.oneof(leaves, refs) }),
)
const objects = fc.dictionary(fieldNames, properties, { maxKeys: 8 }).chain((members) =>
  fc.record({
    type: fc.constant('object'),
    required: fc.subarray(Object.keys(members)),
    nullable: fc.subarray(Object.keys(members)),
    properties: fc.constant(members),
  }),
)
const definitions = fc.record({
  main: fc.record({
    type: fc.constant('record'),
    key: fc.constantFrom('tid', 'any', 'literal:self'),
    record: objects,
  }),
  part: objects,
  other: objects,
  words: fc.constant({ type: 'array', items: { type: 'string' } }),
  here: fc.constant({ type: 'token', description: 'Here */.' }),
})

export interface RandomProject {
  readonly docs: readonly LexiconDoc[]
  readonly config: object
}

/** Projects with names, types and descriptions that nobody would choose. NSIDs hold `name`, so that they are unique. */
export function randomProjects(name: string): fc.Arbitrary<RandomProject> {
  return fc
    .uniqueArray(shortNames, { minLength: 1, maxLength: 3, selector: (short) => short.toLowerCase() })
    .chain((shorts) =>
      fc.tuple(...shorts.map(() => definitions)).chain((all) => {
        const docs = all.map((defs, i) => ({ lexicon: 1, id: `com.example.${name}.type${i}`, defs })) as LexiconDoc[]
        return configs(shorts, docs).map((config) => ({ docs, config }))
      }),
    )
}

/** Configs whose paths are drawn from those that the lexicons have. */
function configs(shorts: readonly string[], docs: readonly LexiconDoc[]) {
  const found = new Definitions(docs)
  const collections = shorts.map((_, i) => {
    const child = (i + 1) % shorts.length
    const paths = recordPaths(found, docs[i]!.id)
    return fc
      .record({
        collection: fc.constant(docs[i]!.id),
        queried: fc.subarray(paths.filter(({ kind }) => kind !== null)),
        ranged: fc.boolean(),
        searchable: fc.subarray(paths.filter(({ searchable }) => searchable).map(({ path }) => path)),
        relations: relations(shorts[child]!, docs[child]!.id, found),
        methods: fc.subarray(['listRecords', 'getRecord']),
      })
      .map(({ queried, ranged, ...rest }) => ({ ...rest, queryable: queryable(queried, ranged) }))
  })
  return fc.tuple(...collections).map((all) => ({
    ...{ namespace: 'com.example.index', profiles: [] },
    collections: Object.fromEntries(all.map((collection, i) => [shorts[i]!, collection])),
  }))
}

function queryable(paths: readonly RecordPath[], ranged: boolean) {
  return Object.fromEntries(
    paths.map(({ path, kind }) => [path, ranged && supportedFilters(kind!).includes('range') ? { type: 'range' } : {}]),
  )
}

function relations(collection: string, nsid: string, found: Definitions): fc.Arbitrary<object> {
  const pointers = recordPaths(found, nsid).filter(({ kind }) => kind === 'text')
  if (pointers.length === 0) return fc.constant({})
  const paths = fc.constantFrom(...pointers.map(({ path }) => path))
  const relation = fc
    .record(
      {
        field: paths,
        group: fc.record({ groupBy: paths, groups: fc.constant({ one: 'a', other: "it's" }) }),
        count: fc.boolean(),
        countDistinct: fc.oneof(fc.constant('did'), paths),
      },
      { requiredKeys: ['field'] },
    )
    .map(({ group, ...rest }) => ({ collection, match: matchOf(rest.field, nsid, found), ...rest, ...group }))
  return fc.dictionary(fc.constantFrom('likes', 'search', 'to', 'from', 'class'), relation, { maxKeys: 2 })
}

function matchOf(path: string, nsid: string, found: Definitions): 'uri' | 'did' {
  const field = resolvePath(found, nsid, path)
  return !('problem' in field) && field.schema.format === 'did' ? 'did' : 'uri'
}
