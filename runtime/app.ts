import type { LexiconDoc } from '@atproto/lexicon'
import type { CollectionDef, ProfileDef } from './core/collection.ts'
import type { MethodDef } from './serving/define.ts'
import type { Migrations } from './storage/store.ts'

/** Everything that the generator knows of an app: what emitted `index.ts` states. */
export interface App {
  /** Reverse domain that every method name starts with. */
  readonly namespace: string
  readonly collections: readonly CollectionDef[]
  readonly methods: readonly MethodDef[]
  /** Profiles of accounts, in the order in which they are shown; absent where there are none. */
  readonly profiles?: readonly ProfileDef[]
  readonly migrations: Migrations
  /** Record lexicons, for validation: the definitions that the collections reach. */
  readonly schemas: readonly LexiconDoc[]
  /** Method lexicons, served by `{ns}.lexicons`. */
  readonly lexicons: readonly unknown[]
  /** WebSocket URLs of Jetstream instances, in order of preference. */
  readonly jetstreams: readonly string[]
  /** HTTPS URLs of relays that list repos by collection. */
  readonly relays: readonly string[]
  /** URL of the PLC directory. */
  readonly plc: string
  /** Host names that may be fetched from although the address guard refuses them. */
  readonly allowHosts: readonly string[]
  /** DIDs of accounts whose records are fetched before those of others. */
  readonly repos?: readonly string[]
  /** Whether collections are served by plain REST as well. */
  readonly rest?: boolean
}
