/** What the explorer makes of lexicons, records and addresses, before anything is drawn. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { app } from '../../fixtures/apps/bluesky/src/lexidex/index.ts'
import { layout } from '../../runtime/explorer/page/fields.ts'
import { readMethods, usualParams } from '../../runtime/explorer/page/lexicon.ts'
import { formatPlace, parsePlace } from '../../runtime/explorer/page/place.ts'
import { summarize } from '../../runtime/explorer/page/summary.ts'

function methodWith(properties: Record<string, object>, required: string[] = []) {
  const main = { type: 'query', parameters: { type: 'params', required, properties } }
  return readMethods([{ lexicon: 1, id: 'a.b.thing.listRecords', defs: { main } }], 'a.b')[0]!
}

describe('the layout of a form', () => {
  const text = { type: 'string' }
  const time = { type: 'string', format: 'datetime' }
  const many = { type: 'array', items: text }

  test('the ways to ask for one field stand together, rarer ones apart', () => {
    const { filters } = layout(
      methodWith({
        status: many,
        startsAtMin: time,
        startsAtMax: time,
        statusNot: many,
        statusPrefix: text,
        statusExists: { type: 'boolean' },
        endsAtExists: { type: 'boolean' },
        likesCountMin: { type: 'integer' },
        admin: text,
      }),
    )
    const shown = filters.map(({ name, main, more }) => [
      name,
      main.map(({ param, operator }) => `${param.name} ${operator}`),
      more.map(({ param, operator }) => `${param.name} ${operator}`),
    ])
    expect(shown).toEqual([
      ['status', ['status is'], ['statusNot is not', 'statusPrefix starts with', 'statusExists is there']],
      ['startsAt', ['startsAtMin from', 'startsAtMax until'], []],
      ['endsAt', ['endsAtExists is there'], []],
      ['likesCount', ['likesCountMin at least'], []],
      ['admin', ['admin is'], []],
    ])
  })

  test('what every list has is out of the way', () => {
    const fields = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`field${i}`, text]))
    const { filters, moreFilters } = layout(methodWith({ createdAtMin: time, createdAtMax: time, ...fields }))
    expect(filters.map(({ name }) => name)).toEqual([0, 1, 2, 3, 4, 5, 6].map((i) => `field${i}`))
    expect(moreFilters.map(({ name }) => name)).toEqual(['createdAt', 'field7', 'field8', 'field9'])
  })

  test('every parameter of a generated app has its place, once; but for the cursor, and `did` where there is `actor`', () => {
    for (const method of readMethods(app.lexicons, app.namespace)) {
      const { required, search, account, filters, moreFilters, order, embed, nested, limit } = layout(method)
      const fields = [...filters, ...moreFilters].flatMap(({ main, more }) =>
        [...main, ...more].map(({ param }) => param),
      )
      const placed = [...required, search, ...account, ...fields, ...order, ...embed, ...nested, limit]
      const names = placed.flatMap((param) => param?.name ?? []).sort()
      const all = method.params.map(({ name }) => name)
      const without = (name: string) => name === 'cursor' || (name === 'did' && all.includes('actor'))
      expect(names).toEqual(all.filter((name) => !without(name)).sort())
    }
  })

  test('what is embedded at first is what records point at, and whose they are', () => {
    const post = readMethods(app.lexicons, app.namespace).find(({ id }) => id === 'post.listRecords')!
    expect(usualParams(post)).toEqual([
      ['hydrateParent', 'true'],
      ['profiles', 'true'],
    ])
  })
})

describe('the summary of a record', () => {
  test('a title, a text, and what fits a line: times first', () => {
    const value = {
      $type: 'a.b.event',
      endsAt: '2026-01-02T10:00:00Z',
      description: 'Long.',
      mode: 'a.b.event#virtual',
      name: 'Walk',
      startsAt: '2026-01-01T10:00:00Z',
      open: true,
      seats: 12,
      tags: ['a', 'b'],
      parts: [{ a: 1 }],
      subject: { uri: 'at://did:plc:a/a.b.c/1', cid: 'x' },
      createdAt: '2025-01-01T10:00:00Z',
      empty: null,
    }
    const { title, text, facts, left } = summarize(value, 'rkey')
    expect({ title, text, left }).toEqual({ title: 'Walk', text: 'Long.', left: 1 })
    expect(facts.map(({ name, value }) => `${name} ${value}`)).toEqual([
      'startsAt 2026-01-01T10:00:00Z',
      'endsAt 2026-01-02T10:00:00Z',
      'mode virtual',
      'open yes',
      'seats 12',
      'tags a, b',
      'subject at://did:plc:a/a.b.c/1',
    ])
  })

  test('is bounded and never throws, whatever the record', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.string(), (value, rkey) => {
        const { title, text, facts } = summarize(value, rkey)
        expect(typeof title).toBe('string')
        expect(text.length).toBeLessThanOrEqual(401)
        expect(facts.length).toBeLessThanOrEqual(8)
        for (const fact of facts) expect(fact.value.length).toBeLessThanOrEqual(1000)
      }),
    )
    const odd = JSON.parse('{"__proto__": "x", "constructor": "y", "name": {"toString": 1}, "title": ["a"]}')
    expect(summarize(odd, 'rkey').title).toBe('rkey')
  })

  test('long titles are cut between characters', () => {
    const { title } = summarize({ name: '🦀'.repeat(500) }, 'rkey')
    expect(title).toMatch(/^(🦀)+…$/u)
  })
})

test('addresses say where one is, whatever it is that was asked', () => {
  const params = fc.array(fc.tuple(fc.string({ minLength: 1 }), fc.string()))
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.boolean(), params, (view, json, params) => {
      fc.pre([view, ...params.flat()].every((text) => text.isWellFormed()))
      expect(parsePlace(formatPlace({ view, json, params }))).toEqual({ view, json, params })
    }),
  )
  for (const hash of ['', '#', '#/', '#x', '#/%E0%A4%A', '#/a/b/c?d', '#?x=1'])
    expect(() => parsePlace(hash)).not.toThrow()
  expect(parsePlace('')).toEqual({ view: '', json: false, params: [] })
})

test('documents that are no methods, or no documents, are passed over', () => {
  expect(readMethods(undefined, 'a.b')).toEqual([])
  expect(
    readMethods(
      [null, 1, {}, { id: 'a.b.defs', defs: {} }, { id: 'a.b.rec', defs: { main: { type: 'record' } } }],
      'a.b',
    ),
  ).toEqual([])
})
