import type { CollectionModel, Model } from '../model/types.ts'
import { render } from '../print/handlebars.ts'
import type { Artifact } from './artifact.ts'
import { oneLine, sentences } from './code.ts'
import { hydrateParams } from './hydrate-params.ts'
import { listParamsOf, type ParamView } from './params.ts'
import { countDoc } from './tables.ts'

type Json = Record<string, unknown>

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
          documents: documents.map((document) => JSON.stringify(document, null, 2)),
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
    ]),
    cursorLexicon(model),
    ...(model.profiles === undefined ? [] : [profileLexicon(model)]),
    lexiconsLexicon(model),
    ...(model.notify ? [notifyLexicon(model)] : []),
  ]
  return documents.sort((a, b) => (String(a.id) < String(b.id) ? -1 : 1))
}

function document(id: string, defs: Json): Json {
  return { lexicon: 1, id, defs }
}

function view(name: string, model: Model): string {
  return `${model.namespace}.${name}.defs#view`
}

function string(description: string, format?: string): Json {
  return format === undefined ? { type: 'string', description } : { type: 'string', format, description }
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
  }
  for (const count of collection.counts) {
    properties[count.name] = {
      type: 'integer',
      description: sentences(countDoc(collection, count.name), 'Absent where there are none'),
    }
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
    properties[reference.name] = { type: 'ref', ref: view(reference.collection, model) }
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

function params(views: readonly ParamView[], base: Json, required: string[] = []): Json {
  const properties: Json = { ...base }
  for (const { name, lexicon, description } of views) properties[name] = { ...lexicon, description }
  return required.length === 0 ? { type: 'params', properties } : { type: 'params', required, properties }
}

function output(schema: Json): Json {
  return { encoding: 'application/json', schema }
}

function listLexicon(collection: CollectionModel, model: Model): Json {
  const base: Json = {
    limit: { type: 'integer', minimum: 1, maximum: 200, default: 50, description: 'Most records in one page.' },
    cursor: string('Where the last page ended.'),
    order: { type: 'string', enum: ['asc', 'desc'], description: 'Direction of the order.' },
    did: string('Records of this account only.', 'did'),
    actor: string('Records of this account only, by DID or handle.', 'at-identifier'),
  }
  return document(`${model.namespace}.${collection.name}.listRecords`, {
    main: {
      type: 'query',
      description: `Lists \`${collection.nsid}\` records.`,
      parameters: params(listParamsOf(collection, model), base),
      output: output({
        type: 'object',
        required: ['records'],
        properties: {
          records: { type: 'array', items: { type: 'ref', ref: view(collection.name, model) } },
          cursor: string('Where this page ended. Absent on the last page.'),
          ...(model.profiles === undefined ? {} : { profiles: profiles(model, 'On demand.') }),
        },
      }),
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

function profiles(model: Model, when: string): Json {
  return {
    type: 'array',
    items: { type: 'ref', ref: `${model.namespace}.getProfile#entry` },
    description: sentences('Profiles of the authors of all that is returned', when),
  }
}

function profileLexicon(model: Model): Json {
  const nsids = model.profiles!.map(({ collection }) => model.collections.find(({ name }) => name === collection)!.nsid)
  return document(`${model.namespace}.getProfile`, {
    main: {
      type: 'query',
      description: 'Gets the profiles of an account.',
      parameters: {
        type: 'params',
        required: ['actor'],
        properties: { actor: string('The account, by DID or handle.', 'at-identifier') },
      },
      output: output({
        type: 'object',
        required: ['profiles'],
        properties: { profiles: { type: 'array', items: { type: 'ref', ref: '#entry' } } },
      }),
      errors: [{ name: 'ProfileNotFound', description: 'The account has no profile.' }],
    },
    entry: {
      type: 'object',
      description: 'A profile; of an account without one, only who it is.',
      required: ['did'],
      properties: {
        did: string('Whose profile it is.', 'did'),
        handle: string('Its handle, where it is known and leads back to the account.', 'handle'),
        uri: string('Where the record is.', 'at-uri'),
        cid: string('Hash of this version of the record.', 'cid'),
        value: { type: 'unknown', description: `The record, a ${nsids.map((nsid) => `\`${nsid}\``).join(' or ')}.` },
        collection: string('Type of the record.', 'nsid'),
        rkey: string('Key of the record in its collection.', 'record-key'),
        time_us: { type: 'integer', description: 'When the record was made, in µs since 1970.' },
      },
    },
  })
}

function cursorLexicon(model: Model): Json {
  return document(`${model.namespace}.getCursor`, {
    main: {
      type: 'query',
      description: 'How far the index has read the stream.',
      output: output({
        type: 'object',
        properties: {
          time_us: { type: 'integer', description: 'Time of the last event applied, in µs since 1970.' },
          date: string('The same, as text.', 'datetime'),
          seconds_ago: { type: 'integer', description: 'The same, before now.' },
        },
      }),
    },
  })
}

function lexiconsLexicon(model: Model): Json {
  return document(`${model.namespace}.lexicons`, {
    main: {
      type: 'query',
      description: 'The lexicons of the methods of this index.',
      output: output({
        type: 'object',
        required: ['lexicons'],
        properties: { lexicons: { type: 'array', items: { type: 'unknown' } } },
      }),
    },
  })
}

function notifyLexicon(model: Model): Json {
  return document(`${model.namespace}.notifyOfUpdate`, {
    main: {
      type: 'procedure',
      description: "Has records fetched from their author's PDS and indexed before it answers.",
      input: {
        encoding: 'application/json',
        schema: {
          type: 'object',
          description: 'One of the two.',
          properties: {
            uri: string('A record that was created, updated or deleted.', 'at-uri'),
            uris: {
              type: 'array',
              maxLength: 25,
              items: { type: 'string', format: 'at-uri' },
              description: 'Several of them.',
            },
          },
        },
      },
      output: output({
        type: 'object',
        required: ['indexed', 'deleted'],
        properties: {
          indexed: { type: 'integer', description: 'Records that are indexed as they are now.' },
          deleted: { type: 'integer', description: 'Records that do not exist at the PDS, nor in the index.' },
          errors: {
            type: 'array',
            items: { type: 'ref', ref: '#error' },
            description: 'What went wrong; absent where nothing did.',
          },
        },
      }),
      errors: [{ name: 'unauthorized', description: 'The method needs credentials, and these are none.' }],
    },
    error: {
      type: 'object',
      required: ['uri', 'message'],
      properties: { uri: string('As it was given.'), message: string('What went wrong with it.') },
    },
  })
}
