import { answer, ERROR } from './operations.ts'
import { inPath, inQuery, list, NUMBER, object, oneOf, operation, orNull, TEXT } from './plain-operation.ts'
import type { Json } from './schema.ts'

const KIND = oneOf('catch_up', 'full_sync')
/** A backfill as a whole. Numbers of runs are text, as clients know them. */
const RUN = object({
  id: TEXT,
  status: oneOf('in_progress', 'completed', 'failed'),
  type: KIND,
  didsTotal: NUMBER,
  didsProcessed: NUMBER,
  recordsIndexed: NUMBER,
  errorCount: NUMBER,
  startedAt: TEXT,
  completedAt: orNull('string'),
  errorMessage: orNull('string'),
})
const RUN_ERROR = object({
  id: TEXT,
  did: TEXT,
  collection: orNull('string'),
  errorMessage: TEXT,
  createdAt: TEXT,
})
const STARTED = object({ message: TEXT, type: KIND, status: oneOf('in_progress'), id: TEXT })
/** A refused version; its record as text, null where that is too long. */
const REFUSED = object({
  uri: TEXT,
  collection: TEXT,
  did: TEXT,
  rev: TEXT,
  cid: TEXT,
  reason: TEXT,
  record: orNull('string'),
  quarantinedAt: TEXT,
})

/** Operations of operators, by path, and method in small letters. Lexicons have no words for segments of a path. */
export function adminOperations(namespace: string): Readonly<Record<string, Json>> {
  const admin = `/xrpc/${namespace}.admin`
  const ID = inPath('id', 'Number of the backfill.')
  const forAdmins = { tag: 'admin', isForAdmins: true }
  return {
    [`${admin}.backfill`]: {
      get: operation('admin.backfill.get', {
        ...forAdmins,
        description: 'How a backfill stands.',
        parameters: [inQuery('id', 'Number of the backfill.')],
        schema: RUN,
        errors: { 404: answer('There is no such backfill.', ERROR) },
      }),
      post: operation('admin.backfill.start', {
        ...forAdmins,
        description: 'Starts a backfill, where one is due or forced. 200 where none is due.',
        parameters: [inQuery('force', 'Which, whether due or not.', KIND)],
        schema: STARTED,
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
        schema: RUN,
        errors: { 404: answer('There is no such backfill.', ERROR) },
      }),
    },
    [`${admin}.backfill/{id}/errors`]: {
      get: operation('admin.backfill.errors', {
        ...forAdmins,
        description: 'The first 1000 errors of a backfill, oldest first.',
        parameters: [ID],
        schema: object({ errors: list(RUN_ERROR) }),
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
        schema: object({ records: list(REFUSED), cursor: TEXT }, ['cursor']),
      }),
    },
    [`${admin}.quarantine/retry`]: {
      post: operation('admin.quarantine.retry', {
        ...forAdmins,
        description: 'Tries refused records again: one, those of a collection, or all.',
        parameters: [
          inQuery('uri', 'One record.'),
          inQuery('collection', 'NSID of a collection.'),
          inQuery('all', 'All of them.', oneOf('true')),
        ],
        schema: object({ retried: NUMBER, applied: NUMBER, stillRefused: NUMBER }),
      }),
    },
  }
}
