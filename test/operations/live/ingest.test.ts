import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { EVENT, type Network, PROFILE, RSVP, startNetwork } from '../../../fixtures/network/index.ts'
import { type CalendarIndexer, eventually, expectSame, indexed, openIndexer } from '../support.ts'

/** Short enough for tests, long enough for a busy machine to hand over what is on the way. */
const quietMs = 300
let network: Network
let indexer: CalendarIndexer

beforeEach(async () => {
  const baseDate = new Date().toISOString()
  network = await startNetwork({ accounts: 10, events: 20, rsvps: 80, baseDate, clock: Date.now })
  indexer = await openIndexer(network)
})
afterEach(async () => {
  await indexer.close()
  await network.close()
})

const putEvent = (rkey: string) =>
  network.put(network.accounts[0]!.did, EVENT, rkey, {
    $type: EVENT,
    name: 'Soup',
    createdAt: new Date().toISOString(),
  })

/** What has been written so far is then before whatever begins. */
const nextMillisecond = () => new Promise((resolve) => setTimeout(resolve, 5))

const saved = async (from = indexer) =>
  Number((await from.db.selectFrom('lexidex_cursor').select('cursor').executeTakeFirst())?.cursor)

/** As if the stream had been read up to then, and not further. */
async function readUpTo(timeUs: number, into = indexer): Promise<void> {
  const position = { epoch: new URL(network.jetstream).host, cursor: String(timeUs), updated_at: 0 }
  await into.db
    .insertInto('lexidex_cursor')
    .values({ source: 'jetstream', ...position })
    .onConflict((conflict) => conflict.column('source').doUpdateSet(position))
    .execute()
}

describe('a cycle', () => {
  test('reads everything that is there, and ends', async () => {
    await readUpTo(1)
    const result = await indexer.ingest({ quietMs })
    await expectSame(indexer, network)
    expect(result).toMatchObject({ caughtUp: true, applied: expect.any(Number) })
    const collections: readonly string[] = [EVENT, RSVP, PROFILE]
    const isWanted = (frame: Network['log'][number]) =>
      frame.kind !== 'commit' || collections.includes(frame.commit.collection)
    const wanted = network.log.filter(isWanted)
    expect(result.events).toBe(wanted.length)
    expect(await saved()).toBe(Number(result.position.cursor))
    await eventually(() => expect(network.subscribers).toBe(0))
  })

  test('ends at the first event that is later than its beginning', async () => {
    const stop = network.chatter({ everyMs: 5 })
    try {
      const result = await indexer.ingest({ quietMs: 60_000 })
      expect(result.caughtUp).toBe(true)
    } finally {
      stop()
    }
  })

  test('goes on where the one before ended', async () => {
    await readUpTo(1)
    await indexer.ingest({ quietMs })
    network.drift(60)
    await nextMillisecond()
    const second = await indexer.ingest({ quietMs })
    expect(second.events).toBeLessThanOrEqual(61)
    await expectSame(indexer, network)
    expect(await indexer.ingest({ quietMs })).toMatchObject({ applied: 0, caughtUp: true })
  })

  test('gets further however little time it has', async () => {
    await readUpTo(1)
    const cursors: number[] = []
    let result: Awaited<ReturnType<typeof indexer.ingest>>
    do {
      result = await indexer.ingest({ timeoutMs: 0, batchSize: 10, quietMs })
      cursors.push(await saved())
    } while (!result.caughtUp && cursors.length < 200)
    expect(cursors.length).toBeGreaterThan(2)
    expect(cursors.every((cursor, i) => i === 0 || cursor > cursors[i - 1]!)).toBe(true)
    await expectSame(indexer, network)
  })

  test('ends where a host is silent and answers no pings, with nothing read', async () => {
    const silent = new WebSocketServer({ port: 0, host: '127.0.0.1', autoPong: false })
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const other = await openIndexer(network, { jetstreams: [`ws://127.0.0.1:${port}`] })
    try {
      const result = await other.ingest({ timeoutMs: 100, quietMs })
      expect(result).toMatchObject({ events: 0, applied: 0, caughtUp: false })
    } finally {
      await other.close()
      silent.close()
    }
  }, 20_000)

  test('ends where no host can be reached, and keeps the position', async () => {
    await readUpTo(1_700_000_000_000_000)
    network.faults.subscribe = () => 'hangup'
    const abort = new AbortController()
    setTimeout(() => abort.abort(), 300)
    expect(await indexer.ingest({ signal: abort.signal })).toMatchObject({ events: 0, caughtUp: false })
    expect(await saved()).toBe(1_700_000_000_000_000)
  })

  test('that a signal ends has applied what it read', async () => {
    await readUpTo(1)
    const abort = new AbortController()
    let sent = 0
    network.faults.frames = () => {
      if (++sent === 30) abort.abort()
      return undefined
    }
    const { position, events } = await indexer.ingest({ batchSize: 10, signal: abort.signal })
    expect(await saved()).toBe(Number(position.cursor))
    delete network.faults.frames
    expect(events).toBeLessThan(network.log.length)
    await indexer.ingest({ quietMs })
    await expectSame(indexer, network)
  })

  test('that cannot write says so, and the position stays', async () => {
    await readUpTo(1)
    const full = { apply: indexer.store.apply }
    Object.assign(indexer.store, {
      apply: () => {
        throw Object.assign(new Error('database or disk is full'), { errcode: 13 })
      },
    })
    await expect(indexer.ingest({ timeoutMs: 200, quietMs })).rejects.toThrow('could not be applied')
    Object.assign(indexer.store, full)
    expect(await saved()).toBe(1)
    await indexer.ingest({ quietMs })
    await expectSame(indexer, network)
  })
})

