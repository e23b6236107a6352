import type { SelectQueryBuilder } from 'kysely'
import type { z } from 'zod'
import type { CollectionDef } from '../core/collection.ts'

/** A select over one table, to which emitted code adds the filters that a request asks for. */
export type Query<DB, T extends keyof DB> = SelectQueryBuilder<DB, T, {}>

/**
 * `{ns}.{collection}.listRecords`.
 *
 * `where` runs once per shape (the set of parameters present), not once per request: it may ask
 * whether a parameter is there, never what it is.
 */
export interface ListDef<P extends z.ZodObject = z.ZodObject> {
  readonly kind: 'list'
  readonly nsid: string
  readonly collection: CollectionDef
  readonly params: P
  /** Values of `sort`, and the column of each. Time is the default and has no name. */
  readonly sorts: Readonly<Record<string, string>>
  readonly where: (query: Query<any, any>, params: any) => Query<any, any>
}

/** `{ns}.{collection}.getRecord`. */
export interface GetDef<P extends z.ZodObject = z.ZodObject> {
  readonly kind: 'get'
  readonly nsid: string
  readonly collection: CollectionDef
  readonly params: P
}

export type MethodDef = ListDef<any> | GetDef<any>

/** States a listRecords method. */
export function defineList<DB, T extends keyof DB, P extends z.ZodObject>(def: {
  nsid: string
  collection: CollectionDef
  params: P
  sorts: Readonly<Record<string, string>>
  where: (query: Query<DB, T>, params: z.output<P>) => Query<DB, T>
}): ListDef<P> {
  return { kind: 'list', ...def } as unknown as ListDef<P>
}

/** States a getRecord method. */
export function defineGet<P extends z.ZodObject>(def: {
  nsid: string
  collection: CollectionDef
  params: P
}): GetDef<P> {
  return { kind: 'get', ...def }
}
