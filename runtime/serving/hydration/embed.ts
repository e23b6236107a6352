import type { App } from '../../app.ts'
import type { CollectionDef } from '../../core/collection.ts'
import { invalidRequest } from '../../core/errors.ts'
import type { Store } from '../../storage/store.ts'
import type { AccountSource } from '../shared/actors.ts'
import { readsOf } from '../shared/answer.ts'
import type { EmbeddedColumn, Row } from '../shared/splice.ts'
import { createHydration, type HydrateParams } from './hydrate.ts'
import { createProfiles, type Profiles } from './profiles.ts'

/** Most records that are embedded in one answer. */
const MAX_EMBEDDED = 20_000

/** What an answer holds besides the records that were asked for. */
export interface Extras {
  /** To splice into the JSON of each row: properties with a comma in front of each. */
  readonly within: readonly string[]
  /** To splice in after them, in the same form. */
  readonly beside: string
}

/** Children, targets and profiles, as the parameters of a request ask for them. */
export interface Embed {
  /** Names of its parameters. */
  readonly params: readonly string[]
  /**
   * @param records how many records there may be
   * @throws XrpcError 400 where more than 20 000 records would be embedded in them, or some in what is not asked for
   */
  check(params: HydrateParams, records: number): void
  /** What may be asked for together with the rows; `extras` then finds it in them. */
  columns(params: HydrateParams): readonly EmbeddedColumn[]
  extras(rows: readonly Row[], params: HydrateParams): Promise<Extras>
  /** Whether anything but profiles is asked for: then rows need what points at it. */
  isHydrated(params: HydrateParams): boolean
  /** Tables that an answer with these parameters is read from. */
  reads(params: HydrateParams): readonly string[]
}

/** What the queries of an app embed, each collection's for all of its queries. */
export interface Embeds {
  /** Null where the app has none. */
  readonly profiles: Profiles | null
  of(collection: CollectionDef): Embed
}

/** @param accounts fetches profiles that are missing; without it they stay so */
export function createEmbeds(app: App, store: Store, accounts?: AccountSource): Embeds {
  const profiles = app.profiles === undefined ? null : createProfiles(store, app.profiles, accounts)
  const made = new Map(app.collections.map((def) => [def.name, createEmbed(store, app, def, profiles)]))
  return { profiles, of: ({ name }) => made.get(name)! }
}

function createEmbed(
  store: Store,
  app: Pick<App, 'collections'>,
  collection: CollectionDef,
  profiles: Profiles | null,
): Embed {
  const hydration = createHydration(store, collection, app.collections)
  const { plain, hydrated } = readsOf(collection, app.collections)
  const withProfiles = (tables: readonly string[]) => [...new Set([...tables, ...(profiles?.reads ?? [])])]
  const isHydrated = (params: HydrateParams) => hydration.params.some((name) => Number(params[name] ?? 0) > 0)
  const reads = { plain, hydrated, plainProfiles: withProfiles(plain), hydratedProfiles: withProfiles(hydrated) }
  return {
    params: [...hydration.params, ...(profiles === null ? [] : ['profiles'])],
    check(params, records) {
      const most = records * hydration.most(params)
      if (most <= MAX_EMBEDDED) return
      const asked = hydration.params.filter((name) => Number(params[name] ?? 0) > 0)
      throw invalidRequest(
        `${most} records might be embedded in one answer; the most is ${MAX_EMBEDDED}. Lower "limit", ${asked.map((name) => `"${name}"`).join(' or ')}.`,
      )
    },
    // Profiles need to know who wrote what is embedded.
    columns: (params) => (params.profiles === true ? [] : hydration.columns(params)),
    async extras(rows, params) {
      if (profiles === null || params.profiles !== true) {
        return { within: await hydration.embed(rows, params), beside: '' }
      }
      const authors = new Set(rows.map((row) => row.did as string))
      const within = await hydration.embed(rows, params, authors)
      return { within, beside: `,"profiles":${await profiles.of(authors)}` }
    },
    isHydrated,
    reads(params) {
      if (params.profiles !== true) return isHydrated(params) ? reads.hydrated : reads.plain
      return isHydrated(params) ? reads.hydratedProfiles : reads.plainProfiles
    },
  }
}
