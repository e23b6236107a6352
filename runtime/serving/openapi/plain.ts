import { adminOperations } from './admin.ts'
import { answer, ERROR } from './operations.ts'
import { inPath, inQuery, list, NUMBER, object, oneOf, operation, orNull, TEXT } from './plain-operation.ts'
import type { Json } from './schema.ts'
import { CURSOR_VIEW, STATUS } from './status-schema.ts'

/** Operations of paths that no lexicon describes, as far as they are served. */

const OK = { type: 'object', required: ['status'], properties: { status: { const: 'ok' } } }

const NSID = inPath('collection', 'NSID of the collection.')
const PAGE = [
  inQuery('limit', 'Most in one page; more is 100.', { type: 'integer', minimum: 1, maximum: 100, default: 50 }),
  inQuery('cursor', 'Where the last page ended.'),
]
const CURSOR = {
  anyOf: [object({ cursor: { type: 'null' } }), CURSOR_VIEW],
}
const NOT_TRACKED = { 404: answer('`Collection not tracked`: no such collection is indexed.', ERROR) }

/** By path, and method in small letters. */
export function plainOperations(namespace: string): Readonly<Record<string, Json>> {
  const health = { tag: 'service', description: 'Whether the service is up.', schema: OK }
  return {
    '/health': { get: operation('health', health) },
    '/xrpc/_health': { get: operation('xrpc.health', health) },
    '/status': {
      get: operation('status', {
        tag: 'service',
        description:
          'What is in the index and how far it is: collections, accounts, jobs, the stream. May be some seconds old.',
        schema: STATUS,
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
            records: list(
              object({ uri: TEXT, did: TEXT, collection: TEXT, rkey: TEXT, cid: TEXT, record: {}, time_us: NUMBER }),
            ),
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
        schema: object({ users: list(object({ did: TEXT, record_count: NUMBER })), cursor: TEXT }, ['cursor']),
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
          last_record_time_us: orNull('integer'),
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
          status: oneOf('unknown', 'in_progress', 'complete', 'failed'),
        }),
        errors: NOT_TRACKED,
      }),
    },
    '/cursor': {
      get: operation('cursor', { tag: 'rest', description: 'How far the stream has been read.', schema: CURSOR }),
    },
    ...adminOperations(namespace),
  }
}
