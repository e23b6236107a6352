import { existsSync, readFileSync } from 'node:fs'
import type { LexiconDoc } from '@atproto/lexicon'
import { describe, expect, test } from 'vitest'
import { compileValidators } from '../../runtime/admission/validate.ts'
import type { ValidationMode } from '../../runtime/core/collection.ts'
import { LexidexError } from '../../runtime/core/errors.ts'
import { admissionOf, admitted, collection, defs, lexicon, NSID, putEvent, valid } from './support.ts'

const CID = 'bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq'
const blob = { $type: 'blob', ref: { $link: CID }, mimeType: 'image/png', size: 10 }
const { $type: _, ...untyped } = valid

const fine: Record<string, unknown> = {
  'a minimal record': valid,
  'links, bytes and blobs in their JSON form': {
    ...valid,
    image: blob,
    media: { $type: `${NSID}#place`, city: 'Bonn', map: blob },
    source: { $link: CID },
    key: { $bytes: 'AQID' },
  },
  'refs within and across documents': { ...valid, place: { city: 'Bonn' }, host: { did: 'did:plc:bob' } },
  'properties that the lexicon does not know': { ...valid, extra: { deep: [null] } },
}

/** Breaches of what a value may be. */
const constraints: Record<string, unknown> = {
  'a missing $type': untyped,
  'null for an optional property': { ...valid, tags: null, place: { city: 'Bonn', street: null } },
  'text that is too long': { ...valid, name: 'x'.repeat(30) },
  'too many graphemes': { ...valid, name: 'abcdefghijkl' },
  'a value outside the enum': { ...valid, mode: 'both' },
  'an integer out of range': { ...valid, seats: 0 },
  'too many items, each too long': { ...valid, tags: ['123456', 'b', 'c'] },
  'a malformed uri': { ...valid, link: '3f2b8a52-7d0c-4a55-9b8c-d15bd4f2ab11' },
  'a malformed datetime': { ...valid, createdAt: 'yesterday' },
  'bytes that are too long': { ...valid, key: { $bytes: 'AQIDBAUGBwg' } },
  'a blob of another media type': { ...valid, image: { ...blob, mimeType: 'text/plain' } },
  'a blob that is too large': { ...valid, image: { ...blob, size: 1001 } },
  'a blob within a referenced object': {
    ...valid,
    host: { did: 'did:plc:bob', photos: [blob, { ...blob, size: 11 }] },
  },
  'a blob within a union': {
    ...valid,
    media: { $type: `${NSID}#place`, city: 'Bonn', map: { ...blob, mimeType: 'image/gif' } },
  },
  'a limit of a referenced object': { ...valid, place: { city: 'Kaiserslautern' }, host: { did: 'bob' } },
}

/** Breaches of shape. */
const structure: Record<string, unknown> = {
  'a missing property': { $type: NSID, name: 'Chess' },
  'null for a required property': { ...valid, name: null },
  'a wrong type': { ...valid, seats: 'ten' },
  'a fraction for an integer': { ...valid, seats: 1.5 },
  'an object for an array': { ...valid, tags: {} },
  'a wrong type deep inside': { ...valid, place: { city: 1 } },
  'a missing property of a referenced object': { ...valid, host: {} },
  'a type outside a closed union': { ...valid, media: { $type: 'test.lexidex.other' } },
  'a $type of something else': { ...valid, $type: 'test.lexidex.other' },
  'a $type that is no string': { ...valid, $type: 1 },
  'a blob without a type': { ...valid, image: { cid: 1 } },
  'a link that is no CID': { ...valid, source: { $link: 'nonsense' } },
}

const noObjects: Record<string, unknown> = {
  null: null,
  'an array': [],
  text: 'record',
  'a number': 1,
  nothing: undefined,
}

function check(mode: ValidationMode, cases: Record<string, unknown>, op: 'put' | 'quarantine') {
  test.each(Object.entries(cases))('%s', (_name, record) => {
    const operation = admitted(admissionOf({ validate: mode }), putEvent(record))
    expect(operation.op).toBe(op)
    if (operation.op !== 'quarantine') return
    expect(operation.reason).not.toBe('')
    expect(operation.record).toBe(JSON.stringify(record ?? null))
  })
}

describe('strict', () => {
  describe('takes', () => check('strict', fine, 'put'))
  describe('refuses values', () => check('strict', constraints, 'quarantine'))
  describe('refuses shapes', () => check('strict', { ...structure, ...noObjects }, 'quarantine'))
})

describe('lenient', () => {
  describe('takes', () => check('lenient', { ...fine, ...constraints }, 'put'))
  describe('refuses', () => check('lenient', { ...structure, ...noObjects }, 'quarantine'))
})

describe('off', () => {
  describe('takes', () => check('off', { ...fine, ...constraints, ...structure }, 'put'))
  describe('refuses', () => check('off', noObjects, 'quarantine'))
})

