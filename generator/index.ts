/**
 * What a `lexidex.config.ts` imports: `defineConfig`, what queries are written with, and the types of the config. Configs
 * are loaded by servers too, so nothing else may be imported here.
 */

import type { CustomQuery, ListQuery } from '../runtime/core/custom-query.ts'

export { z } from 'zod'
export {
  type CustomQuery,
  defineListQuery,
  defineQuery,
  type ListQuery,
  type Narrow,
  type QueryContext,
} from '../runtime/core/custom-query.ts'

/**
 * Paths into the records of each lexicon, by NSID. Empty here; the declaration that `lexidex generate`
 * writes as `config.d.ts` fills it, so that the config is checked and completed in the editor.
 *
 * @example
 * declare module 'lexidex' {
 *   interface LexiconPaths {
 *     'com.example.event': {
 *       queryable: 'mode' | 'startsAt' // can be a column
 *       range: 'startsAt' // can be a column that has an order
 *       searchable: 'name' // holds words
 *       field: 'mode' | 'startsAt' | 'venue.uri' // can be read by a relation, reference, time or subject
 *     }
 *   }
 * }
 */
// biome-ignore lint/suspicious/noEmptyInterface: filled by module augmentation
export interface LexiconPaths {}

type Use = 'queryable' | 'range' | 'searchable' | 'field'

/** Paths of one lexicon that fit one use; any string where the lexicon is not declared. */
type PathOf<Nsid, U extends Use> = Nsid extends keyof LexiconPaths
  ? LexiconPaths[Nsid] extends Record<U, infer Path extends string>
    ? Path
    : string
  : string

/** An NSID; those of declared lexicons are completed. */
type AnyNsid = keyof LexiconPaths | (string & {})

/** NSID of each collection, by its short name. */
type Nsids = Readonly<Record<string, AnyNsid>>

/**
 * How lists are filtered by a field. `{}` gives what makes sense for its kind:
 *
 * | kind | `{}` | `{ type: 'range' }` |
 * |---|---|---|
 * | text without known values | `equal`, `not`, `prefix`, `exists` | `range`, `exists` |
 * | other strings, the `$type` of a union | `equal`, `not`, `exists` | `range`, `exists` |
 * | integer | `equal`, `not`, `exists` | `range`, `exists` |
 * | datetime | `equal`, `exists` | `range`, `exists` |
 * | boolean | `equal`, `exists` | |
 * | CID link | `equal`, `not`, `exists` | |
 * | array of strings | `equal` (any value), `not` | |
 *
 * `exists` comes only with fields that a record may be without.
 */
export interface QueryableField {
  /** `?fieldMin=` and `?fieldMax=`, and `?sort=field`, in place of `?field=`. */
  readonly type?: 'range'
  /**
   * Exactly these, in place of what the kind gives: `equal` is `?field=a&field=b`, `not` is `?fieldNot=`, `prefix` is
   * `?fieldPrefix=`, `range` is `?fieldMin=`, `?fieldMax=` and `?sort=field`, `exists` is `?fieldExists=true`.
   */
  readonly filters?: readonly FieldFilter[]
  /** `false`: no index, for cheaper writes. Then only filters that need none are possible: `not`. Default: true. */
  readonly index?: boolean
}

/** One way to filter by a field. */
export type FieldFilter = 'equal' | 'not' | 'prefix' | 'range' | 'exists'

type Queryable<Nsid> = {
  readonly [Path in PathOf<Nsid, 'queryable'>]?: Path extends PathOf<Nsid, 'range'>
    ? QueryableField
    : Omit<QueryableField, 'type'> & { readonly type?: never }
}

/** Records of a collection that point at this one. */
interface RelationConfig<ChildName, ChildNsid> {
  /** Short name of the child collection. */
  readonly collection: ChildName
  /** Field of the child that points here. Default: `subject.uri`. */
  readonly field?: PathOf<ChildNsid, 'field'>
  /** What the field holds: the URI of a record here, or the DID of its author. Default: `uri`. */
  readonly match?: 'uri' | 'did'
  /** Field of the child by which children are counted and hydrated in groups. */
  readonly groupBy?: PathOf<ChildNsid, 'field'>
  /** Short name of each group, and the value of `groupBy` that belongs to it. Default: the lexicon's known values. */
  readonly groups?: Readonly<Record<string, string>>
  /** Whether counts are kept. Default: true. */
  readonly count?: boolean
  /** Counts different values of this field of the child (or `did`, its author) instead of records. */
  readonly countDistinct?: PathOf<ChildNsid, 'field'> | 'did'
}

