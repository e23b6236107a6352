import path from 'node:path'
import { isValidNsid } from '@atproto/syntax'
import type { ConfigLogger, Database } from '../config/values.ts'
import { GenerateError, type Issue, Issues } from './issues.ts'
import { compareText } from './order.ts'
import { reportProblems } from './problems.ts'
import { type ResolvedQuery, resolveQueries } from './queries.ts'
import {
  collectionSchema,
  configSchema,
  type ParsedCollection,
  type ParsedConfig,
  type ParsedPermissionSet,
} from './schema.ts'
import { type LexiconSource, resolveSources } from './sources.ts'

export { configDirectories, findConfig, loadConfig } from './load.ts'

/** The config with every default filled in. */
export interface ResolvedConfig {
  /** Absolute path of the project. */
  readonly root: string
  /** The config's file, relative to `root`, with `/`. */
  readonly configPath: string
  readonly namespace: string
  /** Sorted by short name; those of profiles included. */
  readonly collections: readonly ResolvedCollection[]
  readonly profiles: readonly ResolvedProfile[]
  /** Where lexicon documents are, in order of the config. */
  readonly lexicons: readonly LexiconSource[]
  /** Relative to `root`, with `/`. */
  readonly outDir: string
  /** Databases that migrations are written for. */
  readonly databases: readonly Database[]
  readonly jetstreams: readonly string[]
  readonly relays: readonly string[]
  readonly plc: string
  /** Sorted, each once. */
  readonly allowHosts: readonly string[]
  /** DIDs whose records come first, each once. */
  readonly repos: readonly string[]
  readonly logger: ConfigLogger | undefined
  /** Whether the config lets anybody call `notifyOfUpdate`. */
  readonly notify: boolean
  readonly rest: boolean
  readonly permissionSet: ParsedPermissionSet | null
}

export interface ResolvedCollection {
  /** Short name. */
  readonly name: string
  /** NSID of the record type. */
  readonly collection: string
  /** By field path, in the order of the config. */
  readonly queryable: Readonly<Record<string, ResolvedQueryable>>
  /** Empty where nothing can be searched. */
  readonly searchable: readonly string[]
  readonly relations: Readonly<Record<string, ResolvedRelation>>
  readonly references: Readonly<Record<string, ResolvedReference>>
  readonly methods: readonly ('listRecords' | 'getRecord')[]
  /** `undefined`: not stated, so `createdAt` where the lexicon has it. `false`: the time of indexing. */
  readonly timeField: string | false | undefined
  readonly subjectField: string | undefined
  readonly recordFilter: ((record: any) => boolean) | undefined
  readonly validate: 'strict' | 'lenient' | 'off'
  readonly discover: boolean
  /** Of its table, where the database has any. `undefined`: none. */
  readonly partitions: number | undefined
  /** Sorted by name. */
  readonly queries: readonly ResolvedQuery[]
}

export interface ResolvedQueryable {
  readonly type?: 'range' | undefined
  /** `undefined`: not stated, so what the kind of the field gives. */
  readonly filters?: readonly ('equal' | 'not' | 'prefix' | 'range' | 'exists')[] | undefined
  readonly index?: boolean | undefined
}

export interface ResolvedRelation {
  /** Short name of the child collection. */
  readonly collection: string
  readonly field: string
  readonly match: 'uri' | 'did'
  readonly groupBy: string | undefined
  /** `undefined`: not stated, so those that the lexicon knows. */
  readonly groups: Readonly<Record<string, string>> | undefined
  readonly count: boolean
  readonly countDistinct: string | undefined
}

export interface ResolvedReference {
  /** Short name of the collection pointed at. */
  readonly collection: string
  readonly field: string
}

export interface ResolvedProfile {
  /** NSID of the record type. */
  readonly collection: string
  /** Short name of its collection. */
  readonly name: string
  readonly rkey: string
}

/** Keys that are accepted for compatibility and do nothing in this version. */
const WITHOUT_EFFECT = {
  config: ['feeds', 'labels', 'constellation', 'maintenance', 'spaces', 'community', 'realtime'],
  networkOverrides: ['resolver', 'slingshotUrl'],
  collection: ['allowInSpaces'],
} as const

/**
 * Checks the form of a config and fills in the defaults. Whether its paths exist is for the model to say.
 *
 * @param raw what the config file exports
 * @param options.root absolute path of the project
 * @param options.configPath absolute path of the config file
 * @returns the config, and what else there is to say about it: errors too, with which nothing may be generated
 * @throws GenerateError where the form is so wrong that no config comes of it
 */
