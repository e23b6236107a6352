/** How SQLite reads: every statement that the apps can ask for walks an index, and stops when its page is full. */
import { afterEach, describe, expect, test } from 'vitest'
import { app as bluesky } from '../../../fixtures/apps/bluesky/src/lexidex/index.ts'
import { app as calendar } from '../../../fixtures/apps/calendar/src/lexidex/index.ts'
import type { App, CollectionDef, ColumnKind, ListDef } from '../../../runtime/index.ts'
import { listFilters } from '../../../runtime/serving/params/params.ts'
import { insert, type Params, type RowInput, type Served, START_US, serveApp } from '../support/index.ts'
import { library } from '../support/library.ts'

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
  /** Whether the list is by relevance, or of what a search finds. */
  readonly searches: boolean
  /** Whether one index has what is asked for in the order that is asked for. */
  readonly inOrder: boolean
}

const COMMON = ['limit', 'cursor', 'order', 'did', 'actor', 'search', 'sort', 'profiles']

function requestsOf(app: App, def: ListDef): Request[] {
  const { collection, sorts, params: schema } = def
  const names = Object.keys(schema.shape)
  const hydrates = names.filter((name) => name.startsWith('hydrate'))
  const filters = names.filter((name) => !COMMON.includes(name) && !hydrates.includes(name))
  const one = (name: string): Params => ({ [name]: sample(app, def, name) })
  const columnOf = (name: string) =>
    Object.values((def.filters[name] ?? listFilters[name as 'createdAtMin']) as object)[0]
  const requests: Request[] = []
  const add = (params: Params, inOrder = false) =>
    requests.push({ params, inOrder, searches: params.search !== undefined })
  add({}, true)
  add({ did: 'did:plc:alice' }, true)
  for (const sort of Object.keys(sorts)) add({ sort }, true)
  // What is embedded in what is embedded needs that.
  for (const name of hydrates)
    add(Object.assign({}, ...hydrates.filter((other) => name.startsWith(other)).map(one)), true)
  for (const name of filters) {
    const column = columnOf(name)
    add(one(name), column === 'sort_at' || 'equal' in (def.filters[name] ?? {}) || 'anyOf' in (def.filters[name] ?? {}))
    add({ ...one(name), did: 'did:plc:alice' })
    for (const [sort, by] of Object.entries(sorts)) add({ ...one(name), sort }, by === column)
    for (const other of filters) if (other !== name) add({ ...one(name), ...one(other) })
    if (schema.shape[name].safeParse(['1', '2', '3']).success) {
      add({ [name]: ['1', '2', '3'] }, 'anyOf' in def.filters[name]!)
      add({ [name]: Array.from({ length: 40 }, (_, i) => i) })
    }
    if (collection.searchTable !== undefined) add({ search: 'word', ...one(name) })
  }
  if (collection.searchTable !== undefined) {
    add({ search: 'word' })
    for (const sort of Object.keys(sorts)) add({ search: 'word', sort })
  }
  return requests.flatMap((request) => {
    const byRelevance = request.searches && request.params.sort === undefined
    return byRelevance ? [request] : [request, { ...request, params: { ...request.params, order: 'asc' } }]
  })
}

/** What a column of a kind holds so that every sample matches it. */
const SAMPLES: Record<ColumnKind, string | number> = {
  text: 'did:plc:alice',
  integer: 1,
  boolean: 1,
  datetime: START_US,
  list: '["did:plc:alice"]',
}

function rowsOf(collection: CollectionDef, count: number): RowInput[] {
  const columns = Object.entries(collection.columns).map(([name, { kind }]) => [name, SAMPLES[kind]])
  const counts = Object.values(collection.counts).map((name) => [name, 1])
  const all = Object.fromEntries([...columns, ...counts])
  return Array.from({ length: count }, (_, i) => ({ rkey: `k${i}`, columns: all }))
}

const APPS = [
  ['calendar', calendar],
  ['bluesky', bluesky],
  ['library', library],
] as const

// Few rows for every filter, and many.
const SIZES = [
  ['few', 2, 2000],
  ['many', 6, 2],
] as const

describe.each(APPS)('%s', (_, app) => {
  test.each(SIZES)('where %s rows match', async (size, count, few) => {
    served = serveApp(app, {}, few)
    const plans = record(served.store)
    const lists = app.methods.filter((method): method is ListDef => method.kind === 'list')
    let statements = 0
    for (const def of lists) {
      const tables = app.collections.map(({ table }) => table)
      for (const row of rowsOf(def.collection, count)) insert(served.store, def.collection, row)
      for (const { params, inOrder, searches } of requestsOf(app, def)) {
        const method = def.nsid.slice(app.namespace.length + 1)
        const first = await served.call(method, { ...params, limit: 1 })
        if (first.cursor !== undefined) await served.call(method, { ...params, limit: 1, cursor: first.cursor })
        for (const { sql, steps } of plans()) {
          statements++
          const told = `${JSON.stringify(params)}\n${sql}\n${steps.join('\n')}`
          // The whole of a table, or of an index, is read only along the order, until the page is full.
          expect(
            steps.filter((step) => tables.some((table) => step === `SCAN ${table}`)),
            told,
          ).toEqual([])
          // What is embedded has statements of its own, which put few rows in order.
          const isList = sql.startsWith('select')
          const isSorted = isList && steps.some((step) => step.startsWith('USE TEMP B-TREE FOR ORDER BY'))
          // What a search matches is little, or bounded: it drives, and no index of the table.
          if (searches)
            expect(
              steps.filter((step) => step.includes('USING INDEX')),
              told,
            ).toEqual([])
          else if (inOrder) expect(isSorted, told).toBe(false)
          else if (isSorted) {
            // Then an index has led to few rows.
            const excludes = Object.entries(params).some(
              ([name, value]) => /(Not|CountMax)$/.test(name) || Array.isArray(value),
            )
            if (!excludes) expect(size, told).toBe('few')
            expect(steps, told).toContainEqual(expect.stringMatching(/^LIST SUBQUERY/))
            expect(
              steps.filter((step) => step.startsWith('SCAN') && !step.startsWith('SCAN (')),
              told,
            ).toEqual([])
          }
        }
      }
    }
    expect(statements).toBeGreaterThan(30)
  })
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
    [{ sort: 'startsAt' }, 'event_by_starts_at', '(starts_at>? AND (starts_at,sort_at,uri)<(?,?,?))'],
    [{ sort: 'rsvpsCount' }, 'event_by_rsvps_count', '((rsvps_count,sort_at,uri)<(?,?,?))'],
  ] as const) {
    const { cursor } = await served.call('event.listRecords', { ...params, limit: 1 })
    plans()
    await served.call('event.listRecords', { ...params, limit: 1, cursor })
    expect(plans().map(({ steps }) => steps)).toEqual([[`SEARCH event USING INDEX ${index} ${seek}`]])
  }
})
