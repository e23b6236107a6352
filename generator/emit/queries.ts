import { queryConstant } from '../model/names.ts'
import type { CollectionModel, Model, QueryModel, QueryParamModel } from '../model/types.ts'
import type { ImportSymbol } from '../print/imports.ts'
import { pageOf } from './client-types.ts'
import { doc, key, quote, sentences } from './code.ts'
import type { Json } from './lexicon-parts.ts'
import { emitNames } from './names.ts'

/** Queries that the config adds to a collection. */
export function queriesOf(collection: CollectionModel): readonly QueryModel[] {
  return collection.queries ?? []
}

/** Constants of a collection's queries, in the order of their names. */
export function queryConstants(collection: CollectionModel): string[] {
  return queriesOf(collection).map(({ name }) => queryConstant(collection.name, name))
}

export function queryNsid(collection: CollectionModel, query: QueryModel, model: Model): string {
  return `${model.namespace}.${collection.name}.${query.name}`
}

/** Statements of `collections/<name>.ts`. */
export function queryViews(collection: CollectionModel, model: Model) {
  return queriesOf(collection).map((query) => {
    const nsid = queryNsid(collection, query, model)
    const kept = query.kind === 'custom' ? 'queries' : 'pipelineQueries'
    const { constant, list } = emitNames(collection)
    return {
      doc: doc(sentences(`\`${nsid}\`, of the config`, query.description)),
      constant: queryConstant(collection.name, query.name),
      define: query.kind === 'custom' ? 'defineCustomQuery' : 'defineNarrowedList',
      properties: [
        { key: 'nsid', value: quote(nsid) },
        query.kind === 'custom' ? { key: 'collection', value: constant } : { key: 'list', value: list },
        { key: 'query', value: `config.collections[${quote(collection.name)}]?.${kept}?.[${quote(query.name)}]` },
      ],
    }
  })
}

/** Methods of the client. */
export function queryMethods(collection: CollectionModel, model: Model) {
  return queriesOf(collection).map((query) => {
    const type = (of: string) => `${of}<typeof config, ${quote(collection.name)}, ${quote(query.name)}>`
    const nsid = quote(queryNsid(collection, query, model))
    const needed = (query.params ?? []).some(({ required }) => required)
    return {
      name: key(query.name),
      doc: doc(
        query.description === '' ? `\`${queryNsid(collection, query, model)}\`` : sentences(query.description),
        '      ',
      ),
      code:
        query.kind === 'custom'
          ? `(params${needed ? '' : '?'}: ${type('QueryParams')}, call?: CallOptions) =>
        xrpc.query<${type('QueryResult')}>(${nsid}, params, call)`
          : narrowedMethod(collection, model, nsid, type('QueryParams'), needed),
    }
  })
}

function narrowedMethod(collection: CollectionModel, model: Model, nsid: string, own: string, needed: boolean): string {
  const { listParamsType } = emitNames(collection)
  const [initial, optional] = needed ? ['', ''] : [' = {}', '?']
  return `<const P extends ${listParamsType} & ${own}${initial}>(
        params${optional}: P,
        call?: CallOptions,
      ) => xrpc.query<${pageOf(collection, model)}>(${nsid}, params, call)`
}

/** The type of the config, for the client: nothing of it is there at run time. */
export function configTypeImport(model: Model, from: string): ImportSymbol[] {
  const isNeeded = model.collections.some((collection) => queriesOf(collection).length > 0)
  return isNeeded ? [{ from, name: 'default', as: 'config', type: true }] : []
}

/** Parameters of a query in its lexicon. Lexicons have no fractions: those are strings there. */
export function queryParamsLexicon(params: readonly QueryParamModel[]): { properties: Json; required: string[] } {
  const properties = params.map((param): [string, Json] => {
    const { type, values, minimum, maximum } = param
    const item: Json = {
      type: type === 'number' ? 'string' : type,
      ...(values.length > 0 && { enum: values }),
      ...(minimum !== undefined && { minimum }),
      ...(maximum !== undefined && { maximum }),
    }
    const description = sentences(param.description, type === 'number' ? 'A number' : '')
    const schema = param.list ? { type: 'array', items: item } : item
    return [param.name, description === '' ? schema : { ...schema, description }]
  })
  return {
    properties: Object.fromEntries(properties),
    required: params.filter(({ required }) => required).map(({ name }) => name),
  }
}
