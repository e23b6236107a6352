import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EVENT, type Network, RSVP, startNetwork } from '../../../fixtures/network/index.ts'
import type { Logger } from '../../../runtime/core/log.ts'
import { type CalendarIndexer, manualClock, openIndexer } from '../support.ts'

const HOUR = 3_600_000
let network: Network
let indexer: CalendarIndexer
let clock: ReturnType<typeof manualClock>
const log: unknown[][] = []
/** Lines of events as their level, name and fields. */
const note = (level: string) => (line: unknown) => {
  const [, name, fields] = /^(\S+) (\{.*\})$/.exec(String(line)) ?? []
  log.push(fields === undefined ? [level, line] : [level, name, JSON.parse(fields)])
}
const logger: Logger = { log: note('log'), warn: note('warn'), error: note('error') }

beforeEach(async () => {
  log.length = 0
  clock = manualClock()
  network = await startNetwork({ accounts: 3, events: 3, rsvps: 3, retained: 0 })
  indexer = await openIndexer(network, { clock, logger })
})
afterEach(async () => {
  await indexer.close()
  await network.close()
})

/** A position of that age. */
async function setCursor(ageMs: number): Promise<void> {
  const position = { epoch: 'host', cursor: String((clock.now() - ageMs) * 1000), updated_at: 0 }
  await indexer.db
    .insertInto('lexidex_cursor')
    .values({ source: 'jetstream', ...position })
    .onConflict((conflict) => conflict.column('source').doUpdateSet(position))
    .execute()
}

/** As after a full sync: accounts are known and every listing was walked. */
async function fill(): Promise<void> {
  await indexer.db.insertInto('lexidex_account').values({ did: network.accounts[0]!.did, first_seen_at: 0 }).execute()
  const listings = [EVENT, RSVP].map((collection) => ({
    relay: network.relay,
    collection,
    completed: 1,
    updated_at: 0,
  }))
  await indexer.db.insertInto('lexidex_discovery').values(listings).execute()
}

async function addRun(reason: string, startedAt: number, status = 'in_progress'): Promise<number> {
  const row = { kind: reason === 'requested' ? 'full_sync' : 'catch_up', reason, status, started_at: startedAt }
  const { id } = await indexer.db.insertInto('lexidex_run').values(row).returning('id').executeTakeFirstOrThrow()
  return id
}

