import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { app, createIndexer } from '../../fixtures/apps/calendar/src/lexidex/index.ts'
import { createAdmission } from '../../runtime/admission/admit.ts'
import { createApplier } from '../../runtime/apply/applier.ts'
import type { SourceItem } from '../../runtime/core/events.ts'
import { silentLogger } from '../../runtime/core/log.ts'
import type { Operation } from '../../runtime/core/operation.ts'
import { type Serving, serve } from '../../runtime/node/index.ts'
import { createSqliteStore, type SqliteStore } from '../../runtime/storage/sqlite/index.ts'
import { did, rev, START_US } from '../storage/app.ts'

const admission = createAdmission({ collections: app.collections, schemas: app.schemas })
const EVENT = 'community.lexicon.calendar.event'
const RSVP = 'community.lexicon.calendar.rsvp'

let directory: string
let store: SqliteStore
let indexer: ReturnType<typeof createIndexer>
let server: Serving

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'lexidex-'))
  store = createSqliteStore(join(directory, 'index.sqlite'))
  indexer = createIndexer(store, { logger: silentLogger })
  await indexer.migrate()
  server = await serve(indexer, { port: 0 })
})
afterEach(async () => {
  await server.close()
  await indexer.close()
  rmSync(directory, { recursive: true })
})

/** Events, nine rsvps to each, by many authors. */
function itemOf(n: number): SourceItem {
  const key = { did: did(`u${(n * 37) % 1000}`), rkey: `r${n}`, rev: rev(n), cid: `bafy${n}`, timeUs: START_US + n }
  const createdAt = new Date((START_US + n) / 1000).toISOString()
  const parent = n - (n % 10)
  const strongRef = { uri: `at://${did(`u${(parent * 37) % 1000}`)}/${EVENT}/r${parent}`, cid: `bafy${parent}` }
  const [collection, record] =
    n % 10 === 0
      ? [EVENT, { name: `Event ${n}`, description: 'words to be found '.repeat(20), createdAt }]
      : [RSVP, { subject: strongRef, status: `${RSVP}#going`, createdAt }]
  const position = { source: 'jetstream', epoch: 'host', cursor: String(n) }
  return { event: { kind: 'put', collection, record: { $type: collection, ...record }, ...key }, position }
}

async function readPage(): Promise<number> {
  const response = await fetch(`${server.url}/xrpc/com.example.event.listRecords?sort=rsvpsCount&limit=20`)
  expect(response.status).toBe(200)
  return ((await response.json()) as { records: unknown[] }).records.length
}

describe('while records are written', () => {
  test('timers and requests go on in the middle of a transaction', async () => {
    const operations = Array.from({ length: 20_000 }, (_, n) => admission.admit(itemOf(n).event as never) as Operation)
    let ticks = 0
    const timer = setInterval(() => ticks++, 5)
    let pages = 0
    let applied = false
    const batch = Promise.resolve(store.apply({ operations, positions: [], now: 1 })).then((result) => {
      applied = true
      return result
    })
    while (!applied) {
      // None of it is to be seen before all of it is.
      expect([0, 20]).toContain(await readPage())
      pages++
    }
    clearInterval(timer)
    expect(await batch).toMatchObject({ puts: 20_000 })
    expect(ticks).toBeGreaterThan(10)
    expect(pages).toBeGreaterThan(10)
    expect(await readPage()).toBe(20)
  })

  // `npm run bench -- live mixed` measures the delay. How long a few records take depends on what else the machine does;
  // how many of them there are between two turns does not.
  test('flat out, everybody else gets a turn every few records', async () => {
    const applier = createApplier({ store, admission })
    let most = 0
    let before = 0
    let pages = 0
    let done = false
    const look = () => {
      const { received } = applier.stats()
      most = Math.max(most, received - before)
      before = received
      if (!done) setImmediate(look)
    }
    setImmediate(look)
    const reader = (async () => {
      while (!done) {
        await readPage()
        pages++
      }
    })()
    for (let n = 0; n < 12_000; n++) await applier.push(itemOf(n))
    await applier.flush()
    done = true
    await reader
    await applier.close()
    expect(applier.stats()).toMatchObject({ received: 12_000, applied: 12_000 })
    expect(most).toBeLessThanOrEqual(30)
    expect(pages).toBeGreaterThan(10)
  })
})
