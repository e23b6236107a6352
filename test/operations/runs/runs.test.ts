import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EVENT, type HttpFault, type Network, RSVP, startNetwork } from '../../../fixtures/network/index.ts'
import type { Logger } from '../../../runtime/core/log.ts'
import type { RunOutcome } from '../../../runtime/operations/runs/runs.ts'
import { type CalendarIndexer, eventually, expectSame, indexed, openIndexer } from '../support.ts'

const HOUR = 3_600_000
let network: Network
let indexer: CalendarIndexer
const events: string[] = []
const note = (line: unknown) => void events.push(String(line).split(' ')[0]!)
const logger: Logger = { log: note, warn: note, error: note }

beforeEach(async () => {
  events.length = 0
  const baseDate = new Date().toISOString()
  network = await startNetwork({ accounts: 12, events: 20, rsvps: 80, retained: 0, baseDate, clock: Date.now })
  indexer = await openIndexer(network, { logger })
})
afterEach(async () => {
  await indexer.close()
  await network.close()
})

const runs = (from = indexer) => from.db.selectFrom('lexidex_run').selectAll().orderBy('id').execute()
const run = async (from = indexer) => (await runs(from)).at(-1)!
const runErrors = () => indexer.db.selectFrom('lexidex_run_error').selectAll().orderBy('id').execute()

async function perform(...options: Parameters<typeof indexer.performBackfill>): Promise<RunOutcome> {
  const outcome = await indexer.performBackfill(...options)
  if (outcome.type === 'not_needed') throw new Error('No backfill was needed')
  return outcome as RunOutcome
}

/** As if nobody had followed the stream for days. */
async function forgetStream(from = indexer): Promise<void> {
  const cursor = String((Date.now() - 60 * HOUR) * 1000)
  await from.db.updateTable('lexidex_cursor').set({ cursor }).execute()
  await from.db
    .updateTable('lexidex_run')
    .set({ started_at: Date.now() - 60 * HOUR })
    .execute()
}

/** The account or collection that a request to a PDS is about. */
const about = ({ params }: Parameters<HttpFault>[0]) => params.get('repo') ?? params.get('did')

test('the first one is a full sync: everything, and a record of it', async () => {
  const outcome = await perform()
  await expectSame(indexer, network)
  expect(outcome).toMatchObject({ type: 'full_sync', reason: 'no_cursor', status: 'completed', errors: 0 })
  expect(outcome.didsProcessed).toBe(network.accounts.length)
  expect(outcome.recordsIndexed).toBeGreaterThanOrEqual(network.records(EVENT).length + network.records(RSVP).length)
  expect(await run()).toMatchObject({
    id: Number(outcome.backfillId),
    kind: 'full_sync',
    status: 'completed',
    dids_total: outcome.didsProcessed,
    dids_processed: outcome.didsProcessed,
    records: outcome.recordsIndexed,
    error_count: 0,
    error_message: null,
    completed_at: expect.any(Number),
  })
  expect(events).toEqual(['backfill.decision', 'backfill.completed'])
  expect(await indexer.performBackfill()).toEqual({ type: 'not_needed', reason: 'cursor_fresh' })
  expect(await runs()).toHaveLength(1)
})

