import { existsSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { projectColumns } from '../../runtime/admission/project.ts'
import { strings } from '../../runtime/core/collection.ts'
import type { RecordEvent } from '../../runtime/core/events.ts'
import { makeTid } from '../../runtime/core/tid.ts'
import { admissionOf, admitted, collection, DID, NOW_US, NSID, putEvent, REV, valid } from './support.ts'

const URI = `at://${DID}/${NSID}/one`

/** Arrays within arrays. */
function nest(depth: number): unknown {
  let value: unknown = 'bottom'
  for (let i = 0; i < depth; i++) value = [value]
  return value
}

describe('a put', () => {
  test('becomes an operation with a value per column and the record as it came', () => {
    const record = {
      ...valid,
      seats: 12,
      public: false,
      startsAt: '2026-07-01T18:00:00.123456+02:00',
      place: { city: 'Bonn' },
    }
    expect(admissionOf().admit(putEvent(record))).toEqual({
      op: 'put',
      collection: expect.objectContaining({ nsid: NSID }),
      uri: URI,
      did: DID,
      rkey: 'one',
      cid: 'bafyone',
      rev: REV,
      indexedAt: NOW_US,
      sortAt: Date.UTC(2026, 4, 1, 10) * 1000,
      values: ['Chess', 12, 0, Date.UTC(2026, 6, 1, 16) * 1000 + 123456, 'Bonn'],
      record: JSON.stringify(record),
    })
  })

  test('has null where a column does not fit, or its path leads nowhere', () => {
    const admission = admissionOf({ validate: 'off' })
    const valuesOf = (record: unknown) => {
      const operation = admitted(admission, putEvent(record))
      return operation.op === 'put' ? operation.values : null
    }
    expect(valuesOf({})).toEqual([null, null, null, null, null])
    const wrong = { name: 1, seats: '12', public: 'yes', startsAt: 20260701, place: { city: ['Bonn'] } }
    expect(valuesOf(wrong)).toEqual([null, null, null, null, null])
    expect(valuesOf({ seats: 1.5, startsAt: '2026-07-01', place: null })).toEqual([null, null, null, null, null])
    expect(valuesOf({ seats: 2 ** 60 })).toEqual([null, null, null, null, null])
  })

  test('keeps the strings of a list, each once and at most 256, as JSON', () => {
    const tags = strings<any>('meetup_tags_values', (r) => r.tags)
    const listOf = (record: unknown) => projectColumns([tags], record)[0]
    expect(listOf({ tags: ['a', 'b', 'a', 1, null, { c: 1 }, ''] })).toBe('["a","b",""]')
    expect(listOf({ tags: [] })).toBe('[]')
    expect(listOf({})).toBeNull()
    expect(listOf({ tags: 'a' })).toBeNull()
    expect(listOf({ tags: ['a\0b', '\ud800', 'x'.repeat(9000)] })).toBe(`["ab","\ufffd","${'x'.repeat(1024)}"]`)
    const many = JSON.parse(listOf({ tags: Array.from({ length: 300 }, (_, i) => `t${i}`) }) as string)
    expect([many.length, many[0], many[255]]).toEqual([256, 't0', 't255'])
  })

  test('keeps NUL, half surrogates and long text in the record, and out of columns', () => {
    const admission = admissionOf({ validate: 'off' })
    const operation = admitted(admission, putEvent({ name: `a\0b\ud800${'x'.repeat(9000)}` }))
    if (operation.op !== 'put') throw new Error('expected a put')
    expect(operation.values[0]).toBe(`ab\ufffd${'x'.repeat(1020)}`)
    expect(operation.record).toBe(`{"name":"a\\u0000b\\ud800${'x'.repeat(9000)}"}`)
  })

  test('is nothing where its collection is not indexed', () => {
    expect(admissionOf().admit(putEvent(valid, { collection: 'test.lexidex.other' }))).toBeNull()
  })
})

describe('sorting time', () => {
  const DAY_US = 86_400_000_000
  const sortAt = (record: Record<string, unknown>, changes: Parameters<typeof putEvent>[1] = {}) => {
    const operation = admitted(admissionOf({ validate: 'off' }), putEvent(record, changes))
    return operation.op === 'put' ? operation.sortAt : null
  }
  const recent = makeTid(NOW_US - DAY_US)

  test('is the time that the record states', () => {
    expect(sortAt({ createdAt: '2020-01-01T00:00:00Z' })).toBe(Date.UTC(2020, 0, 1) * 1000)
  })
  test('is never later than now', () => {
    expect(sortAt({ createdAt: '2099-01-01T00:00:00Z' })).toBe(NOW_US)
    expect(sortAt({}, { rev: makeTid(NOW_US + 5 * DAY_US) })).toBe(NOW_US)
  })
  test('is that of the key where the record states none', () => {
    expect(sortAt({}, { rkey: recent })).toBe(NOW_US - DAY_US)
    expect(sortAt({ createdAt: 'nonsense' }, { rkey: recent })).toBe(NOW_US - DAY_US)
  })
  test('is that of the rev where the key is no likely TID', () => {
    const ofRev = Date.UTC(2026, 4, 1) * 1000
    for (const rkey of ['self', makeTid(Date.UTC(1999, 0, 1) * 1000), makeTid(NOW_US + 2 * DAY_US), '2222222222222']) {
      expect(sortAt({}, { rkey })).toBe(ofRev)
    }
  })
  test('survives a time that cannot be read', () => {
    const admission = admissionOf({ validate: 'off', time: (r) => r.meta.createdAt })
    expect(admitted(admission, putEvent({}, { rkey: recent }))).toMatchObject({ op: 'put', sortAt: NOW_US - DAY_US })
  })
})

describe('poison', () => {
  test('a record nested deeper than 128 levels is quarantined, in every mode', () => {
    for (const validate of ['strict', 'lenient', 'off'] as const) {
      const admission = admissionOf({ validate })
      expect(admitted(admission, putEvent({ ...valid, extra: nest(127) })).op).toBe('put')
      const operation = admitted(admission, putEvent({ ...valid, extra: nest(128) }))
      expect(operation).toMatchObject({ op: 'quarantine', reason: expect.stringContaining('128') })
    }
  })

  test('its text is kept whole, so that it can be looked at', () => {
    const record = { ...valid, extra: nest(1200) }
    expect(admitted(admissionOf(), putEvent(record))).toMatchObject({
      op: 'quarantine',
      record: JSON.stringify(record),
    })
  })

  test('nesting that JSON itself cannot write out is survived, and refused again on a retry', () => {
    const operation = admitted(admissionOf({ validate: 'off' }), putEvent({ extra: nest(200_000) }))
    if (operation.op !== 'quarantine') throw new Error('expected a quarantine')
    const again = admitted(admissionOf({ validate: 'off' }), putEvent(JSON.parse(operation.record)))
    expect(again.op).toBe('quarantine')
  })

  test('what JSON cannot express is quarantined', () => {
    const operation = admitted(admissionOf({ validate: 'off' }), putEvent({ big: 1n }))
    expect(operation).toMatchObject({ op: 'quarantine' })
  })

  test('any JSON is admitted somehow, and never throws', () => {
    const admissions = (['strict', 'lenient', 'off'] as const).map((validate) => admissionOf({ validate }))
    const record = fc.oneof(fc.jsonValue(), fc.record({ name: fc.jsonValue(), createdAt: fc.jsonValue() }))
    fc.assert(
      fc.property(record, (value) => {
        for (const admission of admissions) {
          const operation = admitted(admission, putEvent(value))
          expect(['put', 'quarantine']).toContain(operation.op)
          if (operation.op === 'put') expect(JSON.parse(operation.record)).toEqual(JSON.parse(JSON.stringify(value)))
        }
      }),
    )
  })
})

describe('recordFilter', () => {
  const admission = admissionOf({
    recordFilter: (r) => {
      if (r.name === 'throws') throw new Error('bug')
      return r.name !== 'drop'
    },
  })

  test('takes what it says yes to', () => {
    expect(admitted(admission, putEvent(valid)).op).toBe('put')
  })
  test.each(['drop', 'throws'])('what it drops leaves no older version: %s', (name) => {
    const operation = admitted(admission, putEvent({ ...valid, name }))
    expect(operation).toEqual({ op: 'delete', collection: expect.anything(), uri: URI, did: DID, rev: REV })
  })
  test('what it drops of records that are new leaves nothing behind', () => {
    expect(admission.admit({ ...putEvent({ ...valid, name: 'drop' }), isNew: true })).toBeNull()
  })
  test('is not asked about records that break their lexicon', () => {
    expect(admitted(admission, putEvent({ ...valid, name: 1 })).op).toBe('quarantine')
  })
})

describe('a delete', () => {
  const event: RecordEvent = { kind: 'delete', did: DID, collection: NSID, rkey: 'one', rev: REV }

  test('passes, whatever the filter', () => {
    const operation = admissionOf({ recordFilter: () => false }).admit(event)
    expect(operation).toEqual({ op: 'delete', collection: expect.anything(), uri: URI, did: DID, rev: REV })
  })
})

describe('events of no record', () => {
  const broken: [string, Record<string, unknown>, string][] = [
    ['a DID', { did: 'alice.test' }, 'invalid DID'],
    ['a missing DID', { did: undefined }, 'invalid DID'],
    ['an NSID', { collection: 'meetup' }, 'invalid NSID'],
    ['a missing collection', { collection: undefined }, 'invalid NSID'],
    ['a record key', { rkey: 'a/b' }, 'invalid record key'],
    ['a record key of dots', { rkey: '..' }, 'invalid record key'],
    ['a rev', { rev: 'zzzzzzzzzzzzz' }, 'invalid rev'],
    ['a missing rev', { rev: undefined }, 'invalid rev'],
    ['a CID', { cid: '' }, 'invalid CID'],
  ]

  test.each(broken)('%s', (_what, changes, reason) => {
    const event = { ...putEvent(valid), ...changes } as RecordEvent
    expect(admissionOf().admit(event)).toEqual({ op: 'reject', reason })
  })

  test('are logged once a minute per reason, with their number', () => {
    const lines: string[] = []
    const logger = { log: () => {}, error: () => {}, warn: (line: string) => lines.push(line) }
    let now = 0
    const admission = admissionOf({ logger, clock: { now: () => now, nowUs: () => now * 1000 } })
    for (let i = 0; i < 50; i++) admission.admit(putEvent(valid, { did: 'nobody' }))
    admission.admit(putEvent(valid, { rev: 'old' }))
    now = 61_000
    admission.admit(putEvent(valid, { did: 'nobody' }))
    expect(lines).toHaveLength(3)
    expect(lines[0]).toContain('invalid DID')
    expect(lines[1]).toContain('invalid rev')
    expect(lines[2]).toContain('50 times')
  })
})

const syntax = new URL('../../../shared/corpus/streams/atproto-interop-tests/syntax/', import.meta.url)

function vectors(name: string): string[] {
  const lines = readFileSync(new URL(name, syntax), 'utf8').split('\n')
  return lines.filter((line) => line !== '' && !line.startsWith('#'))
}

describe.skipIf(!existsSync(syntax))('interop vectors of identifiers (skipped without ../shared/corpus)', () => {
  const kinds = [
    ['did', (did: string) => ({ did })],
    ['recordkey', (rkey: string) => ({ rkey })],
    ['tid', (rev: string) => ({ rev })],
  ] as const

  test.each(kinds)('%s', (name, changes) => {
    const admission = admissionOf({ validate: 'off' })
    const opOf = (value: string) => admission.admit(putEvent(valid, changes(value)))?.op
    for (const value of vectors(`${name}_syntax_valid.txt`)) expect([value, opOf(value)]).toEqual([value, 'put'])
    for (const value of vectors(`${name}_syntax_invalid.txt`)) expect([value, opOf(value)]).toEqual([value, 'reject'])
  })

  test('nsid', () => {
    const opOf = (collection: string) => admissionOf().admit(putEvent(valid, { collection }))?.op
    for (const value of vectors('nsid_syntax_valid.txt')) expect([value, opOf(value)]).toEqual([value, undefined])
    for (const value of vectors('nsid_syntax_invalid.txt')) expect([value, opOf(value)]).toEqual([value, 'reject'])
  })
})

const golden = new URL('../../../shared/corpus/streams/jetstream-golden-v1/golden_v1.jsonl', import.meta.url)

describe.skipIf(!existsSync(golden))('recorded stream (skipped without ../shared/corpus)', () => {
  test('real commits are admitted', () => {
    const commits = readFileSync(golden, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
      .filter((event) => event.kind === 'commit')
    expect(commits.length).toBeGreaterThan(0)
    for (const { did, commit } of commits) {
      const { rev, operation, collection: nsid, rkey, record, cid } = commit
      const admission = admissionOf({ ...collection, nsid, validate: 'off' })
      const kind = operation === 'delete' ? 'delete' : 'put'
      expect(admission.admit({ kind, did, collection: nsid, rkey, rev, cid, record })).toMatchObject({ op: kind })
    }
  })
})
