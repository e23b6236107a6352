/** Queries that an app's config adds to those that are generated: what they are written as. */
import type { Kysely, SelectQueryBuilder } from 'kysely'
import type { z } from 'zod'

/** Parameters of a query that declares none: as the query string has them. */
export type UndeclaredParams = Readonly<Record<string, string | readonly string[]>>

/** What a schema makes of parameters. */
export type ParamsOf<S> = S extends z.ZodObject ? z.output<S> : UndeclaredParams

/** What a query of the config is given. */
export interface QueryContext<DB = any, P = any> {
  /** The tables of the index. */
  readonly db: Kysely<DB>
  readonly params: P
  /** Of the request. */
  readonly headers: { get(name: string): string | null | undefined }
  /** DID of the account on whose behalf a client in process calls; undefined for calls over HTTP. */
  readonly caller: string | undefined
}

/** What the queries of a config may state besides their handler. */
interface Stated<S> {
  /** For the lexicon and the client. */
  readonly description?: string
  /**
   * Parameters, as a zod object. Numbers, booleans and lists are read from the query string by their types; what does not
   * fit is a 400. Without it any parameter is taken, as text.
   */
  readonly params?: S
}

/**
 * A query `{namespace}.{collection}.{name}` that answers by itself.
 *
 * The handler gives what becomes JSON (an object, for the client to understand it), or a `Response`. An error with a
 * `status` from 400 to 499 and a name in `error`, such as `XrpcError`, is the answer to the request; any other is logged
 * and answered with 500.
 */
export interface CustomQuery<S = any, R = unknown> extends Stated<S> {
  readonly handler: (context: QueryContext<any, ParamsOf<S>>) => R
}

/** Narrows a list: adds conditions or joins, never a selection, order or limit. */
export type Narrow<DB = any, T extends keyof DB = any> = (
  list: SelectQueryBuilder<DB, T, {}>,
) => SelectQueryBuilder<any, any, {}>

/**
 * A query `{namespace}.{collection}.{name}` that lists records like `listRecords`, with all of its parameters, but fewer of
 * them: those that the function that the handler gives leaves in.
 */
export interface ListQuery<S = any> extends Stated<S> {
  readonly handler: (context: QueryContext<any, ParamsOf<S>>) => Narrow | Promise<Narrow>
}

/**
 * States a query that answers by itself; types the tables, the parameters and, in the client, the answer.
 *
 * @example
 * import { defineQuery, z } from 'lexidex'
 * import type { Database } from './src/lexidex/tables.js'
 *
 * const modes = defineQuery<Database>()({
 *   params: z.object({ since: z.iso.datetime().optional() }),
 *   handler: async ({ db }) => ({
 *     modes: await db.selectFrom('event').select(['mode', (eb) => eb.fn.countAll<number>().as('events')])
 *       .where('hidden', '=', 0).groupBy('mode').execute(),
 *   }),
 * })
 */
export function defineQuery<DB>() {
  return <R, S extends z.ZodObject | undefined = undefined>(
    query: Stated<S> & { readonly handler: (context: QueryContext<DB, ParamsOf<S>>) => R },
  ): CustomQuery<S, R> => query
}

/**
 * States a query that narrows the list of its collection, whose table is `T`.
 *
 * @example
 * const soon = defineListQuery<Database, 'event'>()({
 *   params: z.object({ days: z.number().int().max(365) }),
 *   handler: ({ params }) => {
 *     const now = Date.now() * 1000
 *     return (events) =>
 *       events.where('event.starts_at', '>=', now).where('event.starts_at', '<', now + params.days * 86_400_000_000)
 *   },
 * })
 */
export function defineListQuery<DB, T extends keyof DB>() {
  return <S extends z.ZodObject | undefined = undefined>(
    query: Stated<S> & {
      readonly handler: (context: QueryContext<DB, ParamsOf<S>>) => Narrow<DB, T> | Promise<Narrow<DB, T>>
    },
  ): ListQuery<S> => query as ListQuery<S>
}
