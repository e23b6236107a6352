import type { CollectionDef } from '../../core/collection.ts'

/** What a query came to. */
export interface Answered {
  /** JSON text, or the same as UTF-8. */
  readonly body: string | Uint8Array
  /**
   * Tables that the answer was read from: as long as nothing is written to them, the same URL has the same answer. Null
   * where it depends on more than that, as on the network or on who asks: then it is given once.
   */
  readonly reads: readonly string[] | null
}

/** Answers a query string, without the leading `?`. Throws `XrpcError` where the query is at fault. */
export type Answer = (query: string) => Promise<Answered>

/** Where handles are looked up, so that every answer by handle depends on it. */
export const ACCOUNTS = 'lexidex_account'

/** Tables that an answer with records of one collection is read from. Counts are in the table of their parent. */
export interface Reads {
  readonly plain: readonly string[]
  /** The same with whatever can be embedded, in one step or several. */
  readonly hydrated: readonly string[]
}

/** @param collections All of the app */
export function readsOf(collection: CollectionDef, collections: readonly CollectionDef[]): Reads {
  const reached = new Set([collection.name])
  for (const name of reached) {
    const { relations, references } = collections.find((candidate) => candidate.name === name)!
    for (const { collection: other } of [...Object.values(relations), ...Object.values(references)]) reached.add(other)
  }
  const tables = collections.filter(({ name }) => reached.has(name)).map(({ table }) => table)
  return { plain: [collection.table, ACCOUNTS], hydrated: [...tables, ACCOUNTS] }
}