type Relation<N extends Nsids> = { [Short in keyof N]: RelationConfig<Short, N[Short]> }[keyof N]

/** A record that this one points at. */
interface ReferenceConfig<Nsid, N extends Nsids> {
  /** Short name of the collection pointed at. */
  readonly collection: (keyof N & string) | (string & {})
  /** Field of this collection with the URI of a record, or the DID of its author. */
  readonly field: PathOf<Nsid, 'field'>
}

/** One collection to index. */
export interface CollectionConfig<Nsid extends AnyNsid = string, N extends Nsids = Nsids> {
  /** NSID of the record type. */
  readonly collection: Nsid
  /** Fields to filter and sort by; `subject.uri` reaches into objects. */
  readonly queryable?: Queryable<Nsid>
  /** Fields whose words `?search=` looks for. */
  readonly searchable?: readonly PathOf<Nsid, 'searchable'>[] | false
  /** Child collections, to count and to hydrate, by name of the relation. */
  readonly relations?: Readonly<Record<string, Relation<N>>>
  /** Records that this one points at, to hydrate, by name of the reference. */
  readonly references?: Readonly<Record<string, ReferenceConfig<Nsid, N>>>
  /** Methods to serve. Default: both. */
  readonly methods?: readonly ('listRecords' | 'getRecord')[]
  /** The record's own time, by which lists are ordered; `false`: when it was indexed. Default: `createdAt`. */
  readonly timeField?: PathOf<Nsid, 'field'> | false
  /** Field with a DID or at-uri: records about accounts that are not known are dropped. */
  readonly subjectField?: PathOf<Nsid, 'field'>
  /** Whether a new or changed record is kept. Deletes always pass. */
  readonly recordFilter?: (record: any) => boolean
  /**
   * Whether accounts are looked for by this collection. `false`: only records of accounts that are known
   * through another collection are kept. Default: true, but false for `app.bsky.*`.
   */
  readonly discover?: boolean
  /**
   * Records that break their lexicon: `strict` and `lenient` quarantine them, `lenient` lets harmless
   * differences pass; `off` takes everything. Default: `lenient`.
   */
  readonly validate?: 'strict' | 'lenient' | 'off'
  /** Queries of your own, by the last part of their names: `{namespace}.{collection}.{name}`. See `defineQuery`. */
  readonly queries?: Readonly<Record<string, CustomQuery | CustomQuery['handler']>>
  /** Lists of your own, in which `listRecords` is narrowed, by the last part of their names. See `defineListQuery`. */
  readonly pipelineQueries?: Readonly<Record<string, ListQuery | ListQuery['handler']>>
  /** Accepted, without effect. */
  readonly allowInSpaces?: boolean
}

/** A collection with the profiles of accounts. */
export interface ProfileConfig {
  /** NSID of the record type. */
  readonly collection: AnyNsid
  /** Default: the last segment of the NSID. */
  readonly shortName?: string
  /** Record key of the profile. Default: `self`. */
  readonly rkey?: string
}

export type Database = 'sqlite' | 'postgres' | 'd1'

/** Where the index writes its messages. The console fits. */
export interface ConfigLogger {
  log(...args: unknown[]): void
  warn(...args: unknown[]): void
  error(...args: unknown[]): void
}

/** What users are asked for at once: all methods of the namespace, and writing its records. */
export interface PermissionSetConfig {
  /** What users read as its name. Default: the namespace. */
  readonly title?: string
  /** What users read about it. */
  readonly description?: string
  /** More of the namespace's own records and methods. */
  readonly additional?: readonly PermissionConfig[]
}

/** A permission as lexicons state it. Servers grant nothing in a set that is not below its namespace. */
export type PermissionConfig =
  | {
      readonly type?: 'permission'
      readonly resource: 'repo'
      /** NSIDs of record types. */
      readonly collection: readonly string[]
      /** Default: all three. */
      readonly action?: readonly ('create' | 'update' | 'delete')[]
    }
  | {
      readonly type?: 'permission'
      readonly resource: 'rpc'
      /** NSIDs of methods. */
      readonly lxm: readonly string[]
      /** The service that the client names: `include:{set}?aud=…`. */
      readonly inheritAud?: boolean
      /** Any service. */
      readonly aud?: '*'
    }

