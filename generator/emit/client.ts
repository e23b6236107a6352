import type { CollectionModel, Model } from '../model/types.ts'
import { render } from '../print/handlebars.ts'
import { symbols } from '../print/imports.ts'
import type { Artifact } from './artifact.ts'
import { pageOf, renderTypes, withProfiles } from './client-types.ts'
import { doc, key, quote } from './code.ts'
import { emitNames, recordImport } from './names.ts'
import { configTypeImport, queryMethods } from './queries.ts'

/** `client.ts`: the typed client, for browsers and everything else. */
export const client: Artifact = {
  emit: ({ model, configImport }) => [
    {
      kind: 'typescript',
      path: 'client.ts',
      body: `${renderTypes(model).trimEnd()}\n\n${renderCalls(model)}`,
      imports: [
        ...symbols(
          'lexidex/client',
          ['createXrpcClient'],
          [
            ...['CallOptions', 'ClientOptions', 'Cursor', 'Hydrated', 'ListParams', 'Nested', 'NoProfile', 'Overview'],
            ...['NotifyResult', 'Page', 'Profile', 'QueryParams', 'QueryResult', 'RecordView'],
          ],
        ),
        ...model.collections.map((collection) => recordImport(collection, 0)),
        ...configTypeImport(model, configImport()),
      ],
    },
  ],
}

function renderCalls(model: Model): string {
  return render('client', {
    namespace: model.namespace,
    collections: model.collections.map((collection) => collectionView(collection, model)),
    methods: [
      ...(model.profiles === undefined ? [] : [profileMethod(model)]),
      ...(model.notify ? [notifyMethod(model)] : []),
    ],
  })
}

function collectionView(collection: CollectionModel, model: Model) {
  return {
    key: key(collection.name),
    methods: [
      ...collection.methods.flatMap((method) =>
        method === 'listRecords' ? listMethods(collection, model) : getMethod(collection, model),
      ),
      ...queryMethods(collection, model),
    ],
  }
}

function profileMethod(model: Model) {
  const nsid = quote(`${model.namespace}.getProfile`)
  return {
    name: 'getProfile',
    doc: doc(
      'The profiles of an account, by DID or handle. Throws an `XrpcClientError` with `ProfileNotFound` where it has none.',
      '    ',
    ),
    code: `(params: { actor: string }, call?: CallOptions) =>\n      xrpc.query<{ profiles: ProfileEntry[] }>(${nsid}, params, call)`,
  }
}

function listMethods(collection: CollectionModel, model: Model) {
  const names = emitNames(collection)
  const nsid = quote(`${model.namespace}.${collection.name}.listRecords`)
  const item = `${names.hydrated}<P>`
  const signature = `<const P extends ${names.listParamsType} = {}>(params?: P, call?: CallOptions) =>\n        `
  return [
    {
      name: 'listRecords',
      doc: doc(`One page of \`${collection.nsid}\`.`, '      '),
      code: `${signature}xrpc.query<${pageOf(collection, model)}>(${nsid}, params, call)`,
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
  const item = `${names.hydrated}<P>`
  return [
    {
      name: 'getRecord',
      doc: doc('One record. Throws an `XrpcClientError` with `RecordNotFound` where the index has none.', '      '),
      code: `<const P extends ${names.getParamsType}>(params: P, call?: CallOptions) =>\n        xrpc.query<${withProfiles(item, model)}>(${nsid}, params, call)`,
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
