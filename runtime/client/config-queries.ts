/** Types of the queries that a config adds, taken from the type of the config. */

/** What `defineConfig` remembers of the queries of each collection. */
interface Remembered {
  readonly '~queries'?: unknown
}

/** The query `Name` of the collection `Short`; `unknown` where the type of the config does not say. */
type QueryOf<C, Short extends string, Name extends string> = C extends Remembered
  ? NonNullable<C['~queries']> extends { readonly [S in Short]: { readonly [N in Name]: infer Q } }
    ? Q
    : unknown
  : unknown

type Value = string | number | boolean | readonly (string | number | boolean)[] | undefined

/** Parameters of a query of the config. */
export type QueryParams<C, Short extends string, Name extends string> =
  QueryOf<C, Short, Name> extends { readonly params?: infer S }
    ? NonNullable<S> extends { readonly _zod: { readonly input: infer P } }
      ? P
      : Readonly<Record<string, Value>>
    : Readonly<Record<string, Value>>

/** What a query of the config answers; `unknown` where it gives a `Response`. */
export type QueryResult<C, Short extends string, Name extends string> =
  QueryOf<C, Short, Name> extends { readonly handler: (...args: any[]) => infer R } | ((...args: any[]) => infer R)
    ? [Exclude<Awaited<R>, Response>] extends [never]
      ? unknown
      : Exclude<Awaited<R>, Response>
    : unknown
