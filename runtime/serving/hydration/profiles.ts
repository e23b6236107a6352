import { makeAtUri } from '../../core/at-uri.ts'
import type { ProfileDef } from '../../core/collection.ts'
import type { Store } from '../../storage/store.ts'
import type { AccountSource } from '../shared/actors.ts'
import { ACCOUNTS } from '../shared/answer.ts'
import { prepareOnce } from '../shared/prepare.ts'

/** Profiles of accounts, as JSON. */
export interface Profiles {
  /** Tables that they are read from. */
  readonly reads: readonly string[]
  /**
   * An entry per account and kind of profile that it has, in the order given; only DID and handle of an account that has
   * none. What the index lacks is fetched in the background, for the next request.
   *
   * @returns a JSON array
   */
  of(dids: ReadonlySet<string>): Promise<string>
  /** The same of one account: where its records were never fetched, that is tried first, for 3 s at most. Null where there is none. */
  ofAccount(did: string): Promise<AccountProfiles | null>
}

export interface AccountProfiles {
  /** A JSON array. */
  readonly json: string
  /** Whether the index alone had them. */
  readonly settled: boolean
}

/** @param accounts fetches profiles that are missing; without it they stay so */
export function createProfiles(store: Store, defs: readonly ProfileDef[], accounts?: AccountSource): Profiles {
  const handles = prepareOnce(store, () => store.reads.handlesOf())
  const kinds = defs.map(({ collection, rkey }) => ({
    uriOf: (did: string) => makeAtUri(did, collection.nsid, rkey),
    query: prepareOnce(store, () => store.reads.recordsByKey(collection, 'uri', [])),
  }))

  /** Entries of accounts that have profiles, and the URIs of profiles that are not in the index. */
  async function read(dids: ReadonlySet<string>) {
    const handleOf = new Map<string, string>()
    // At once, as what is hydrated.
    const [named, ...found] = await Promise.all([
      handles().all([JSON.stringify([...dids])]),
      ...kinds.map(async ({ uriOf, query }) => {
        const didOf = new Map([...dids].map((did) => [uriOf(did), did]))
        return { didOf, rows: await query().all([JSON.stringify([...didOf.keys()])]) }
      }),
    ])
    for (const { did, handle } of named) handleOf.set(did, `,"handle":${JSON.stringify(handle)}`)
    const missing: string[] = []
    const entries = new Map([...dids].map((did) => [did, [] as string[]]))
    for (const { didOf, rows } of found) {
      for (const { lexidex_key: uri, entry } of rows) {
        const did = didOf.get(uri)!
        if (entry === null) missing.push(uri)
        else entries.get(did)!.push(`${entry}${handleOf.get(did) ?? ''}}`)
      }
    }
    return { entries, missing, handleOf }
  }

  return {
    reads: [...defs.map(({ collection }) => collection.table), ACCOUNTS],
    async of(dids) {
      if (dids.size === 0) return '[]'
      const { entries, missing, handleOf } = await read(dids)
      if (missing.length > 0) accounts?.fetchMissing(missing)
      const all = [...entries].flatMap(([did, own]) =>
        own.length > 0 ? own : `{"did":"${did}"${handleOf.get(did) ?? ''}}`,
      )
      return `[${all.join(',')}]`
    },
    async ofAccount(did) {
      const dids = new Set([did])
      let { entries, missing } = await read(dids)
      if (missing.length > 0 && accounts !== undefined) {
        await Promise.all(defs.map(({ collection }) => accounts.prepare(did, collection.nsid)))
        entries = (await read(dids)).entries
      }
      const own = entries.get(did)!
      return own.length === 0 ? null : { json: `[${own.join(',')}]`, settled: missing.length === 0 }
    },
  }
}
