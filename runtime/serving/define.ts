import type { SelectQueryBuilder } from 'kysely'
import type { z } from 'zod'
import type { CollectionDef } from '../core/collection.ts'
import type { CustomQuery, ListQuery } from '../core/custom-query.ts'
import { LexidexError } from '../core/errors.ts'
import type { Filter } from './params/filters.ts'

/** A select over one table, to which emitted code adds the filters that a request asks for. */
export type Query<DB, T extends keyof DB> = SelectQueryBuilder<DB, T, {}>

/** `{ns}.{collection}.listRecords`. */
export interface ListDef<P extends z.ZodObject = z.ZodObject> {
  readonly kind: 'list'
  readonly nsid: string
  readonly collection: CollectionDef
  readonly params: P
  /** What each parameter that narrows the list does, beside those of every list. */
  readonly filters: Readonly<Record<string, Filter>>
  /** Values of `sort`, and the column of each. `relevance` is the search's own. */
  readonly sorts: Readonly<Record<string, string>>
  /** What narrows it further: statements are then made for one request, and hold its values. */
  readonly narrow?: (query: Query<any, any>) => Query<any, any>
}

/** `{ns}.{collection}.getRecord`. */
export interface GetDef<P extends z.ZodObject = z.ZodObject> {
  readonly kind: 'get'
  readonly nsid: string
  readonly collection: CollectionDef
  readonly params: P
}

/** A query of the config that answers by itself. */
export interface CustomDef {
  readonly kind: 'custom'
  readonly nsid: string
  readonly collection: CollectionDef
  readonly query: CustomQuery
}

/** A list of the config: another one, narrowed. */
export interface NarrowedDef {
  readonly kind: 'narrowed'
  readonly nsid: string
  readonly list: ListDef
  readonly query: ListQuery
}

export type MethodDef = ListDef<any> | GetDef<any> | CustomDef | NarrowedDef

/**
 * States a listRecords method; `T` is the table of its collection, whose columns filters and sorts name.
 *
 * @example
 * defineList<EventTable>()({
 *   nsid: 'com.example.event.listRecords',
 *   collection: event,
 *   params: z.strictObject({ ...listParams, mode: many(z.string()), startsAtMin: datetimeParam() }),
 *   filters: { mode: { anyOf: 'mode' }, startsAtMin: { min: 'starts_at' } },
 *   sorts: { startsAt: 'starts_at' },
 * })
 */
export function defineList<T>() {
  type Column = keyof T & string
  return <P extends z.ZodObject>(def: {
    nsid: string
    collection: CollectionDef
    params: P
    filters: { readonly [Name in keyof P['shape']]?: Filter<Column> }
    sorts: Readonly<Record<string, Column>>
  }): ListDef<P> => ({ kind: 'list', ...def }) as unknown as ListDef<P>
}

/** States a getRecord method. */
export function defineGet<P extends z.ZodObject>(def: {
  nsid: string
  collection: CollectionDef
  params: P
}): GetDef<P> {
  return { kind: 'get', ...def }
}

/** States a query of the config that answers by itself. `query` is undefined where the config has lost it since. */
export function defineCustomQuery(def: {
  nsid: string
  collection: CollectionDef
  query: CustomQuery | CustomQuery['handler'] | undefined
}): CustomDef {
  return { kind: 'custom', ...def, query: written<CustomQuery>(def.nsid, def.query) }
}

/** States a list of the config. `query` is undefined where the config has lost it since. */
export function defineNarrowedList(def: {
  nsid: string
  list: ListDef<any>
  query: ListQuery | ListQuery['handler'] | undefined
}): NarrowedDef {
  return { kind: 'narrowed', ...def, query: written<ListQuery>(def.nsid, def.query) }
}

/** A query as an object, from the short form too. */
function written<Q extends CustomQuery | ListQuery>(nsid: string, query: Q | Q['handler'] | undefined): Q {
  if (query === undefined) {
    throw new LexidexError(`The config has no query for ${nsid}`, { hint: 'Run `npx lexidex generate` again.' })
  }
  return typeof query === 'function' ? ({ handler: query } as Q) : query
}