/** Who may call `notifyOfUpdate`: nobody, where neither is there. */
export interface NotifyConfig {
  /** Whoever sends it as `Authorization: Bearer <secret>`, for any record. */
  readonly secret?: string | undefined
  /** DID of this service. Tokens of atproto's service auth that are made out to it let authors name their own records. */
  readonly serviceDid?: string | undefined
}

/** What `lexidex.config.ts` exports. */
export interface Config<N extends Nsids = Nsids> {
  /** Reverse domain that the name of every method starts with, for example `com.example`. */
  readonly namespace: string
  /** What to index, by short name: letters and digits, a letter first. */
  readonly collections: { readonly [Short in keyof N]: CollectionConfig<N[Short], N> }
  /**
   * Record types that hold profiles of accounts; each is indexed as a collection. `false`: none.
   * Default: `['app.bsky.actor.profile']`.
   */
  readonly profiles?: readonly (AnyNsid | ProfileConfig)[] | false
  /** Directories (relative to this file) or npm packages that hold lexicon JSON. Default: `lexicons`, where it exists. */
  readonly lexicons?: readonly string[]
  /** Directory that is generated, relative to the project's root. Default: `src/lexidex`. */
  readonly outDir?: string
  /** Databases to generate for. Default: `sqlite`, the only one in this version. */
  readonly database?: Database | readonly Database[]
  /** WebSocket URLs of Jetstream instances, in order of preference. */
  readonly jetstreams?: readonly string[]
  /** HTTPS URLs of relays that list accounts by collection. */
  readonly relays?: readonly string[]
  /** URL of the PLC directory. Default: `https://plc.directory`. */
  readonly plc?: string
  /** `host` or `host:port` that may be fetched from at private addresses and over http. For tests and private networks. */
  readonly allowHosts?: readonly string[]
  /**
   * DIDs of accounts that the app is built around, such as that of a forum whose categories and roles all else refers
   * to: they are known from the beginning, and their records are fetched before those of others.
   */
  readonly repos?: readonly string[]
  readonly networkOverrides?: {
    /** The same as `allowHosts`. */
    readonly additionalAllowedHosts?: readonly string[]
    /** Accepted, without effect in this version. */
    readonly resolver?: unknown
    /** Accepted, without effect in this version. */
    readonly slingshotUrl?: string
  }
  /** Where the index writes its messages. Default: the console. */
  readonly logger?: ConfigLogger
  /**
   * Who may call `notifyOfUpdate`, which has records fetched from their author's PDS at once. Default: nobody. `true`:
   * everybody. A string: who sends it as `Authorization: Bearer <secret>`. It is read where the index runs, and is not
   * in the generated code.
   *
   * @example
   * notify: process.env.NOTIFY_SECRET
   */
  readonly notify?: boolean | string | NotifyConfig | undefined
  /**
   * Whether collections are also served by plain REST, by their NSIDs: `/records/{nsid}`, `/users/{nsid}`, `/stats/{nsid}`,
   * `/backfill/{nsid}/{did}`, `/cursor`. Records are then counted by account as well. Default: false.
   */
  readonly rest?: boolean
  /** Writes a permission set, the lexicon `{namespace}.authFull`, by which clients ask for all that the app needs. */
  readonly permissionSet?: PermissionSetConfig
  /** Accepted, without effect in this version; so are the keys below. */
  readonly feeds?: unknown
  readonly labels?: unknown
  readonly constellation?: unknown
  readonly maintenance?: unknown
  readonly spaces?: unknown
  readonly community?: unknown
  readonly realtime?: unknown
}

interface WithQueries<Q> {
  readonly collections: { readonly [Short in keyof Q]: { readonly queries?: Q[Short] } }
}

interface WithPipelineQueries<Q> {
  readonly collections: { readonly [Short in keyof Q]: { readonly pipelineQueries?: Q[Short] } }
}

/** A config whose type remembers its queries, for the client. */
export type DefinedConfig<Q, L> = Config & { readonly '~queries'?: Q & L }

/**
 * States the config of an index; types and completes its field paths.
 *
 * @example
 * export default defineConfig({
 *   namespace: 'com.example',
 *   collections: {
 *     event: {
 *       collection: 'community.lexicon.calendar.event',
 *       queryable: { mode: {}, startsAt: { type: 'range' } },
 *       searchable: ['name', 'description'],
 *     },
 *   },
 * })
 */
export function defineConfig<const N extends Nsids, Q = {}, L = {}>(
  config: Config<N> & WithQueries<Q> & WithPipelineQueries<L>,
): DefinedConfig<Q, L> {
  return config as Config
}
