import type { PreparedQuery, Store } from '../../storage/store.ts'

/** A statement that its first use prepares: handlers are made before the migration makes their tables. */
export function prepareOnce(store: Store, sql: () => string): () => PreparedQuery {
  let prepared: PreparedQuery | null = null
  return () => {
    prepared ??= store.prepare(sql())
    return prepared
  }
}
