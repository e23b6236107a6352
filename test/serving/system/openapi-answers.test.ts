/** What is answered has the form that `/openapi.json` gives it: every operation, with every parameter. */
import {
  isValidAtIdentifier,
  isValidAtUri,
  isValidDid,
  isValidHandle,
  isValidNsid,
  isValidRecordKey,
  isValidTid,
} from '@atproto/syntax'
import { Ajv2020, type AnySchemaObject } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { CID } from 'multiformats/cid'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { app as bluesky } from '../../../fixtures/apps/bluesky/src/lexidex/index.ts'
import { app as calendar } from '../../../fixtures/apps/calendar/src/lexidex/index.ts'
import { app as statusphere } from '../../../fixtures/apps/statusphere/src/lexidex/index.ts'
import { EVENT, type Network } from '../../../fixtures/network/index.ts'
import { createIndexer, type Indexer } from '../../../runtime/index.ts'
import { createSqliteStore } from '../../../runtime/storage/sqlite/index.ts'
import { optionsFor, presentNetwork } from '../../invariants/support/index.ts'

const SECRET = 'open-sesame'
const POST = 'app.bsky.feed.post'

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly required?: boolean
  readonly schema: AnySchemaObject
}

interface Operation {
  readonly path: string
  readonly method: string
  readonly parameters: readonly Parameter[]
  readonly responses: Readonly<Record<string, AnySchemaObject>>
}

/** Not only what is described has to be there: nothing else may be. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const inner = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, closed(value)]))
  const isObject = inner.type === 'object' && inner.properties !== undefined
  return isObject ? { additionalProperties: false, ...inner } : inner
}

/** Says what is wrong with an answer, by the schemas of a document. */
function checker(document: any): (schema: AnySchemaObject, body: unknown) => string {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true })
  addFormats.default(ajv)
  ajv.addVocabulary(['components'])
  const formats: Record<string, (text: string) => boolean> = {
    'at-identifier': isValidAtIdentifier,
    'at-uri': isValidAtUri,
    cid: (text) => CID.parse(text).toString() === text,
    did: isValidDid,
    handle: isValidHandle,
    nsid: isValidNsid,
    'record-key': isValidRecordKey,
    tid: isValidTid,
  }
  for (const [name, validate] of Object.entries(formats)) ajv.addFormat(name, validate)
  const components = { schemas: closed(document.components.schemas) }
  return (schema, body) => {
    const validate = ajv.compile({ ...(closed(schema) as object), components })
    return validate(body) ? '' : ajv.errorsText(validate.errors)
  }
}

/** Records for every collection of the three apps. */
async function populate(network: Network): Promise<void> {
  const createdAt = new Date().toISOString()
  const [ann, bob] = network.accounts.map(({ did }) => did) as [string, string]
  const post = (did: string, text: string, more: object = {}) =>
    network.put(did, POST, undefined, { $type: POST, text, langs: ['en'], createdAt, ...more })
  const { uri, cid } = post(ann, 'Bread and soup')
  const subject = { uri, cid }
  post(bob, 'More bread', { reply: { root: subject, parent: subject } })
  for (const nsid of ['app.bsky.feed.like', 'app.bsky.feed.repost'])
    network.put(bob, nsid, undefined, { $type: nsid, subject, createdAt })
  network.put(bob, 'app.bsky.graph.follow', undefined, { $type: 'app.bsky.graph.follow', subject: ann, createdAt })
  network.put(ann, EVENT, 'refused', { $type: EVENT, name: 5, createdAt })
  network.put(ann, 'xyz.statusphere.status', 'refused', { $type: 'xyz.statusphere.status', status: 5, createdAt })
  network.put(bob, POST, 'refused', { $type: POST, text: 5, createdAt })
}

