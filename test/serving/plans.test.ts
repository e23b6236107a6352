/** How SQLite reads: every statement that the apps can ask for walks an index, and stops when its page is full. */
import { afterEach, expect, test } from 'vitest'
import { app as bluesky } from '../../fixtures/apps/bluesky/src/lexidex/index.ts'
import { app as calendar } from '../../fixtures/apps/calendar/src/lexidex/index.ts'
import type { App, ListDef } from '../../runtime/index.ts'
import { insert, type Params, type Served, START_US, serveApp } from './support/index.ts'
import { library } from './support/library.ts'

let served: Served
afterEach(() => served.close())

interface Plan {
  readonly sql: string
  readonly steps: readonly string[]
}

/** Plans of the statements that a request prepares. */
function record(store: Served['store']): () => Plan[] {
  const { prepare } = store
  let texts: string[] = []
  store.prepare = (sql) => {
    texts.push(sql)
    return prepare.call(store, sql)
  }
  return () => {
    const seen = texts
    texts = []
    return seen.map((sql) => {
      const steps = store.database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all()
      return { sql, steps: steps.map(({ detail }) => String(detail)) }
    })
  }
}

/** A value that each parameter accepts, by what its name or kind says. */
function sample(app: App, def: ListDef, name: string): string {
  for (const value of ['did:plc:alice', '2026-01-01T00:00:00Z', '1', 'true', 'word']) {
    if (def.params.shape[name].safeParse(value).success) return value
  }
  throw new Error(`No sample for ${app.namespace} ${def.nsid} ${name}`)
}

interface Request {
  readonly params: Params
  /** Whether the order is that which every index on a filter ends with, and no range is asked for. */
  readonly inOrder: boolean
}

function requestsOf(app: App, def: ListDef): Request[] {
  const { collection, sorts } = def
  const hydrates = Object.keys(def.params.shape).filter((name) => name.startsWith('hydrate') || name === 'profiles')
  const common = ['limit', 'cursor', 'order', 'did', 'actor', 'search', 'sort']
  const filters = Object.keys(def.params.shape).filter((name) => !common.includes(name) && !hydrates.includes(name))
  const isRange = (name: string) => /M(in|ax)$/.test(name)
  const one = (name: string): Params => ({ [name]: sample(app, def, name) })
  // What is embedded in something else needs that.
  const outerOf = (name: string): Params =>
    Object.assign({}, ...hydrates.filter((outer) => outer !== name && name.startsWith(outer)).map(one))
  const requests: Request[] = [
    { params: {}, inOrder: true },
    { params: { did: 'did:plc:alice' }, inOrder: true },
    ...Object.keys(sorts).map((sort) => ({ params: { sort }, inOrder: true })),
    ...hydrates.map((name) => ({ params: { ...outerOf(name), ...one(name) }, inOrder: true })),
  ]
  for (const name of filters) {
    requests.push({ params: one(name), inOrder: !isRange(name) })
    requests.push({ params: { ...one(name), did: 'did:plc:alice' }, inOrder: !isRange(name) })
    const sort = name.replace(/M(in|ax)$/, '')
    if (sort in sorts) requests.push({ params: { ...one(name), sort }, inOrder: true })
    if (sort in sorts && `${sort}Max` in def.params.shape) {
      requests.push({ params: { ...one(`${sort}Min`), ...one(`${sort}Max`), sort }, inOrder: true })
    }
    if (!isRange(name) && def.params.shape[name].safeParse(['1', '2', '3']).success) {
      requests.push({ params: { [name]: ['1', '2', '3'] }, inOrder: true })
      requests.push({ params: { [name]: Array.from({ length: 40 }, (_, i) => i) }, inOrder: false })
    }
    if (collection.searchTable !== undefined) {
      requests.push({ params: { search: 'word', ...one(name) }, inOrder: false })
    }
  }
  if (collection.searchTable !== undefined) {
    requests.push({ params: { search: 'word' }, inOrder: false })
    for (const sort of Object.keys(sorts)) requests.push({ params: { search: 'word', sort }, inOrder: false })
  }
  return requests.flatMap(({ params, inOrder }) => [
    { params, inOrder },
    ...('search' in params && params.sort === undefined ? [] : [{ params: { ...params, order: 'asc' }, inOrder }]),
  ])
}

test.each([
  ['calendar', calendar],
  ['bluesky', bluesky],
  ['library', library],
])('%s', async (_, app) => {
  served = serveApp(app)
  const plans = record(served.store)
  const lists = app.methods.filter((method): method is ListDef => method.kind === 'list')
  let statements = 0
  for (const def of lists) {
    const tables = [def.collection.table, ...app.collections.map(({ table }) => table)]
    // Two rows that match nothing but an empty filter: a first page of one, and a second.
    for (const rkey of ['a', 'b']) insert(served.store, def.collection, { rkey, sortAt: START_US })
    for (const { params, inOrder } of requestsOf(app, def)) {
      const method = def.nsid.slice(app.namespace.length + 1)
      const first = await served.call(method, { ...params, limit: 1 })
      if (first.cursor !== undefined) await served.call(method, { ...params, limit: 1, cursor: first.cursor })
      for (const { sql, steps } of plans()) {
        statements++
        const scans = steps.filter((step) => tables.some((table) => step === `SCAN ${table}`))
        // The children of a page are few: as rows, they are sorted together.
        const sorted = sql.includes('lexidex_parent') ? [] : steps
        const sorts = sorted.filter((step) => step.startsWith('USE TEMP B-TREE FOR ORDER BY'))
        const told = `${JSON.stringify(params)}\n${sql}\n${steps.join('\n')}`
        expect(scans, told).toEqual([])
        if (inOrder) expect(sorts, told).toEqual([])
        // What a search matches is little: it drives, and no index of the table.
        if ('search' in params)
          expect(
            steps.filter((step) => step.includes('USING INDEX')),
            told,
          ).toEqual([])
      }
    }
  }
  expect(statements).toBeGreaterThan(30)
})

test('the cursor of a page is where the next one begins to read', async () => {
  served = serveApp(calendar)
  const plans = record(served.store)
  const [event] = calendar.collections
  for (const rkey of ['a', 'b', 'c']) insert(served.store, event!, { rkey, columns: { mode: 'x', starts_at: 1 } })
  for (const [params, index, seek] of [
    [{}, 'event_by_sort_at', '((sort_at,uri)<(?,?))'],
    [{ order: 'asc' }, 'event_by_sort_at', '((sort_at,uri)>(?,?))'],
    [{ mode: 'x' }, 'event_by_mode', '(mode=? AND (sort_at,uri)<(?,?))'],
    [{ did: 'did:plc:alice' }, 'event_by_did', '(did=? AND (sort_at,uri)<(?,?))'],
    [{ sort: 'startsAt' }, 'event_by_starts_at', '(starts_at>? AND (starts_at,uri)<(?,?))'],
    [{ sort: 'rsvpsCount' }, 'event_by_rsvps_count', '((rsvps_count,uri)<(?,?))'],
  ] as const) {
    const { cursor } = await served.call('event.listRecords', { ...params, limit: 1 })
    plans()
    await served.call('event.listRecords', { ...params, limit: 1, cursor })
    expect(plans().map(({ steps }) => steps)).toEqual([[`SEARCH event USING INDEX ${index} ${seek}`]])
  }
})
