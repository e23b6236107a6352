import { answer, COMMON_ERRORS, ERROR } from './operations.ts'
import type { Json } from './schema.ts'

/** Operations of paths that no lexicon describes, as far as they are served. */

const TEXT = { type: 'string' }
const NUMBER = { type: 'integer' }
const OK = { type: 'object', required: ['status'], properties: { status: { const: 'ok' } } }

interface Plain {
  readonly tag: string
  readonly description: string
  readonly parameters?: readonly Json[]
  readonly schema: Json
  /** Of what is answered; 200 where nothing else is said. */
  readonly status?: string
  readonly isForAdmins?: boolean
  readonly errors?: Json
}

function operation(id: string, plain: Plain): Json {
  const { tag, description, parameters = [], schema, status = '200', isForAdmins = false, errors = {} } = plain
  return {
    operationId: id,
    tags: [tag],
    description,
    parameters,
    ...(isForAdmins && { security: [{ admin: [] }] }),
    responses: {
      [status]: answer('As asked.', schema),
      ...COMMON_ERRORS,
      ...(isForAdmins && {
        401: answer('The secret is missing.', ERROR),
        403: answer('That is not the secret.', ERROR),
        503: answer('There is no secret, so that nobody is let in; or the database cannot be used.', ERROR),
      }),
      ...errors,
    },
  }
}

function object(properties: Json, optional: readonly string[] = []): Json {
  return { type: 'object', required: Object.keys(properties).filter((name) => !optional.includes(name)), properties }
}

function inPath(name: string, description: string): Json {
  return { name, in: 'path', required: true, description, schema: TEXT }
}

function inQuery(name: string, description: string, schema: Json = TEXT): Json {
  return { name, in: 'query', description, schema }
}

const NSID = inPath('collection', 'NSID of the collection.')
const PAGE = [
  inQuery('limit', 'Most in one page; more is 100.', { type: 'integer', minimum: 1, maximum: 100, default: 50 }),
  inQuery('cursor', 'Where the last page ended.'),
]
const CURSOR = {
  anyOf: [object({ cursor: { type: 'null' } }), object({ time_us: NUMBER, date: TEXT, seconds_ago: NUMBER })],
}
const NOT_TRACKED = { 404: answer('`Collection not tracked`: no such collection is indexed.', ERROR) }

