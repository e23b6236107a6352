import type { LexiconDoc } from '@atproto/lexicon'
import { describe, expect, it } from 'vitest'
import { reachable } from '../../../generator/input/closure.ts'

const doc = (id: string, defs: object) => ({ lexicon: 1, id, defs }) as LexiconDoc
const record = (object: object) => ({ type: 'record', key: 'tid', record: { type: 'object', ...object } })
const properties = (props: object) => record({ properties: props })
const ref = (to: string) => ({ type: 'ref', ref: to })
const text = { type: 'string' }

/** The trimmed record of `com.example.a`, and the paths that dangle. */
function trim(main: object, ...others: LexiconDoc[]) {
  const { docs, issues } = reachable([doc('com.example.a', { main }), ...others], ['com.example.a'])
  const found = docs.find((d) => d.id === 'com.example.a')!.defs.main as { record: Record<string, any> }
  return { record: found.record, dangling: issues.map((issue) => issue.path), docs, issues }
}

describe('what is reached', () => {
  it('is what the records refer to, in the order of the documents', () => {
    const { docs, issues } = reachable(
      [
        doc('com.example.b', { z: text, unused: text, y: { type: 'object', properties: { z: ref('#z') } } }),
        doc('com.example.a', { main: properties({ y: ref('com.example.b#y') }), other: text }),
        doc('com.example.unused', { main: text }),
      ],
      ['com.example.a'],
    )
    expect(docs.map((d) => [d.id, Object.keys(d.defs)])).toEqual([
      ['com.example.a', ['main']],
      ['com.example.b', ['z', 'y']],
    ])
    expect(issues).toEqual([])
  })

  it('may go in circles', () => {
    const { docs } = reachable(
      [
        doc('com.example.a', { main: properties({ b: ref('com.example.b') }) }),
        doc('com.example.b', { main: { type: 'object', properties: { a: ref('com.example.a'), self: ref('#main') } } }),
      ],
      ['com.example.a'],
    )
    expect(docs).toHaveLength(2)
  })

  it('goes through lists, unions and records that are used as objects', () => {
    const { docs, dangling } = trim(
      properties({
        list: { type: 'array', items: ref('com.example.b#item') },
        union: { type: 'union', refs: ['com.example.b', '#main'] },
      }),
      doc('com.example.b', { main: record({}), item: { type: 'array', items: ref('#deep') }, deep: text }),
    )
    expect(Object.keys(docs[1]!.defs)).toEqual(['main', 'item', 'deep'])
    expect(dangling).toEqual([])
  })

  it('includes tokens that are known values, where they exist', () => {
    const tokens = doc('com.example.b', {
      main: { type: 'token' },
      going: { type: 'token' },
      other: { type: 'token' },
      text,
    })
    const known = [
      'com.example.b#going',
      'com.example.b',
      'com.example.b#text',
      'com.example.b#gone',
      'com.example.none#x',
      'free',
    ]
    const { docs, dangling } = trim(properties({ status: { type: 'string', knownValues: known } }), tokens)
    expect(Object.keys(docs[1]!.defs)).toEqual(['main', 'going'])
    expect(dangling).toEqual([])
  })

  it('takes nothing from records that no document defines', () => {
    expect(reachable([], ['com.example.a'])).toEqual({ docs: [], issues: [] })
  })

  it('does not change the documents it is given', () => {
    const given = doc('com.example.a', { main: record({ required: ['x'], properties: { x: ref('#none') } }) })
    const before = structuredClone(given)
    reachable([given], ['com.example.a'])
    expect(given).toEqual(before)
  })
})

describe('references that dangle', () => {
  it('take their property with them', () => {
    const { record: trimmed, issues } = trim(
      record({ required: ['x', 'y'], nullable: ['x'], properties: { x: ref('com.example.none#view'), y: text } }),
    )
    expect(trimmed).toEqual({ type: 'object', required: ['y'], nullable: [], properties: { y: text } })
    expect(issues).toEqual([
      {
        severity: 'warning',
        code: 'dangling-ref',
        path: 'com.example.a#main/record/properties/x',
        message: '`com.example.none#view` is in no lexicon document; it is left out.',
        hint: 'Add the document of `com.example.none` to one of the `lexicons` directories.',
      },
    ])
  })

  it('are definitions that a document lacks', () => {
    const { issues } = trim(properties({ x: ref('#none') }))
    expect(issues[0]).toMatchObject({
      message: '`#none` is not defined; it is left out.',
      hint: 'Correct the reference.',
    })
  })

  it('take a list with them', () => {
    const { record: trimmed, dangling } = trim(properties({ x: { type: 'array', items: ref('#none') }, y: text }))
    expect(trimmed.properties).toEqual({ y: text })
    expect(dangling).toEqual(['com.example.a#main/record/properties/x/items'])
  })

  it('take themselves out of a union, which is open then', () => {
    const { record: trimmed, dangling } = trim(
      properties({
        x: { type: 'union', refs: ['#main', '#none'], closed: true },
        y: { type: 'union', refs: ['#main'], closed: true },
      }),
    )
    expect(trimmed.properties).toEqual({
      x: { type: 'union', refs: ['#main'] },
      y: { type: 'union', refs: ['#main'], closed: true },
    })
    expect(dangling).toEqual(['com.example.a#main/record/properties/x/refs/1'])
  })

  it('may be behind a definition that is a list', () => {
    const { docs, dangling, issues } = trim(
      properties({ x: ref('com.example.b#list') }),
      doc('com.example.b', {
        list: { type: 'array', items: ref('#inner') },
        inner: { type: 'array', items: ref('#none') },
      }),
    )
    expect(docs).toHaveLength(1)
    expect(dangling).toEqual(['com.example.a#main/record/properties/x'])
    expect(issues[0]!.message).toContain('is a list of `#inner`, which is a list of `#none`, which is not defined')
  })

  it('are references to methods', () => {
    const { issues } = trim(
      properties({ x: ref('com.example.get') }),
      doc('com.example.get', { main: { type: 'query' } }),
    )
    expect(issues[0]!.message).toContain('is a query, not a type')
  })
})