describe.each([
  ['calendar', calendar],
  ['statusphere', statusphere],
  ['bluesky', bluesky],
] as const)('%s', (_name, app) => {
  let network: Network
  let indexer: Indexer<any>
  let document: any
  let check: ReturnType<typeof checker>
  /** URI of a record, by NSID. */
  const uris = new Map<string, string>()

  beforeAll(async () => {
    network = await presentNetwork({ accounts: 4, events: 6, rsvps: 12, statuses: 12, profiles: 4 })
    await populate(network)
    indexer = createIndexer<any>(app, createSqliteStore(':memory:'), {
      ...optionsFor(network),
      adminSecret: SECRET,
      onDemand: false,
    })
    await indexer.migrate()
    await indexer.backfillAll()
    await indexer.checkAccounts()
    for (const { nsid, table } of app.collections) {
      const row = await indexer.db.selectFrom(table).select('uri').executeTakeFirst()
      uris.set(nsid, row!.uri as string)
    }
    document = await (await indexer.fetch(new Request('http://localhost/openapi.json'))).json()
    check = checker(document)
  })
  afterAll(async () => {
    await indexer?.close()
    await network?.close()
  })

  const operations = (): Operation[] =>
    Object.entries<any>(document.paths).flatMap(([path, item]) =>
      Object.entries<any>(item).map(([method, { parameters, responses }]) => ({ path, method, parameters, responses })),
    )

  /** A value that leads to an answer. */
  function valueFor({ name, schema }: Parameter, { path }: Operation): string {
    const [collection] = app.collections
    const own = app.collections.find((one) => path.includes(`.${one.name}.`)) ?? collection!
    const uri = uris.get(own.nsid)!
    if (name === 'uri') return uri
    if (name === 'actor' || name === 'did') return uri.split('/')[2]!
    if (name === 'collection') return collection!.nsid
    if (name === 'id') return '1'
    const { type, format, items = {}, enum: values, minimum = 1, examples } = schema
    const item = type === 'array' ? items : schema
    const first = (item.enum ?? values ?? item.examples ?? examples)?.[0]
    if (first !== undefined && format !== 'date-time') return String(first)
    if (item.type === 'boolean') return 'true'
    if (item.type === 'integer') return String(Math.max(1, minimum))
    return item.format === 'date-time' ? '2020-01-01T00:00:00Z' : 'bread'
  }

  async function call(operation: Operation, params: readonly Parameter[], secret = SECRET) {
    const { path, method } = operation
    const url = new URL(
      path.replace(/\{(\w+)\}/g, (_, name) => {
        const parameter = params.find((one) => one.name === name)!
        return encodeURIComponent(valueFor(parameter, operation))
      }),
      'http://localhost',
    )
    for (const parameter of params) {
      if (parameter.in === 'query') url.searchParams.append(parameter.name, valueFor(parameter, operation))
    }
    const headers = { authorization: `Bearer ${secret}` }
    const response = await indexer.fetch(new Request(url, { method: method.toUpperCase(), headers }))
    await indexer.idle()
    const what = `${method} ${url.pathname}${url.search} ${response.status}`
    const { content } = operation.responses[response.status] ?? operation.responses.default!
    const body: any = await response.json()
    expect([what, check(content['application/json'].schema, body)]).toEqual([what, ''])
    return { status: response.status, body, what }
  }

  test('every operation answers as it says, with every parameter', async () => {
    for (const operation of operations()) {
      const { parameters } = operation
      const required = parameters.filter((one) => one.required || one.name === 'id' || one.name === 'all')
      const plain = await call(operation, required)
      expect([plain.what, plain.status < 300]).toEqual([plain.what, true])
      if (Array.isArray(plain.body.records))
        expect([plain.what, plain.body.records.length > 0]).toEqual([plain.what, true])
      for (const one of parameters) {
        if (required.includes(one)) continue
        // What is embedded in something needs that to be embedded as well.
        const around = parameters.filter(({ name }) => /^hydrate/.test(name) && one.name.startsWith(name))
        const { status, what } = await call(operation, [...new Set([...required, ...around, one])])
        // What is no cursor of ours is the only value here that is at fault.
        expect([what, status < 300]).toEqual([what, one.name !== 'cursor'])
      }
      const embeds = parameters.filter(({ name }) => /^(hydrate|profiles)/.test(name))
      if (embeds.length > 0) await call(operation, [...required, ...embeds])
    }
  })

  test('and so do refusals', async () => {
    const nonsense = { name: 'nonsense', in: 'query', schema: { type: 'string' } } as const
    const statuses = new Set<number>()
    for (const operation of operations()) {
      const required = operation.parameters.filter((one) => one.required)
      if (operation.path.startsWith('/xrpc/')) statuses.add((await call(operation, [...required, nonsense])).status)
      if (operation.path.includes('.admin.')) statuses.add((await call(operation, required, 'wrong')).status)
    }
    for (const { nsid } of app.collections) uris.set(nsid, `at://did:plc:nobody/${nsid}/none`)
    for (const operation of operations()) {
      const required = operation.parameters.filter((one) => one.required)
      statuses.add((await call(operation, required)).status)
    }
    expect([...statuses].sort()).toEqual(expect.arrayContaining([200, 400, 403, 404]))
  })
})
