import type { Model } from '../model/types.ts'
import { counts, document, type Json, output, string } from './lexicon-parts.ts'

/** Lexicons of the methods that belong to no collection. */
export function serviceLexicons(model: Model): Json[] {
  return [
    cursorLexicon(model),
    overviewLexicon(model),
    ...(model.profiles === undefined ? [] : [profileLexicon(model)]),
    lexiconsLexicon(model),
    ...(model.notify ? [notifyLexicon(model)] : []),
  ]
}

function profileLexicon(model: Model): Json {
  const collections = model.profiles!.map(
    ({ collection }) => model.collections.find(({ name }) => name === collection)!,
  )
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
        value: {
          type: 'unknown',
          description: `The record, a ${collections.map(({ nsid }) => `\`${nsid}\``).join(' or ')}.`,
        },
        collection: string('Type of the record.', 'nsid'),
        rkey: string('Key of the record in its collection.', 'record-key'),
        time_us: { type: 'integer', description: 'When the record was made, in µs since 1970.' },
        ...Object.assign({}, ...collections.map(counts)),
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

function overviewLexicon(model: Model): Json {
  return document(`${model.namespace}.getOverview`, {
    main: {
      type: 'query',
      description: 'How much is in the index. The numbers may be some seconds old.',
      output: output({
        type: 'object',
        required: ['total_records', 'collections'],
        properties: {
          total_records: { type: 'integer', description: 'Records of all collections.' },
          collections: { type: 'array', items: { type: 'ref', ref: '#collection' } },
        },
      }),
    },
    collection: {
      type: 'object',
      required: ['collection', 'records', 'unique_users'],
      properties: {
        collection: string('Type of the records.', 'nsid'),
        records: { type: 'integer', description: 'How many there are.' },
        unique_users: { type: 'integer', description: 'Accounts that have some.' },
      },
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
