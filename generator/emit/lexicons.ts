import type { CollectionModel, Model, QueryModel } from '../model/types.ts'
import { render } from '../print/handlebars.ts'
import type { Artifact } from './artifact.ts'
import { oneLine, sentences } from './code.ts'
import { hydrateParams } from './hydrate-params.ts'
import { counts, document, type Json, output, params, profiles, string, view } from './lexicon-parts.ts'
import { listParamsOf } from './params.ts'
import { permissionSetLexicon } from './permission-set.ts'
import { queriesOf, queryNsid, queryParamsLexicon } from './queries.ts'
import { serviceLexicons } from './service-lexicons.ts'

/** `lexicons/**`: the lexicons of this index's own methods, and the same as data. */
export const lexicons: Artifact = {
  emit: ({ model }) => {
    const documents = methodLexicons(model)
    return [
      ...documents.map((document) => ({
        kind: 'json' as const,
        path: `lexicons/${String(document.id).replaceAll('.', '/')}.json`,
        value: document,
      })),
      {
        kind: 'typescript',
        path: 'lexicons/index.ts',
        body: render('lexicons', {
          namespace: model.namespace,
          documents: documents.map((document) => JSON.stringify(document, null, 2).replaceAll('\n', '\n  ')),
        }),
        imports: [],
      },
    ]
  },
}

/** Lexicon documents of every method, sorted by NSID. */
export function methodLexicons(model: Model): Json[] {
  const documents = [
    ...model.collections.flatMap((collection) => [
      viewLexicon(collection, model),
      ...collection.methods.map((method) =>
        method === 'listRecords' ? listLexicon(collection, model) : getLexicon(collection, model),
      ),
      ...queriesOf(collection).map((query) => queryLexicon(collection, query, model)),
    ]),
    ...serviceLexicons(model),
  ]
  if (model.permissionSet !== undefined) documents.push(permissionSetLexicon(model, model.permissionSet, documents))
  return documents.sort((a, b) => (String(a.id) < String(b.id) ? -1 : 1))
}

function viewLexicon(collection: CollectionModel, model: Model): Json {
  const properties: Json = {
    uri: string('Where the record is.', 'at-uri'),
    cid: string('Hash of this version of the record.', 'cid'),
    value: { type: 'unknown', description: `The record, a \`${collection.nsid}\`.` },
    did: string('Whose record it is.', 'did'),
    collection: string('Type of the record.', 'nsid'),
    rkey: string('Key of the record in its collection.', 'record-key'),
    time_us: {
      type: 'integer',
      description: 'When the record was made, in µs since 1970; never later than it was indexed.',
    },
    ...counts(collection),
  }
  const defs: Json = {}
  for (const relation of collection.relations) {
    const items = { type: 'array', items: { type: 'ref', ref: view(relation.collection, model) } }
    if (relation.groups === null) {
      properties[relation.name] = { ...items, description: `The newest \`${relation.name}\`, on demand.` }
      continue
    }
    properties[relation.name] = { type: 'ref', ref: `#${relation.name}` }
    defs[relation.name] = {
      type: 'object',
      description: `The newest \`${relation.name}\` of each group, on demand.`,
      properties: Object.fromEntries(relation.groups.values.map(({ name }) => [name, items])),
    }
  }
  for (const reference of collection.references) {
    properties[reference.name] = {
      type: 'ref',
      ref: view(reference.collection, model),
      description: `The \`${reference.collection}\` that it points at, on demand.`,
    }
  }
  if (model.profiles !== undefined && collection.methods.includes('getRecord')) {
    properties.profiles = profiles(model, 'On demand, where the record was asked for by itself.')
  }
  const required = ['uri', 'cid', 'value', 'did', 'collection', 'rkey', 'time_us']
  const description = sentences(
    oneLine(collection.description) || `A \`${collection.nsid}\``,
    'As this index returns it',
  )
  return document(`${model.namespace}.${collection.name}.defs`, {
    view: { type: 'object', description, required, properties },
    ...defs,
  })
}

function listLexicon(collection: CollectionModel, model: Model): Json {
  return document(`${model.namespace}.${collection.name}.listRecords`, {
    main: {
      type: 'query',
      description: `Lists \`${collection.nsid}\` records.`,
      parameters: params(listParamsOf(collection, model), LIST_PARAMS),
      output: pageOf(collection, model),
    },
  })
}

const LIST_PARAMS: Json = {
  limit: { type: 'integer', minimum: 1, maximum: 200, default: 50, description: 'Most records in one page.' },
  cursor: string('Where the last page ended.'),
  order: { type: 'string', enum: ['asc', 'desc'], description: 'Direction of the order.' },
  did: string('Records of this account only.', 'did'),
  actor: string('Records of this account only, by DID or handle.', 'at-identifier'),
  createdAtMin: string('Made at or after; `time_us` is what counts.', 'datetime'),
  createdAtMax: string('Made at or before; `time_us` is what counts.', 'datetime'),
  indexedAtMin: string('First seen by this index at or after.', 'datetime'),
  indexedAtMax: string('First seen by this index at or before.', 'datetime'),
}

function pageOf(collection: CollectionModel, model: Model): Json {
  return output({
    type: 'object',
    required: ['records'],
    properties: {
      records: { type: 'array', items: { type: 'ref', ref: view(collection.name, model) } },
      cursor: string('Where this page ended. Absent on the last page.'),
      ...(model.profiles === undefined ? {} : { profiles: profiles(model, 'On demand.') }),
    },
  })
}

/** Of a query of the config: as far as it says what it takes. */
function queryLexicon(collection: CollectionModel, query: QueryModel, model: Model): Json {
  const isList = query.kind === 'list'
  const own = query.params === null ? null : queryParamsLexicon(query.params)
  const base = isList ? params(listParamsOf(collection, model), LIST_PARAMS) : params([], {})
  const parameters = {
    type: 'params',
    ...(own !== null && own.required.length > 0 && { required: own.required }),
    properties: { ...(base.properties as Json), ...own?.properties },
  }
  const description = isList
    ? sentences(query.description || `Lists some of the \`${collection.nsid}\` records`)
    : sentences(query.description)
  return document(queryNsid(collection, query, model), {
    main: {
      type: 'query',
      ...(description !== '' && { description }),
      ...((isList || own !== null) && { parameters }),
      output: isList ? pageOf(collection, model) : { encoding: 'application/json' },
    },
  })
}

function getLexicon(collection: CollectionModel, model: Model): Json {
  const base: Json = { uri: string('Where the record is.', 'at-uri') }
  return document(`${model.namespace}.${collection.name}.getRecord`, {
    main: {
      type: 'query',
      description: `Gets one \`${collection.nsid}\` record.`,
      parameters: params(hydrateParams(collection, model), base, ['uri']),
      output: output({ type: 'ref', ref: view(collection.name, model) }),
      errors: [{ name: 'RecordNotFound', description: 'The index has no such record.' }],
    },
  })
}
