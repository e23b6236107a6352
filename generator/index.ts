/**
 * What a `lexidex.config.ts` imports: `defineConfig`, what queries are written with, and the types of the config. Configs
 * are loaded by servers too, so nothing else may be imported here.
 */

import type { AnyNsid, CollectionConfig, Nsids } from './config/collection.ts'
import type { ConfigLogger, Database, NotifyConfig, PermissionSetConfig, ProfileConfig } from './config/values.ts'

export { z } from 'zod'
export {
  type CustomQuery,
  defineListQuery,
  defineQuery,
  type ListQuery,
  type Narrow,
  type QueryContext,
} from '../runtime/core/custom-query.ts'
export type { CollectionConfig, FieldFilter, QueryableField } from './config/collection.ts'
export type * from './config/values.ts'

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
  /** Databases to write migrations for; `d1` takes those of `sqlite`. Default: `sqlite`. */
  readonly database?: Database | readonly Database[]
  /** WebSocket URLs of Jetstream instances, in order of preference. Default: one of Bluesky's. */
  readonly jetstreams?: readonly string[]
  /** HTTPS URLs of relays that list accounts by collection. Default: one of Bluesky's. */
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
