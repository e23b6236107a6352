/**
 * The form of the config, as zod schemas. Meaning (do the paths exist?) is checked against the lexicons later.
 *
 * Messages state what is wrong; after a line break, what to do about it.
 */
import { isValidDid, isValidNsid, isValidRecordKey } from '@atproto/syntax'
import { z } from 'zod'
import { didYouMean } from './issues.ts'

/** An object that refuses keys it does not know. The message has one line per unknown key: the hint for it. */
function strict<S extends z.ZodRawShape>(shape: S) {
  const known = Object.keys(shape)
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? issue.keys.map((key) => hintFor(key, known)).join('\n') : undefined,
  })
}

function hintFor(key: string, known: readonly string[]): string {
  const guess = didYouMean(key, known)
  return guess === undefined ? `Known keys are ${known.join(', ')}.` : `Did you mean \`${guess}\`?`
}

/** A string that passes `test`; `code` is that of the issue otherwise, `what` ends the sentence "`x` is not …". */
function text(test: (value: string) => boolean, code: string, what: string, hint: string) {
  return z.string().refine(test, { error: ({ input }) => `\`${input}\` is not ${what}.\n${hint}`, params: { code } })
}

function func<F extends (...args: any[]) => unknown>() {
  return z.custom<F>((value) => typeof value === 'function', {
    error: 'Expected a function.',
    params: { code: 'wrong-type' },
  })
}

const shortName = text(
  (value) => /^[a-zA-Z][a-zA-Z0-9]*$/.test(value),
  'invalid-name',
  'a short name',
  'Letters and digits only, a letter first: it becomes part of methods and parameters.',
)

const nsid = text(
  (value) => isValidNsid(value),
  'invalid-nsid',
  'an NSID',
  'Name the record type in full, for example `community.lexicon.calendar.event`.',
)

const namespace = text(
  (value) => isValidNsid(`${value}.name`),
  'invalid-namespace',
  'the reverse of a domain name',
  'Use at least two segments, for example `com.example`.',
)

const fieldPath = text(
  (value) => /^[a-zA-Z0-9_]+(\.[a-zA-Z0-9_]+)*(\.\$type)?$/.test(value),
  'invalid-path',
  'a field path',
  'Join property names with dots, for example `subject.uri`; a union has `.$type`.',
)

function url(protocols: readonly string[], example: string) {
  const test = (value: string) => URL.canParse(value) && protocols.includes(new URL(value).protocol)
  return text(
    test,
    'invalid-url',
    `a URL of ${protocols.map((p) => `${p}//`).join(' or ')}`,
    `For example \`${example}\`.`,
  )
}