/** By path, and method in small letters. */
export function plainOperations(namespace: string): Readonly<Record<string, Json>> {
  const health = { tag: 'service', description: 'Whether the service is up.', schema: OK }
  const admin = `/xrpc/${namespace}.admin`
  const run = { type: 'object', description: 'How a backfill stands.' }
  const ID = inPath('id', 'Number of the backfill.')
  const forAdmins = { tag: 'admin', isForAdmins: true }
  return {
    '/health': { get: operation('health', health) },
    '/xrpc/_health': { get: operation('xrpc.health', health) },
    '/status': {
      get: operation('status', {
        tag: 'service',
        description:
          'What is in the index and how far it is: collections, accounts, jobs, the stream. May be some seconds old.',
        schema: { type: 'object', required: ['status', 'collections'], properties: { status: { const: 'ok' } } },
      }),
    },
    '/openapi.json': {
      get: operation('openapi', { tag: 'service', description: 'This document.', schema: { type: 'object' } }),
    },
    '/records/{collection}': {
      get: operation('records', {
        tag: 'rest',
        description: 'Records, newest first.',
        parameters: [NSID, inQuery('did', 'Of this account only: a DID or a handle.'), ...PAGE],
        schema: object(
          {
            records: {
              type: 'array',
              items: object({
                uri: TEXT,
                did: TEXT,
                collection: TEXT,
                rkey: TEXT,
                cid: TEXT,
                record: {},
                time_us: NUMBER,
              }),
            },
            cursor: TEXT,
          },
          ['cursor'],
        ),
        errors: NOT_TRACKED,
      }),
    },
    '/users/{collection}': {
      get: operation('users', {
        tag: 'rest',
        description: 'Accounts by how many records they have, the most first.',
        parameters: [NSID, ...PAGE],
        schema: object({ users: { type: 'array', items: object({ did: TEXT, record_count: NUMBER }) }, cursor: TEXT }, [
          'cursor',
        ]),
        errors: NOT_TRACKED,
      }),
    },
    '/stats/{collection}': {
      get: operation('stats', {
        tag: 'rest',
        description: 'How many accounts and records there are, and how new the newest is. May be some seconds old.',
        parameters: [NSID],
        schema: object({
          collection: TEXT,
          unique_users: NUMBER,
          total_records: NUMBER,
          last_record_time_us: { type: ['integer', 'null'] },
        }),
        errors: NOT_TRACKED,
      }),
    },
    '/backfill/{collection}/{did}': {
      get: operation('backfill', {
        tag: 'rest',
        description: 'How far the history of an account has been fetched.',
        parameters: [NSID, inPath('did', 'A DID or a handle.')],
        schema: object({
          did: TEXT,
          collection: TEXT,
          status: { type: 'string', enum: ['unknown', 'in_progress', 'complete', 'failed'] },
        }),
        errors: NOT_TRACKED,
      }),
    },
    '/cursor': {
      get: operation('cursor', { tag: 'rest', description: 'How far the stream has been read.', schema: CURSOR }),
    },
    [`${admin}.backfill`]: {
      get: operation('admin.backfill.get', {
        ...forAdmins,
        description: 'How a backfill stands.',
        parameters: [inQuery('id', 'Number of the backfill.')],
        schema: run,
        errors: { 404: answer('There is no such backfill.', ERROR) },
      }),
      post: operation('admin.backfill.start', {
        ...forAdmins,
        description: 'Starts a backfill, where one is due or forced. 200 where none is due.',
        parameters: [
          inQuery('force', 'Which, whether due or not.', { type: 'string', enum: ['catch_up', 'full_sync'] }),
        ],
        schema: { type: 'object' },
        status: '202',
        errors: {
          200: answer('None is due.', object({ message: TEXT })),
          409: answer('One is going on.', ERROR),
        },
      }),
    },
    [`${admin}.backfill/{id}`]: {
      get: operation('admin.backfill.run', {
        ...forAdmins,
        description: 'How a backfill stands.',
        parameters: [ID],
        schema: run,
        errors: { 404: answer('There is no such backfill.', ERROR) },
      }),
    },
    [`${admin}.backfill/{id}/errors`]: {
      get: operation('admin.backfill.errors', {
        ...forAdmins,
        description: 'The first 1000 errors of a backfill, oldest first.',
        parameters: [ID],
        schema: object({ errors: { type: 'array', items: { type: 'object' } } }),
        errors: { 404: answer('There is no such backfill.', ERROR) },
      }),
    },
    [`${admin}.quarantine`]: {
      get: operation('admin.quarantine.list', {
        ...forAdmins,
        description: 'Records that were refused, with the reasons.',
        parameters: [
          inQuery('collection', 'NSID of a collection.'),
          inQuery('uri', 'Of one record.'),
          inQuery('limit', 'Most in one page.', { type: 'integer', minimum: 1, maximum: 100, default: 25 }),
          inQuery('cursor', 'Where the last page ended.'),
        ],
        schema: object({ records: { type: 'array', items: { type: 'object' } }, cursor: TEXT }, ['cursor']),
      }),
    },
    [`${admin}.quarantine/retry`]: {
      post: operation('admin.quarantine.retry', {
        ...forAdmins,
        description: 'Tries refused records again: one, those of a collection, or all.',
        parameters: [
          inQuery('uri', 'One record.'),
          inQuery('collection', 'NSID of a collection.'),
          inQuery('all', 'All of them.', { type: 'string', enum: ['true'] }),
        ],
        schema: object({ retried: NUMBER, applied: NUMBER, stillRefused: NUMBER }),
      }),
    },
  }
}