test('the reason names the property', () => {
  const operation = admitted(admissionOf(), putEvent({ ...valid, place: { city: 1 } }))
  expect(operation).toMatchObject({ op: 'quarantine', reason: 'Record/place/city must be a string' })
})

test('the reason names the blob', () => {
  const reasonOf = (record: unknown) => admitted(admissionOf({ validate: 'strict' }), putEvent(record))
  const host = { did: 'did:plc:bob', photos: [blob, { ...blob, size: 11 }] }
  expect(reasonOf({ ...valid, host })).toMatchObject({
    reason: 'Record/host/photos/1 must not be larger than 10 bytes',
  })
  expect(reasonOf({ ...valid, image: { ...blob, mimeType: 'text/plain' } })).toMatchObject({
    reason: 'Record/image must be image/*, not text/plain',
  })
})

test('definitions that lead back to themselves are walked as far as the record goes', () => {
  const tree: LexiconDoc = {
    lexicon: 1,
    id: NSID,
    defs: {
      main: {
        type: 'record',
        key: 'tid',
        record: { type: 'object', properties: { root: { type: 'ref', ref: '#node' } } },
      },
      node: {
        type: 'object',
        properties: {
          image: { type: 'blob', maxSize: 10 },
          below: { type: 'array', items: { type: 'ref', ref: '#node' } },
        },
      },
    },
  }
  const admission = admissionOf({ validate: 'strict', schemas: [tree] })
  const record = (size: number) => ({ $type: NSID, root: { below: [{ below: [{ image: { ...blob, size } }] }] } })
  expect(admitted(admission, putEvent(record(10))).op).toBe('put')
  expect(admitted(admission, putEvent(record(11)))).toMatchObject({
    reason: 'Record/root/below/0/below/0/image must not be larger than 10 bytes',
  })
})

test('the schemas of the app are left as they are', () => {
  const before = structuredClone([lexicon, defs])
  for (const validate of ['strict', 'lenient'] as const) admissionOf({ validate })
  expect([lexicon, defs]).toEqual(before)
})

describe('lexicons that are at fault', () => {
  test.each(['strict', 'lenient'] as const)('%s: a dangling ref refuses the records that go through it', (validate) => {
    const admission = admissionOf({ validate, schemas: [lexicon] })
    expect(admitted(admission, putEvent(valid)).op).toBe('put')
    const operation = admitted(admission, putEvent({ ...valid, host: { did: 'did:plc:bob' } }))
    expect(operation).toMatchObject({ op: 'quarantine', reason: expect.stringContaining('test.lexidex.defs#host') })
  })

  test('a collection without its lexicon cannot be validated, and says so at the start', () => {
    for (const validate of ['strict', 'lenient'] as const) {
      expect(() => admissionOf({ validate, schemas: [] })).toThrow(LexidexError)
    }
    expect(admitted(admissionOf({ validate: 'off', schemas: [] }), putEvent(valid)).op).toBe('put')
  })

  test('documents that repeat an id are found at the start', () => {
    expect(() => admissionOf({ schemas: [lexicon, lexicon] })).toThrow(LexidexError)
  })
})

const corpus = new URL('../../../shared/corpus/streams/atproto-interop-tests/lexicon/', import.meta.url)
const read = (name: string) => JSON.parse(readFileSync(new URL(name, corpus), 'utf8'))

describe.skipIf(!existsSync(corpus))('interop vectors (skipped without ../shared/corpus)', () => {
  const validatorOf = (mode: ValidationMode) => {
    const nsid = 'example.lexicon.record'
    const validate = compileValidators([{ ...collection, nsid, validate: mode }], [read('catalog/record.json')]).get(
      nsid,
    )!
    return (data: unknown) => validate(data, JSON.stringify(data))
  }

  test.each(['strict', 'lenient', 'off'] as const)('%s takes every valid record', (mode) => {
    const validate = validatorOf(mode)
    for (const { name, data } of read('record-data-valid.json')) expect([name, validate(data)]).toEqual([name, null])
  })

  test('strict refuses every invalid record', () => {
    const validate = validatorOf('strict')
    const taken = read('record-data-invalid.json').filter(({ data }: { data: unknown }) => validate(data) === null)
    expect(taken).toEqual([])
  })

  test('lenient refuses exactly what breaks the structure', () => {
    const validate = validatorOf('lenient')
    const cases = read('record-data-invalid.json') as { name: string; data: unknown }[]
    const refused = cases.filter(({ data }) => validate(data) !== null).map(({ name }) => name)
    const aboutValues = /format|const|enum|range|too (short|long|large)|blob wrong type|non-nullable/
    expect(refused).toEqual(cases.map(({ name }) => name).filter((name) => !aboutValues.test(name)))
  })
})