const host = text(
  (value) => /^[^/?#@]+$/.test(value) && URL.canParse(`http://${value}`),
  'invalid-host',
  'a host name',
  'Only the name and perhaps a port: `localhost`, `127.0.0.1:2583`.',
)

const relativeDirectory = text(
  (value) => value !== '' && !/^([/\\]|[a-zA-Z]:)/.test(value) && !value.split(/[/\\]/).includes('..') && value !== '.',
  'invalid-directory',
  'a directory inside the project',
  'Relative to the project, for example `src/lexidex`. Its content is replaced by each run.',
)

const relation = strict({
  collection: z.string(),
  field: fieldPath.default('subject.uri'),
  match: z.enum(['uri', 'did']).default('uri'),
  groupBy: fieldPath.optional(),
  groups: z.record(shortName, z.string()).optional(),
  count: z.boolean().default(true),
  countDistinct: fieldPath.optional(),
}).refine((value) => value.groups === undefined || value.groupBy !== undefined, {
  path: ['groups'],
  error: 'There are `groups`, but no `groupBy`.\nName the field of the child that is grouped by.',
  params: { code: 'groups-without-group-by' },
})

/** Every query of all records locks each partition with its indexes: more would not fit a server's usual settings. */
const partitions = z.number().refine((value) => Number.isInteger(value) && value >= 2 && value <= 128, {
  error: ({ input }) =>
    `\`${input}\` is not a whole number from 2 to 128.\nEach partition holds the records of its share of the accounts; leave it out for one table.`,
  params: { code: 'invalid-partitions' },
})

const reference = strict({ collection: z.string(), field: fieldPath })

/** A query: its handler alone, or with what it states besides. */
const query = z.preprocess(
  (value) => (typeof value === 'function' ? { handler: value } : value),
  strict({
    description: z.string().optional(),
    params: z
      .custom<z.ZodObject>((value: any) => value?._zod?.def?.type === 'object', {
        error: 'Expected an object schema of zod 4.\nImport `z` from `lexidex`, and write `z.object({ … })`.',
        params: { code: 'wrong-type' },
      })
      .optional(),
    handler: func(),
  }),
)
const queryable = strict({
  type: z.literal('range').optional(),
  filters: z
    .array(z.enum(['equal', 'not', 'prefix', 'range', 'exists']))
    .min(1, 'Expected at least one filter.')
    .optional(),
  index: z.boolean().optional(),
})

/** One collection, as written. */
export const collectionSchema = strict({
  collection: nsid,
  queryable: z.record(fieldPath, queryable).default({}),
  searchable: z
    .union([z.array(fieldPath), z.literal(false)], { error: 'Expected a list of field paths, or false.' })
    .default(false),
  relations: z.record(shortName, relation).default({}),
  references: z.record(shortName, reference).default({}),
  methods: z.array(z.enum(['listRecords', 'getRecord'])).default(['listRecords', 'getRecord']),
  timeField: z.union([fieldPath, z.literal(false)], { error: 'Expected a field path, or false.' }).optional(),
  subjectField: fieldPath.optional(),
  recordFilter: func<(record: any) => boolean>().optional(),
  discover: z.boolean().optional(),
  validate: z.enum(['strict', 'lenient', 'off']).default('lenient'),
  queries: z.record(shortName, query).default({}),
  pipelineQueries: z.record(shortName, query).default({}),
  partitions: partitions.optional(),
  allowInSpaces: z.boolean().optional(),
})

const profileObject = strict({
  collection: nsid,
  shortName: shortName.optional(),
  rkey: text((value) => isValidRecordKey(value), 'invalid-rkey', 'a record key', 'Most profiles have `self`.').default(
    'self',
  ),
})

const database = z.enum(['sqlite', 'postgres', 'd1'])
const databaseError = 'Expected sqlite, postgres or d1, or a list of them.'

const logger = z.custom<Record<'log' | 'warn' | 'error', (...args: unknown[]) => void>>(
  (value: any) => ['log', 'warn', 'error'].every((key) => typeof value?.[key] === 'function'),
  { error: 'Expected an object with log, warn and error.', params: { code: 'wrong-type' } },
)

const secret = text(
  (value) => value.trim() !== '',
  'invalid-secret',
  'a secret',
  'Where it comes from the environment, leave it `undefined` rather than empty; the method is off then.',
)

const serviceDid = text(
  (value) => isValidDid(value),
  'invalid-did',
  'a DID',
  'The DID of this service, for example `did:web:index.example.com`.',
)

const notify = z.union(
  [z.boolean(), secret, strict({ secret: secret.optional(), serviceDid: serviceDid.optional() })],
  {
    error: 'Expected true, false, a secret, or an object with `secret` and `serviceDid`.',
  },
)

const repo = text(
  (value) => isValidDid(value),
  'invalid-did',
  'a DID',
  'Name the account by its DID, for example `did:plc:ewvi7nxzyoun6zhxrhs64oiz`; a handle may change hands.',
)

const permission = z.discriminatedUnion('resource', [
  strict({
    type: z.literal('permission').optional(),
    resource: z.literal('repo'),
    collection: z.array(nsid).min(1, 'At least one collection is needed.'),
    action: z.array(z.enum(['create', 'update', 'delete'])).optional(),
  }),
  strict({
    type: z.literal('permission').optional(),
    resource: z.literal('rpc'),
    lxm: z.array(nsid).min(1, 'At least one method is needed.'),
    inheritAud: z.boolean().optional(),
    aud: z.literal('*').optional(),
  }),
])

const permissionSet = strict({
  title: z.string().min(1).optional(),
  description: z.string().optional(),
  additional: z.array(permission).default([]),
})

/** The config as written; with defaults where they do not depend on anything else. */
export const configSchema = strict({
  namespace,
  collections: z.record(shortName, collectionSchema),
  profiles: z
    .union(
      [
        z.array(z.union([nsid, profileObject], { error: 'Expected an NSID, or an object with `collection`.' })),
        z.literal(false).transform(() => []),
      ],
      { error: 'Expected a list of NSIDs, or false.' },
    )
    .default(['app.bsky.actor.profile']),
  lexicons: z.array(z.string()).optional(),
  outDir: relativeDirectory.default('src/lexidex'),
  database: z.union([database, z.array(database).min(1, databaseError)], { error: databaseError }).default('sqlite'),
  jetstreams: z
    .array(url(['wss:', 'ws:'], 'wss://jetstream1.us-east.bsky.network'))
    .min(1, 'At least one Jetstream is needed.')
    .default(['wss://jetstream1.us-east.bsky.network']),
  relays: z
    .array(url(['https:', 'http:'], 'https://relay1.us-east.bsky.network'))
    .default(['https://relay1.us-east.bsky.network']),
  plc: url(['https:', 'http:'], 'https://plc.directory').default('https://plc.directory'),
  allowHosts: z.array(host).default([]),
  repos: z.array(repo).default([]),
  networkOverrides: strict({
    additionalAllowedHosts: z.array(host).default([]),
    resolver: z.unknown().optional(),
    slingshotUrl: z.string().optional(),
  }).optional(),
  logger: logger.optional(),
  notify: notify.optional(),
  feeds: z.unknown().optional(),
  labels: z.unknown().optional(),
  constellation: z.unknown().optional(),
  maintenance: z.unknown().optional(),
  spaces: z.unknown().optional(),
  community: z.unknown().optional(),
  realtime: z.unknown().optional(),
  rest: z.boolean().default(false),
  permissionSet: permissionSet.optional(),
})

/** A config whose form is right. */
export type ParsedConfig = z.output<typeof configSchema>
export type ParsedQuery = z.output<typeof query>
export type ParsedCollection = z.output<typeof collectionSchema>
export type ParsedPermissionSet = z.output<typeof permissionSet>
