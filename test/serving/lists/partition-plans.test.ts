/** Which parts of a Postgres table a list reads. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app as calendar } from '../../../fixtures/apps/calendar/src/lexidex/index.ts'
import type { PostgresStore } from '../../../runtime/storage/postgres/index.ts'
import { numbered } from '../../../runtime/storage/postgres/sql.ts'
import type { PreparedQuery } from '../../../runtime/storage/store.ts'
import { openPartitioned } from '../../storage/postgres-harness.ts'
import { insertAll, type Params, type Served, serveAppOn } from '../support/index.ts'

let served: Served<PostgresStore>
let asked: { sql: string; values: readonly unknown[] }[] = []

const ACCOUNTS = 60
const named = (name: string) => calendar.collections.find((collection) => collection.name === name)!
const event = named('event')
const rsvp = named('rsvp')
const did = (n: number) => `did:plc:account${n}`

beforeAll(async () => {
  served = (await serveAppOn({ name: '', open: openPartitioned, share: 1 }, calendar)) as Served<PostgresStore>
  const { store } = served
  const prepare = store.prepare.bind(store)
  store.prepare = (sql: string): PreparedQuery => ({
    all(values) {
      asked.push({ sql: numbered(sql), values })
      return prepare(sql).all(values)
    },
  })
  const rows = (n: number, columns: (i: number) => Record<string, string | number>) =>
    Array.from({ length: n }, (_, i) => ({ did: did(i % ACCOUNTS), rkey: `k${i}`, sortAt: i, columns: columns(i) }))
  await insertAll(
    store,
    event,
    rows(3000, (i) => ({ mode: `m${i % 3}`, starts_at: i })),
  )
  await insertAll(
    store,
    rsvp,
    rows(3000, (i) => ({ subject_uri: `at://${did(i % 7)}/${event.nsid}/k${i % 7}` })),
  )
  await store.pool.query('ANALYZE')
})
afterAll(() => served?.close())

/** Plans of what a call asks, each as the nodes that ran. */
async function plansOf(method: string, params: Params): Promise<{ node: string; relation?: string }[][]> {
  asked = []
  await served.call(method, params)
  const plans = []
  for (const { sql, values } of asked) {
    const { rows } = await served.store.pool.query(`EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) ${sql}`, [...values])
    plans.push(nodesOf(rows[0]['QUERY PLAN'][0].Plan))
  }
  return plans
}

function nodesOf(plan: any): { node: string; relation?: string }[] {
  if (plan['Actual Loops'] === 0) return []
  const { 'Node Type': node, 'Relation Name': relation, Plans: below = [] } = plan
  return [{ node, ...(relation && { relation }) }, ...below.flatMap(nodesOf)]
}

const PARTS = ['event_p0', 'event_p1', 'event_p2']
const partsOf = (nodes: readonly { relation?: string }[]) =>
  nodes.flatMap(({ relation }) => (relation?.startsWith('event_p') ? [relation] : [])).sort()

test('a list of one account reads its part', async () => {
  const seen = new Set<string>()
  for (let n = 0; n < ACCOUNTS; n++) {
    const [nodes] = await plansOf('event.listRecords', { did: did(n), limit: 10 })
    const parts = partsOf(nodes!)
    expect(parts).toHaveLength(1)
    seen.add(parts[0]!)
    expect(nodes!.map(({ node }) => node)).toEqual(['Limit', 'Index Scan'])
  }
  expect([...seen].sort()).toEqual(PARTS)
})

test('other lists merge the indexes of all parts, and end with the page', async () => {
  for (const params of [{}, { order: 'asc' }, { mode: 'm1' }, { sort: 'startsAt' }, { sort: 'rsvpsCount' }]) {
    const first = await plansOf('event.listRecords', { ...params, limit: 10 })
    const { cursor } = await served.call('event.listRecords', { ...params, limit: 10 })
    for (const [nodes] of [first, await plansOf('event.listRecords', { ...params, limit: 10, cursor })]) {
      const told = JSON.stringify({ params, nodes })
      expect(partsOf(nodes!), told).toEqual(PARTS)
      const kinds = nodes!.map(({ node }) => node)
      expect(kinds.slice(0, 2), told).toEqual(['Limit', 'Merge Append'])
      expect(kinds.slice(2), told).toEqual(['Index Scan', 'Index Scan', 'Index Scan'])
    }
  }
})

test('no list walks a part, whatever it filters and embeds', async () => {
  const calls: Params[] = [
    { hydrateRsvps: 3 },
    { startsAtMin: '1970-01-01T00:00:00.000Z' },
    { rsvpsCountMin: 1 },
    { did: did(1), hydrateRsvps: 2 },
  ]
  for (const params of calls) {
    for (const nodes of await plansOf('event.listRecords', { ...params, limit: 10 })) {
      expect(
        nodes.filter(({ node, relation }) => node === 'Seq Scan' && /_p\d$/.test(relation ?? '')),
        JSON.stringify({ params, nodes }),
      ).toEqual([])
    }
  }
})