export function resolveConfig(
  raw: unknown,
  { root, configPath }: { root: string; configPath: string },
): { config: ResolvedConfig; issues: readonly Issue[] } {
  const issues = new Issues()
  const parsed = configSchema.safeParse(raw, { reportInput: true })
  if (!parsed.success) {
    reportProblems(parsed.error.issues, issues)
    throw new GenerateError(issues.list())
  }
  const input = parsed.data
  warnOfKeysWithoutEffect(input, issues)
  const { collections, profiles } = withProfiles(input, issues)
  checkMethodNames(input.namespace, collections, issues)
  const outDir = posix(path.normalize(input.outDir)).replace(/\/$/, '')
  const config: ResolvedConfig = {
    root,
    configPath: posix(path.relative(root, configPath)),
    namespace: input.namespace,
    collections,
    profiles,
    lexicons: resolveSources(
      input.lexicons,
      { root, configDir: path.dirname(configPath), outDir: path.join(root, outDir) },
      issues,
    ),
    outDir,
    databases: [...new Set([input.database].flat())],
    jetstreams: input.jetstreams,
    relays: input.relays,
    plc: input.plc,
    allowHosts: [...new Set([...input.allowHosts, ...(input.networkOverrides?.additionalAllowedHosts ?? [])])].sort(
      compareText,
    ),
    repos: [...new Set(input.repos)],
    logger: input.logger,
    // A secret of the environment may be missing where the code is generated; the output must not depend on that.
    notify: 'notify' in input && input.notify !== false,
    rest: input.rest,
    permissionSet: input.permissionSet ?? null,
  }
  return { config, issues: issues.list() }
}

function resolveCollection(name: string, parsed: ParsedCollection, issues: Issues): ResolvedCollection {
  return {
    name,
    collection: parsed.collection,
    queryable: parsed.queryable,
    searchable: parsed.searchable || [],
    relations: mapValues(parsed.relations, ({ groupBy, groups, countDistinct, ...rest }) => ({
      ...rest,
      groupBy,
      groups,
      countDistinct,
    })),
    references: parsed.references,
    methods: [...new Set(parsed.methods)],
    timeField: parsed.timeField,
    subjectField: parsed.subjectField,
    recordFilter: parsed.recordFilter,
    validate: parsed.validate,
    discover: parsed.discover ?? !parsed.collection.startsWith('app.bsky.'),
    partitions: parsed.partitions,
    queries: resolveQueries(name, parsed, issues),
  }
}

/** All collections, sorted, and the profiles: each profile that is no collection yet becomes a dependent one. */
function withProfiles(input: ParsedConfig, issues: Issues) {
  const collections = Object.entries(input.collections).map(([name, parsed]) => resolveCollection(name, parsed, issues))
  const profiles: ResolvedProfile[] = []
  for (const [i, entry] of input.profiles.entries()) {
    const profile = typeof entry === 'string' ? { collection: entry, rkey: 'self' } : entry
    const wanted = profile.shortName ?? profile.collection.split('.').at(-1)!
    const configured = collections.find((c) => c.collection === profile.collection)
    if (configured !== undefined) {
      if (profile.shortName !== undefined && profile.shortName !== configured.name) {
        issues.warn(
          'unused-short-name',
          `profiles.${i}.shortName`,
          `\`${profile.collection}\` is already the collection \`${configured.name}\`.`,
          {
            hint: 'Leave `shortName` out.',
          },
        )
      }
    } else if (collections.some((c) => c.name === wanted)) {
      issues.error('name-conflict', `profiles.${i}`, `The short name \`${wanted}\` is taken by another collection.`, {
        hint: `Name it: \`{ collection: '${profile.collection}', shortName: '…' }\`.`,
      })
      continue
    } else {
      collections.push(
        resolveCollection(wanted, collectionSchema.parse({ collection: profile.collection, discover: false }), issues),
      )
    }
    profiles.push({ collection: profile.collection, name: configured?.name ?? wanted, rkey: profile.rkey })
  }
  return { collections: collections.sort((a, b) => compareText(a.name, b.name)), profiles }
}

function warnOfKeysWithoutEffect(input: ParsedConfig, issues: Issues): void {
  const check = (at: string, values: object, keys: readonly string[]) => {
    for (const [key, value] of Object.entries(values)) {
      // Switched off is what it is anyway.
      if (!keys.includes(key) || value === undefined || value === false) continue
      issues.warn(
        'not-supported',
        at === '' ? key : `${at}.${key}`,
        `\`${key}\` has no effect in this version of lexidex.`,
      )
    }
  }
  check('', input, WITHOUT_EFFECT.config)
  check('networkOverrides', input.networkOverrides ?? {}, WITHOUT_EFFECT.networkOverrides)
  for (const [name, collection] of Object.entries(input.collections)) {
    check(`collections.${name}`, collection, WITHOUT_EFFECT.collection)
  }
}

function checkMethodNames(namespace: string, collections: readonly ResolvedCollection[], issues: Issues): void {
  for (const { name } of collections) {
    const method = `${namespace}.${name}.listRecords`
    if (isValidNsid(method)) continue
    issues.error('invalid-name', `collections.${name}`, `\`${method}\`, the name of a method, is not an NSID.`, {
      hint: 'A segment has 63 characters at most, an NSID 317: shorten the short name or the namespace.',
    })
  }
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))
}

function posix(file: string): string {
  return file.replaceAll(path.sep, '/')
}