describe('a quiet stream', () => {
  test('moves the position with the time, to a minute before the beginning', async () => {
    const hourAgo = (Date.now() - 3_600_000) * 1000
    const other = await startNetwork({ accounts: 1, events: 0, rsvps: 0, statuses: 0, profiles: 0, clock: Date.now })
    const quiet = await openIndexer(other)
    try {
      await readUpTo(hourAgo, quiet)
      const before = Date.now() * 1000
      const { caughtUp, events } = await quiet.ingest({ quietMs })
      expect({ caughtUp, events }).toEqual({ caughtUp: true, events: 0 })
      const cursor = await saved(quiet)
      expect(cursor).toBeGreaterThanOrEqual(before - 61_000_000)
      expect(cursor).toBeLessThanOrEqual(Date.now() * 1000 - 60_000_000)

      // What comes then is seen.
      const { did } = other.accounts[0]!
      other.put(did, EVENT, 'late', { $type: EVENT, name: 'Soup', createdAt: new Date().toISOString() })
      await nextMillisecond()
      expect(await quiet.ingest({ quietMs })).toMatchObject({ applied: 1, caughtUp: true })
    } finally {
      await quiet.close()
      await other.close()
    }
  })

  test('is not taken for one that has been read before a host answers for its silence', async () => {
    await readUpTo(1)
    network.faults.subscribe = async () => {
      await new Promise((resolve) => setTimeout(resolve, 3 * quietMs))
      return undefined
    }
    await indexer.ingest({ quietMs })
    await expectSame(indexer, network)
  })
})

test('a process that is killed in the middle of a backlog has moved the position, with everything before it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'lexidex-ingest-'))
  const path = join(directory, 'index.sqlite')
  try {
    for (let i = 0; i < 3000; i++) putEvent(`r${i}`)
    const watcher = await openIndexer(network, { path })
    await readUpTo(1, watcher)
    const script = fileURLToPath(new URL('./ingest-process.ts', import.meta.url))
    const loader = ['-C', 'lexidex-source', '--import', import.meta.resolve('tsx')]
    const child = spawn(process.execPath, [...loader, script, path, network.jetstream], { stdio: 'inherit' })
    const closed = once(child, 'close')
    await eventually(async () => expect(await saved(watcher)).toBeGreaterThan(1))
    child.kill('SIGKILL')
    await closed

    const cursor = await saved(watcher)
    const passed = network.log.filter(
      (frame) => frame.kind === 'commit' && frame.commit.collection === EVENT && frame.time_us <= cursor,
    )
    expect(passed.length).toBeGreaterThan(0)
    const held = new Set((await indexed(watcher, 'event')).map((line) => line.split(' ')[0]))
    for (const frame of passed) {
      if (frame.kind === 'commit') expect(held).toContain(`at://${frame.did}/${EVENT}/${frame.commit.rkey}`)
    }
    await watcher.ingest({ quietMs })
    await expectSame(watcher, network)
    await watcher.close()
  } finally {
    rmSync(directory, { recursive: true })
  }
}, 30_000)