describe('a backfill', () => {
  test('is due where nothing was read yet', async () => {
    expect(await indexer.decideBackfill()).toEqual({
      type: 'full_sync',
      reason: 'no_cursor',
      cursorAgeHours: null,
      interrupted: null,
    })
    expect(log).toEqual([
      ['log', 'backfill.decision', { status: 'full_sync', reason: 'no_cursor', cursorAgeHours: null }],
    ])
  })

  test('is not due where the position is fresh', async () => {
    await fill()
    await setCursor(3 * HOUR)
    expect(await indexer.decideBackfill()).toMatchObject({
      type: 'not_needed',
      reason: 'cursor_fresh',
      cursorAgeHours: 3,
    })
    expect(log).toEqual([
      ['log', 'backfill.decision', { status: 'not_needed', reason: 'cursor_fresh', cursorAgeHours: 3 }],
    ])
  })

  test('is due where the position is older than 48 h, or than one says', async () => {
    await fill()
    await setCursor(48 * HOUR)
    expect(await indexer.decideBackfill()).toMatchObject({ type: 'not_needed' })
    await setCursor(48 * HOUR + 1)
    expect(await indexer.decideBackfill()).toMatchObject({
      type: 'catch_up',
      reason: 'cursor_too_old',
      cursorAgeHours: 48,
    })
    expect(await indexer.decideBackfill({ maxCursorAgeMs: 72 * HOUR })).toMatchObject({ type: 'not_needed' })
    await setCursor(2 * HOUR)
    expect(await indexer.decideBackfill({ maxCursorAgeMs: HOUR })).toMatchObject({ type: 'catch_up' })
  })

  test('is due where no account is known', async () => {
    await setCursor(HOUR)
    expect(await indexer.decideBackfill()).toMatchObject({ type: 'full_sync', reason: 'db_inconsistency' })
  })

  test('is due where the accounts of a collection were never listed to the end', async () => {
    await fill()
    await setCursor(HOUR)
    await indexer.db.updateTable('lexidex_discovery').set({ completed: 0 }).where('collection', '=', RSVP).execute()
    expect(await indexer.decideBackfill()).toMatchObject({ type: 'full_sync', reason: 'db_inconsistency' })
  })

  test('is due where an account of the config is not known', async () => {
    await fill()
    await setCursor(HOUR)
    const options = { relays: [network.relay], plc: network.plc, clock, logger }
    const { createIndexer } = await import('../../../runtime/indexer.ts')
    const [known, unknown] = network.accounts.map(({ did }) => did)
    const withRepos = (repos: readonly string[]) =>
      createIndexer(indexer.app, indexer.store, { ...options, repos }).decideBackfill()
    expect(await withRepos([known!, known!])).toMatchObject({ type: 'not_needed' })
    expect(await withRepos([known!, unknown!])).toMatchObject({ type: 'full_sync', reason: 'db_inconsistency' })
  })

  test('is due where the database cannot be asked', async () => {
    await indexer.db.schema.dropTable('lexidex_run').execute()
    expect(await indexer.decideBackfill()).toMatchObject({ type: 'full_sync', reason: 'db_query_failed' })
    expect(log).toEqual([['error', 'backfill.decision', expect.objectContaining({ reason: 'db_query_failed' })]])
  })

  test('is due after the stream went on from a position that was too old, however new it is now', async () => {
    await fill()
    await setCursor(60 * HOUR)
    await indexer.ingest({ quietMs: 50 })
    expect(log).toContainEqual(['warn', expect.stringContaining('last read 60 h ago')])
    await setCursor(0)
    expect(await indexer.decideBackfill()).toMatchObject({ type: 'catch_up', reason: 'cursor_too_old' })
  })

  test('is not due again after one that took nothing for granted, although nobody follows the stream', async () => {
    await fill()
    await setCursor(60 * HOUR)
    await addRun('cursor_too_old', clock.now() - HOUR, 'completed')
    expect(await indexer.decideBackfill()).toMatchObject({ type: 'not_needed', cursorAgeHours: 1 })
    clock.advance(48 * HOUR)
    expect(await indexer.decideBackfill()).toMatchObject({ type: 'catch_up' })
  })

  test('that only looked for what is new makes an old position no better', async () => {
    await fill()
    await setCursor(60 * HOUR)
    await addRun('requested', clock.now() - HOUR, 'completed')
    expect(await indexer.decideBackfill()).toMatchObject({ type: 'catch_up' })
  })
})

describe('one that was interrupted', () => {
  test.each(['requested', 'db_inconsistency', 'cursor_too_old'])('is gone on with (%s)', async (reason) => {
    await setCursor(HOUR)
    const id = await addRun(reason, clock.now() - HOUR)
    const { interrupted, ...decision } = await indexer.decideBackfill()
    expect(decision).toMatchObject({ reason: 'interrupted', type: interrupted!.kind })
    expect(interrupted).toMatchObject({ id, reason })
    expect(log).toEqual([['log', 'backfill.decision', expect.objectContaining({ backfillId: String(id) })]])
  })

  test('is gone on with where it makes up for an old position', async () => {
    await setCursor(60 * HOUR)
    await addRun('cursor_too_old', clock.now() - HOUR)
    expect(await indexer.decideBackfill()).toMatchObject({ reason: 'interrupted' })
  })

  test('gives way where it does not reach back to what was missed', async () => {
    await setCursor(60 * HOUR)
    await addRun('requested', clock.now() - HOUR)
    expect(await indexer.decideBackfill()).toMatchObject({ type: 'catch_up', reason: 'cursor_too_old' })
  })

  test('gives way where it was begun too long ago', async () => {
    await setCursor(60 * HOUR)
    await addRun('cursor_too_old', clock.now() - 50 * HOUR)
    expect(await indexer.decideBackfill()).toMatchObject({ reason: 'cursor_too_old', interrupted: null })
  })
})