describe('a catch-up', () => {
  beforeEach(async () => {
    await perform()
    // What happens now is on a stream that nobody follows.
    network.drift(150)
    await forgetStream()
  })

  test('finds what was created, changed and deleted meanwhile', async () => {
    expect(await perform()).toMatchObject({ type: 'catch_up', reason: 'cursor_too_old', status: 'completed' })
    await expectSame(indexer, network)
    expect(await indexer.performBackfill()).toMatchObject({ type: 'not_needed' })
  })

  test('takes an account for what it was, where its host does not answer, and has it compared later', async () => {
    const { did } = network.accounts[1]!
    const before = (await indexed(indexer, 'rsvp')).filter((line) => line.includes(did))
    expect(before.length).toBeGreaterThan(0)
    network.faults.pds = (request) => (about(request) === did ? { status: 502 } : undefined)
    const { errors } = await perform({ maxAttempts: 1 })
    expect(errors).toBeGreaterThan(0)
    expect((await indexed(indexer, 'rsvp')).filter((line) => line.includes(did))).toEqual(before)
    const due = await indexer.db.selectFrom('lexidex_account').select('did').where('resync', '=', 1).execute()
    expect(due).toEqual([{ did }])
  })

  test('that was interrupted fetches nothing twice, and is gone on with, counts and all', async () => {
    const abort = new AbortController()
    const first = await perform({
      concurrency: 2,
      signal: abort.signal,
      onProgress: ({ accountsDone }) => {
        if (accountsDone === 4) abort.abort()
      },
    })
    expect(first.status).toBe('interrupted')
    const { id, dids_processed, records } = await run()
    expect(await indexer.checkForInterruptedBackfill()).toMatchObject({ id, status: 'in_progress', kind: 'catch_up' })
    const done = await indexer.db
      .selectFrom('lexidex_job')
      .select(['did', 'collection'])
      .where('status', '=', 'completed')
      .execute()
    expect(done.length).toBeGreaterThan(0)

    const asked = new Set<string>()
    network.faults.pds = ({ method, params }) => {
      if (method === 'com.atproto.repo.listRecords') asked.add(`${params.get('repo')} ${params.get('collection')}`)
      return undefined
    }
    const second = await perform()
    expect(second).toMatchObject({ backfillId: String(id), type: 'catch_up', status: 'completed' })
    expect(second.didsProcessed).toBeGreaterThanOrEqual(dids_processed)
    expect(second.recordsIndexed).toBeGreaterThanOrEqual(records)
    expect(done.filter(({ did, collection }) => asked.has(`${did} ${collection}`))).toEqual([])
    await expectSame(indexer, network)
    expect(events).toContain('backfill.resuming')
    expect(events.at(-1)).toBe('backfill.resume.completed')
    expect(await indexer.checkForInterruptedBackfill()).toBeNull()
  })
})

test('a full sync that was interrupted can be gone on with by its row', async () => {
  const abort = new AbortController()
  const onProgress = ({ accountsDone }: { accountsDone: number }) => {
    if (accountsDone === 2) abort.abort()
  }
  await perform({ concurrency: 1, signal: abort.signal, onProgress })
  const interrupted = (await indexer.checkForInterruptedBackfill())!
  expect(interrupted.kind).toBe('full_sync')
  const outcome = await indexer.resumeBackfill(interrupted)
  expect(outcome).toMatchObject({ backfillId: String(interrupted.id), status: 'completed' })
  await expectSame(indexer, network)
})

test('a forced one fetches everything anew, and takes the place of one that was interrupted', async () => {
  const abort = new AbortController()
  abort.abort()
  await perform({ signal: abort.signal })
  const outcome = await perform({ force: 'full_sync' })
  expect(outcome).toMatchObject({ type: 'full_sync', reason: 'forced', status: 'completed' })
  expect(await runs()).toMatchObject([{ status: 'failed' }, { status: 'completed' }])
  const again = await perform({ force: 'catch_up' })
  expect(again.recordsIndexed).toBe(outcome.recordsIndexed)
})

test('a kill -9 in the middle loses nothing', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'lexidex-run-'))
  try {
    const path = join(directory, 'index.sqlite')
    const allowHosts = network.pds.map((url) => new URL(url).host)
    const options = { jetstreams: [network.jetstream], relays: [network.relay], plc: network.plc, allowHosts }
    const script = fileURLToPath(new URL('./run-process.ts', import.meta.url))
    const loader = ['-C', 'lexidex-source', '--import', import.meta.resolve('tsx')]
    const child = spawn(process.execPath, [...loader, script, path, JSON.stringify(options)], { stdio: 'inherit' })
    const closed = once(child, 'close')
    let requests = 0
    network.faults.pds = () => {
      if (++requests === 15) child.kill('SIGKILL')
      return undefined
    }
    await closed
    delete network.faults.pds
    network.drift(20)

    const next = await openIndexer(network, { path })
    expect((await run(next)).status).toBe('in_progress')
    await expect(next.performBackfill()).rejects.toThrow('Backfill is already in progress')
    // The lease of the dead runs out.
    await next.db.updateTable('lexidex_lease').set({ expires_at: 0 }).execute()
    expect(await next.performBackfill()).toMatchObject({ status: 'completed', backfillId: '1' })
    await next.ingest({ quietMs: 300 })
    await expectSame(next, network)
    await next.close()
  } finally {
    rmSync(directory, { recursive: true })
  }
}, 30_000)

