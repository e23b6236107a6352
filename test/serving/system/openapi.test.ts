import { Validator } from '@seriousme/openapi-schema-validator'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { app as bluesky } from '../../../fixtures/apps/bluesky/src/lexidex/index.ts'
import { app as calendar } from '../../../fixtures/apps/calendar/src/lexidex/index.ts'
import { app as statusphere } from '../../../fixtures/apps/statusphere/src/lexidex/index.ts'
import { type App, createIndexer, type Indexer } from '../../../runtime/index.ts'
import { toSchema } from '../../../runtime/serving/openapi/schema.ts'
import { createSqliteStore } from '../../../runtime/storage/sqlite/index.ts'

const silent = { log: () => {}, warn: () => {}, error: () => {} }

let indexer: Indexer<any>
afterEach(() => indexer?.close())

async function open(app: App) {
  indexer = createIndexer<any>(app, createSqliteStore(':memory:'), {
    adminSecret: 'secret',
    notify: true,
    logger: silent,
  })
  await indexer.migrate()
}

const get = async (path: string): Promise<any> => (await indexer.fetch(new Request(`http://localhost${path}`))).json()

describe.each([
  ['calendar', calendar],
  ['statusphere', statusphere],
  ['bluesky', bluesky],
] as const)('%s', (_name, app) => {
  beforeEach(() => open(app))

  test('is a valid document of OpenAPI 3.1, and no reference leads nowhere', async () => {
    const document = await get('/openapi.json')
    const validator = new Validator()
    const { valid, errors } = await validator.validate(document)
    expect({ valid, errors }).toEqual({ valid: true, errors: undefined })
    expect(document.openapi).toMatch(/^3\.1\./)
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)]
    expect(references.length).toBeGreaterThan(0)
    for (const [, name] of references) expect(document.components.schemas).toHaveProperty([name!])
  })

  test('has all that is served, and nothing else', async () => {
    const { paths } = await get('/openapi.json')
    const { endpoints } = await get('/')
    // A procedure of a config that lets nobody in has no lexicon.
    const described = endpoints.filter((path: string) => !path.endsWith('.notifyOfUpdate'))
    expect(Object.keys(paths).sort()).toEqual(described.sort())
  })

  test('operations have names of their own, descriptions, and say what goes wrong', async () => {
    const { paths } = await get('/openapi.json')
    const operations: any[] = Object.values(paths).flatMap((item: any) => Object.values(item))
    const ids = operations.map(({ operationId }) => operationId)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { operationId, description, responses, parameters } of operations) {
      expect(description, operationId).toEqual(expect.stringMatching(/\.$/))
      expect(responses['400'].content['application/json'].schema, operationId).toEqual({
        $ref: '#/components/schemas/Error',
      })
      for (const parameter of parameters) expect(parameter.description, `${operationId} ${parameter.name}`).toBeTruthy()
    }
  })
})

test('parameters as the server takes them', async () => {
  await open(calendar)
  const { paths } = await get('/openapi.json')
  const { parameters, responses } = paths['/xrpc/com.example.event.listRecords'].get
  const parameter = (name: string) => parameters.find((one: any) => one.name === name)
  expect(parameter('limit')).toEqual({
    name: 'limit',
    in: 'query',
    description: 'Most records in one page.',
    schema: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
  })
  expect(parameter('mode')).toMatchObject({ style: 'form', explode: true, schema: { type: 'array' } })
  expect(parameter('startsAtMin').schema).toMatchObject({ type: 'string', format: 'date-time' })
  expect(responses['200'].content['application/json'].schema.properties.records).toEqual({
    type: 'array',
    items: { $ref: '#/components/schemas/com.example.event.defs_view' },
  })
  const { get: getRecord } = paths['/xrpc/com.example.event.getRecord']
  expect(getRecord.parameters.find((one: any) => one.name === 'uri').required).toBe(true)
  expect(getRecord.responses['404'].description).toContain('`RecordNotFound`')
})

test('a client that has the document is told so', async () => {
  await open(calendar)
  const first = await indexer.fetch(new Request('http://localhost/openapi.json'))
  const etag = first.headers.get('etag')!
  const again = await indexer.fetch(
    new Request('http://localhost/openapi.json', { headers: { 'if-none-match': etag } }),
  )
  expect([first.status, again.status]).toEqual([200, 304])
})

test('types of lexicons', () => {
  const schema = (definition: Record<string, unknown>) => toSchema(definition, 'com.example.a')
  expect(schema({ type: 'string', format: 'datetime', maxLength: 9, description: 'When.' })).toEqual({
    type: 'string',
    description: 'When.',
    format: 'date-time',
    maxLength: 9,
    examples: ['2026-05-01T18:00:00Z'],
  })
  expect(schema({ type: 'string', knownValues: ['a', 'b'], default: 'a' })).toEqual({
    type: 'string',
    default: 'a',
    examples: ['a', 'b'],
  })
  expect(schema({ type: 'array', items: { type: 'ref', ref: '#item' }, minLength: 1, maxLength: 2 })).toEqual({
    type: 'array',
    items: { $ref: '#/components/schemas/com.example.a_item' },
    minItems: 1,
    maxItems: 2,
  })
  expect(
    schema({
      type: 'object',
      required: ['a'],
      nullable: ['b'],
      properties: { a: { type: 'integer' }, b: { type: 'boolean' } },
    }),
  ).toEqual({
    type: 'object',
    required: ['a'],
    properties: { a: { type: 'integer' }, b: { anyOf: [{ type: 'boolean' }, { type: 'null' }] } },
  })
  const open = { type: 'object', required: ['$type'], properties: { $type: { type: 'string' } } }
  const one = { $ref: '#/components/schemas/com.example.b' }
  expect(schema({ type: 'union', refs: ['com.example.b#main'] })).toEqual({ anyOf: [one, open] })
  expect(schema({ type: 'union', refs: ['com.example.b'], closed: true })).toEqual({ anyOf: [one] })
  expect(schema({ type: 'unknown' })).toEqual({})
  expect(schema({ type: 'cid-link' })).toMatchObject({ required: ['$link'] })
  expect(schema({ type: 'bytes' })).toMatchObject({ required: ['$bytes'] })
  expect(schema({ type: 'blob' })).toMatchObject({ required: ['$type', 'ref', 'mimeType', 'size'] })
})
