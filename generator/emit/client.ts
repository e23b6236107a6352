import type { CollectionModel, Method, Model } from '../model/types.ts'
import { render } from '../print/handlebars.ts'
import { symbols } from '../print/imports.ts'
import type { Artifact } from './artifact.ts'
import { doc, key, quote, sentences } from './code.ts'
import { emitNames, recordImport, titleOf } from './names.ts'
import { hydrateParams, listParamsOf, type ParamView } from './params.ts'
import { countDoc } from './tables.ts'

/** `client.ts`: the typed client, for browsers and everything else. */
export const client: Artifact = {
  emit: ({ model }) => [
    {
      kind: 'typescript',
      path: 'client.ts',
      body: render('client', {
        namespace: model.namespace,
        collections: model.collections.map((collection) => collectionView(collection, model)),
        methods: model.notify ? [notifyMethod(model)] : [],
      }),
      imports: [
        ...symbols(
          'lexidex/client',
          ['createXrpcClient'],
          ['CallOptions', 'ClientOptions', 'Cursor', 'Hydrated', 'ListParams', 'NotifyResult', 'Page', 'RecordView'],
        ),
        ...model.collections.map((collection) => recordImport(collection, 0)),
      ],
    },
  ],
}

function collectionView(collection: CollectionModel, model: Model) {
  const names = emitNames(collection)
  return {
    names,
    key: key(collection.name),
    doc: doc(titleOf(collection)),
    counts: collection.counts.map((count) => ({
      key: key(count.name),
      doc: doc(sentences(countDoc(collection, count.name), 'Absent where there are none'), '  '),
    })),
    hydration: hydrationOf(collection, model),
    params: collection.methods.map((method) => paramsView(collection, method, model)),
    methods: collection.methods.flatMap((method) =>
      method === 'listRecords' ? listMethods(collection, model) : getMethod(collection, model),
    ),
  }
}

function hydrationOf(collection: CollectionModel, model: Model): { key: string; type: string }[] {
  const view = (name: string) => emitNames(model.collections.find((c) => c.name === name)!).view
  return [
    ...collection.relations.map((relation) => {
      const item = `${view(relation.collection)}[]`
      const groups = relation.groups?.values.map((group) => `${key(group.name)}?: ${item}`)
      const type = groups === undefined ? item : `{ ${groups.join('; ')} }`
      return { key: relation.hydrateParam, type: `{ ${key(relation.name)}: ${type} }` }
    }),
    ...collection.references.map((reference) => ({
      key: reference.hydrateParam,
      type: `{ ${key(reference.name)}?: ${view(reference.collection)} }`,
    })),
  ]
}

function paramsView(collection: CollectionModel, method: Method, model: Model) {
  const names = emitNames(collection)
  const isList = method === 'listRecords'
  const params = isList ? listParamsOf(collection) : hydrateParams(collection)
  const uri = { doc: doc('URI of the record, with a DID or a handle.', '  '), key: 'uri', type: 'string' }
  return {
    type: isList ? names.listParamsType : names.getParamsType,
    doc: doc(`Parameters of \`${model.namespace}.${collection.name}.${method}\`.`),
    extends: isList ? ' extends ListParams' : '',
    fields: [...(isList ? [] : [uri]), ...params.map(paramField)],
  }
}

function paramField(param: ParamView) {
  return { doc: doc(param.description, '  '), key: `${param.name}?`, type: `${param.clientType} | undefined` }
}

function listMethods(collection: CollectionModel, model: Model) {
  const names = emitNames(collection)
  const nsid = quote(`${model.namespace}.${collection.name}.listRecords`)
  const item = `Hydrated<${names.view}, ${names.hydration}, P>`
  const signature = `<const P extends ${names.listParamsType} = {}>(params?: P, call?: CallOptions) =>\n        `
  return [
    {
      name: 'listRecords',
      doc: doc(`One page of \`${collection.nsid}\`.`, '      '),
      code: `${signature}xrpc.query<Page<${item}>>(${nsid}, params, call)`,
    },
    {
      name: 'iterate',
      doc: doc('Every record of the list, page after page.', '      '),
      code: `${signature}xrpc.iterate<${item}>(${nsid}, params, call)`,
    },
  ]
}

function getMethod(collection: CollectionModel, model: Model) {
  const names = emitNames(collection)
  const nsid = quote(`${model.namespace}.${collection.name}.getRecord`)
  const item = `Hydrated<${names.view}, ${names.hydration}, P>`
  return [
    {
      name: 'getRecord',
      doc: doc('One record. Throws an `XrpcClientError` with `RecordNotFound` where the index has none.', '      '),
      code: `<const P extends ${names.getParamsType}>(params: P, call?: CallOptions) =>\n        xrpc.query<${item}>(${nsid}, params, call)`,
    },
  ]
}

function notifyMethod(model: Model) {
  const nsid = quote(`${model.namespace}.notifyOfUpdate`)
  return {
    name: 'notifyOfUpdate',
    doc: doc(
      "Has records fetched from their author's PDS and indexed before it resolves. At most 25 URIs; what goes wrong with one of them is in `errors`.",
      '    ',
    ),
    code: `(uris: string | readonly string[], call?: CallOptions) =>\n      xrpc.procedure<NotifyResult>(${nsid}, { uris: [uris].flat() }, call)`,
  }
}