describe('failures', () => {
  test('of hosts do not fail the run: each is kept with its reason, and counted', async () => {
    const { did } = network.accounts[0]!
    network.faults.pds = (request) =>
      about(request) === did ? { status: 503, body: { error: 'Busy', message: 'Not now' } } : undefined
    const { errors, backfilled } = await perform()
    expect(backfilled.retrying).toBe(errors)
    const kept = await runErrors()
    expect(kept).toHaveLength(errors)
    expect(new Set(kept.map((error) => error.did))).toEqual(new Set([did]))
    expect(kept.map(({ collection }) => collection)).toContain(RSVP)
    expect(kept[0]).toMatchObject({ run_id: 1, message: expect.stringContaining('Not now') })
    expect(await run()).toMatchObject({ status: 'completed', error_count: errors })
    expect(events.at(-1)).toBe('backfill.completed_with_errors')
  })

  test('of every host neither', async () => {
    network.faults.pds = () => 'hangup'
    network.faults.relay = ({ params }) => (params.get('collection') === RSVP ? { status: 500 } : undefined)
    const { errors, discovered } = await perform()
    expect(discovered.failed).toHaveLength(1)
    expect(errors).toBeGreaterThan(1)
    expect(await run()).toMatchObject({ status: 'completed', error_count: errors })
    expect((await runErrors())[0]).toMatchObject({ did: '', collection: RSVP, message: expect.stringContaining('500') })
  }, 30_000)

  test('that are mistakes in the code do', async () => {
    const onProgress = () => {
      throw new TypeError('onProgress is mistaken')
    }
    await expect(indexer.performBackfill({ onProgress })).rejects.toThrow(TypeError)
    expect(await run()).toMatchObject({ status: 'failed', error_message: 'onProgress is mistaken' })
    expect(events.at(-1)).toBe('backfill.failed')
    // And the next can begin at once. What was not done is not forgotten.
    expect(await indexer.performBackfill()).toMatchObject({ status: 'completed', reason: 'cursor_too_old' })
    await expectSame(indexer, network)
  })

  test('to keep the record of a run do not fail it', async () => {
    await sql`CREATE TRIGGER refuse BEFORE UPDATE OF records ON lexidex_run
      BEGIN SELECT RAISE(ABORT, 'not today'); END`.execute(indexer.db)
    expect(await perform()).toMatchObject({ status: 'completed' })
    expect(events).toContain('backfill.checkpoint_failed')
    expect(await run()).toMatchObject({ status: 'completed', records: 0 })
  })
})

describe('one at a time', () => {
  test('in whatever processes', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'lexidex-run-'))
    const path = join(directory, 'index.sqlite')
    const [one, other] = [await openIndexer(network, { path }), await openIndexer(network, { path })]
    try {
      let release = () => {}
      const held = new Promise<void>((resolve) => {
        release = resolve
      })
      network.faults.pds = async () => {
        await held
        return undefined
      }
      const first = one.performBackfill()
      await eventually(async () => expect(await other.checkForInterruptedBackfill()).not.toBeNull())
      await expect(other.performBackfill()).rejects.toThrow('Backfill is already in progress')
      await expect(one.performBackfill({ force: 'catch_up' })).rejects.toThrow('Backfill is already in progress')
      await expect(other.backfillAll()).rejects.toThrow('Backfill is already in progress')
      release()
      expect(await first).toMatchObject({ status: 'completed' })
      expect(await other.performBackfill()).toMatchObject({ type: 'not_needed' })
    } finally {
      await one.close()
      await other.close()
      rmSync(directory, { recursive: true })
    }
  })
})

describe('accounts of the config', () => {
  test('come first, and are known whether a relay lists them or not', async () => {
    const quiet = network.accounts.filter(({ did }) => !network.records(EVENT).some((record) => record.did === did))
    const repos = [network.accounts.at(-1)!.did, quiet[0]?.did ?? network.accounts.at(-2)!.did]
    const special = await openIndexer(network, { repos })
    try {
      const order: string[] = []
      network.faults.relay = () => void order.push('relay')
      network.faults.pds = (request) => void order.push(about(request)!)
      await special.performBackfill({ concurrency: 1 })
      const firstOfOthers = order.findIndex((entry) => !repos.includes(entry))
      expect(new Set(order.slice(0, firstOfOthers))).toEqual(new Set(repos))
      expect(order[firstOfOthers]).toBe('relay')
      await expectSame(special, network)
    } finally {
      await special.close()
    }
  })
})
