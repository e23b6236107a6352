/** `fixtures/apps/worker` and Wrangler itself. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { getPlatformProxy, type PlatformProxy } from 'wrangler'
import { app, createIndexer } from '../../fixtures/apps/worker/src/lexidex/index.ts'
import { silentLogger } from '../../runtime/core/log.ts'
import { makeTid } from '../../runtime/core/tid.ts'
import { createD1Store, type D1Binding } from '../../runtime/storage/d1/index.ts'
import { batchOf, did, put, START_US } from '../storage/app.ts'
import { D1Server } from '../storage/d1-harness.ts'
import { bundleWorker, foreignImports } from './bundle.ts'
import { APP, wrangler } from './wrangler.ts'

let state: string
let proxy: PlatformProxy<{ DB: D1Binding }>
const server = new D1Server()

beforeAll(async () => {
  state = mkdtempSync(path.join(tmpdir(), 'lexidex-wrangler-'))
})
afterAll(async () => {
  await proxy?.dispose()
  await server.close()
  rmSync(state, { recursive: true, force: true })
})

test('the bundle has nothing of Node', async () => {
  expect(foreignImports(await bundleWorker('fixtures/apps/worker/src/index.ts'))).toEqual([])
})

test('Wrangler deploys it', async () => {
  const output = await wrangler('deploy', '--dry-run', '--outdir', path.join(state, 'out'))
  expect(output).toContain('env.DB')
  expect(readdirSync(path.join(state, 'out'))).toContain('index.js')
})

describe('the local database', () => {
  test('takes the emitted migrations from Wrangler as from us', async () => {
    const output = await wrangler('d1', 'migrations', 'apply', 'DB', '--local', '--persist-to', state)
    expect(output).toContain('0001_init.sql')
    const persist = { path: path.join(state, 'v3') }
    proxy = await getPlatformProxy({ configPath: path.join(APP, 'wrangler.jsonc'), persist })
    const byWrangler = proxy.env.DB
    expect(await createD1Store(byWrangler).migrate(app.migrations.sqlite!)).toEqual([])

    const { binding: byUs } = await server.open()
    await createD1Store(byUs).migrate(app.migrations.sqlite!)
    expect(await schemaOf(byWrangler)).toEqual(await schemaOf(byUs))
  })

  test('is looked after by the SQL of `admin/`', async () => {
    const { DB } = proxy.env
    const indexer = createIndexer(createD1Store(DB), { logger: silentLogger })
    await indexer.migrate()
    const collection = app.collections.find(({ name }) => name === 'status')!
    const cursor = String(START_US)
    await indexer.store.apply({
      ...batchOf(put({ collection, rev: 1, record: { status: '👍' } }), put({ collection, rev: 2, did: did('bob') })),
      positions: [{ source: 'jetstream', epoch: 'jetstream.test', cursor }],
    })
    await indexer.db
      .insertInto('lexidex_job')
      .values({ did: did('alice'), collection: collection.nsid, status: 'completed', updated_at: 1 })
      .execute()

    const [counts, jobs, cursors] = await run(DB, 'counts.sql')
    expect(counts).toContainEqual({ collection: 'status', records: 2, accounts: 2 })
    expect(jobs).toContainEqual({ collection: collection.nsid, status: 'completed', accounts: 1, last_error: null })
    expect(cursors).toMatchObject([{ host: 'jetstream.test', read_up_to: '2026-01-01 00:00:00' }])

    await run(DB, 'reset-backfills.sql')
    expect((await run(DB, 'counts.sql'))[1]).toContainEqual(
      expect.objectContaining({ collection: collection.nsid, status: 'pending' }),
    )
    await run(DB, 'reset-cursor.sql')
    expect((await run(DB, 'counts.sql'))[2]).toEqual([])
    await run(DB, 'delete-collection.sql')
    expect((await run(DB, 'counts.sql'))[0]).toContainEqual({ collection: 'status', records: 0, accounts: 0 })
    // What was emptied can be filled again, with the same versions.
    await indexer.store.apply(batchOf({ ...put({ collection, rev: 1 }), rev: makeTid(START_US) }))
    expect((await run(DB, 'counts.sql'))[0]).toContainEqual({ collection: 'status', records: 1, accounts: 1 })
  })
})

async function schemaOf(binding: D1Binding): Promise<unknown[]> {
  const { results } = await binding
    .prepare(`SELECT type, name, tbl_name, sql FROM sqlite_master
WHERE name NOT LIKE '_cf%' AND tbl_name <> 'd1_migrations' ORDER BY type, name`)
    .all()
  // Wrangler leaves comments out.
  return results.map((row) => ({ ...row, sql: row.sql?.replace(/--.*$/gm, '').replace(/\s+/g, ' ').trim() }))
}

/** Rows of each statement of a file. */
async function run(binding: D1Binding, file: string): Promise<unknown[]> {
  const statements = readFileSync(path.join(APP, 'admin', file), 'utf8').split(/;\n/)
  const answers = await binding.batch(statements.filter((sql) => /^\w/m.test(sql)).map((sql) => binding.prepare(sql)))
  return answers.map(({ results }) => results)
}
