import type { LexiconDoc } from '@atproto/lexicon'
import { type Admission, createAdmission } from '../../runtime/admission/admit.ts'
import type { CollectionDef } from '../../runtime/core/collection.ts'
import type { RecordPut } from '../../runtime/core/events.ts'
import type { Logger } from '../../runtime/core/log.ts'
import type { Operation } from '../../runtime/core/operation.ts'
import { makeTid } from '../../runtime/core/tid.ts'
import type { Clock } from '../../runtime/core/time.ts'

export const NSID = 'test.lexidex.meetup'
export const DID = 'did:plc:alice'
export const NOW_US = Date.UTC(2026, 5, 1) * 1000
export const REV = makeTid(Date.UTC(2026, 4, 1) * 1000)

export const lexicon: LexiconDoc = {
  lexicon: 1,
  id: NSID,
  defs: {
    main: {
      type: 'record',
      key: 'tid',
      record: {
        type: 'object',
        required: ['name', 'createdAt'],
        properties: {
          name: { type: 'string', maxLength: 20, maxGraphemes: 10 },
          createdAt: { type: 'string', format: 'datetime' },
          mode: { type: 'string', enum: ['online', 'offline'] },
          seats: { type: 'integer', minimum: 1, maximum: 100 },
          public: { type: 'boolean' },
          tags: { type: 'array', maxLength: 2, items: { type: 'string', maxLength: 5 } },
          link: { type: 'string', format: 'uri' },
          image: { type: 'blob', accept: ['image/*'], maxSize: 1000 },
          source: { type: 'cid-link' },
          key: { type: 'bytes', maxLength: 4 },
          place: { type: 'ref', ref: '#place' },
          host: { type: 'ref', ref: 'test.lexidex.defs#host' },
          media: { type: 'union', closed: true, refs: ['#place'] },
        },
      },
    },
    place: {
      type: 'object',
      required: ['city'],
      properties: {
        city: { type: 'string', maxLength: 8 },
        street: { type: 'string' },
        map: { type: 'blob', accept: ['image/png', 'image/jpeg'] },
      },
    },
  },
}

export const defs: LexiconDoc = {
  lexicon: 1,
  id: 'test.lexidex.defs',
  defs: {
    host: {
      type: 'object',
      required: ['did'],
      properties: {
        did: { type: 'string', format: 'did' },
        photos: { type: 'array', items: { type: 'blob', maxSize: 10 } },
      },
    },
  },
}

export const collection: CollectionDef = {
  name: 'meetup',
  nsid: NSID,
  table: 'meetup',
  time: (r) => r.createdAt,
  columns: {
    name: { kind: 'text', read: (r) => r.name },
    seats: { kind: 'integer', read: (r) => r.seats },
    public: { kind: 'boolean', read: (r) => r.public },
    starts_at: { kind: 'datetime', read: (r) => r.startsAt },
    city: { kind: 'text', read: (r) => r.place.city },
  },
  counts: {},
  relations: {},
  references: {},
  validate: 'lenient',
  discover: true,
}

const fixedClock: Clock = { now: () => NOW_US / 1000, nowUs: () => NOW_US }

export function admissionOf(
  options: { logger?: Logger; clock?: Clock; schemas?: LexiconDoc[] } & Partial<CollectionDef> = {},
): Admission {
  const { logger, clock = fixedClock, schemas = [lexicon, defs], ...changes } = options
  return createAdmission({
    collections: [{ ...collection, ...changes }],
    schemas,
    clock,
    ...(logger === undefined ? {} : { logger }),
  })
}

export const valid = { $type: NSID, name: 'Chess', createdAt: '2026-05-01T10:00:00Z' }

export function putEvent(record: unknown, changes: Partial<RecordPut> = {}): RecordPut {
  const key = { did: DID, collection: NSID, rkey: 'one', rev: REV, cid: 'bafyone' }
  return { kind: 'put', ...key, record, ...changes }
}

/** What admission makes of a record: the operation, which must not be a rejection or nothing. */
export function admitted(admission: Admission, event: RecordPut): Operation {
  const operation = admission.admit(event)
  if (operation === null || operation.op === 'reject') throw new Error('expected an operation')
  return operation
}
