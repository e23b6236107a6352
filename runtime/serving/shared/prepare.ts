import type { Compilable } from 'kysely'
import type { MaybePromise, PreparedQuery, Store } from '../../storage/store.ts'
import { bind, type Values } from './slots.ts'
import type { Row } from './splice.ts'

/** A statement that its first use prepares: handlers are made before the migration makes their tables. */
export function prepareOnce(store: Store, sql: () => string): () => PreparedQuery {
  let prepared: PreparedQuery | null = null
  return () => {
    prepared ??= store.prepare(sql())
    return prepared
  }
}

/** A prepared statement that takes its values by name. */
export interface Statement {
  all(values: Values): MaybePromise<readonly Row[]>
}

/** @param query with slots in the place of its values */
export function prepareQuery(store: Store, query: Compilable): Statement {
  const { sql, parameters } = query.compile()
  const prepared = store.prepare(sql)
  return { all: (values) => prepared.all(bind(parameters, values)) }
}
