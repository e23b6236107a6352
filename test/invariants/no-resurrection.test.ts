/** Invariant 2: a put with a rev that is not later than that of a deletion that was seen never shows. */
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type CommitFrame, EVENT, type Network, PROFILE, RSVP } from '../../fixtures/network/index.ts'
import { createRandom, type Random } from '../../fixtures/network/random.ts'
import type { Database } from '../storage/harness.ts'
import { databases, kinds, withDatabase } from './support/databases.ts'
import { ACCOUNTS, type Action, history, perform } from './support/history.ts'
import {
  type CalendarIndexer,
  clientOf,
  emptyNetwork,
  eventually,
  openCalendar,
  pause,
  readUpTo,
} from './support/index.ts'
import { cases, patience } from './support/settings.ts'
import { expectRecount } from './support/visible.ts'

const TABLES = ['event', 'rsvp', 'profile'] as const

const soup = (name = 'Soup') => ({ $type: EVENT, name, createdAt: new Date().toISOString() })

/** Rows that are there although the stream has been applied beyond their deletion, and nobody has made them anew. */
async function resurrected(network: Network, { db }: CalendarIndexer): Promise<string[]> {
  const { cursor } = await db.selectFrom('lexidex_cursor').select('cursor').executeTakeFirstOrThrow()
  const rows = await Promise.all(TABLES.map((table) => db.selectFrom(table).select('uri').execute()))
  // By rev: a stream that repeats itself tells of a deletion again after what came later.
  const last = new Map<string, { deleted: boolean; at: number; rev: string }>()
  for (const frame of network.log) {
    if (frame.kind !== 'commit') continue
    const uri = `at://${frame.did}/${frame.commit.collection}/${frame.commit.rkey}`
    const { operation, rev } = frame.commit
    if (rev <= (last.get(uri)?.rev ?? '')) continue
    last.set(uri, { deleted: operation === 'delete', at: frame.time_us, rev })
  }
  return rows.flat().flatMap(({ uri }) => {
    const { deleted, at } = last.get(uri)!
    return deleted && at <= Number(cursor) ? [uri] : []
  })
}

/** Everything that reads and writes at a time, from hosts that answer late. */
async function checkLateAnswers(database: Database, actions: readonly Action[], random: Random): Promise<void> {
  const network = await emptyNetwork({ accounts: ACCOUNTS })
  const indexer = await openCalendar(network, { database })
  const abort = new AbortController()
  try {
    await readUpTo(network, indexer, 1)
    // The host has read when the request comes, and answers later.
    network.faults.pds = async (_request, answer) => {
      const reply = await answer()
      await pause(random.int(60))
      return reply
    }
    const following = indexer.runPersistent({ signal: abort.signal, flushIntervalMs: 3, batchSize: 4 })
    let busy = true
    const loop = async (work: () => Promise<unknown>) => {
      while (busy) {
        await work()
        await pause(random.int(10))
      }
    }
    const written = () =>
      network.log.flatMap((frame) =>
        frame.kind === 'commit' ? [`at://${frame.did}/${frame.commit.collection}/${frame.commit.rkey}`] : [],
      )
    const sources = [
      loop(() => indexer.performBackfill({ force: 'catch_up' })),
      loop(() => indexer.refresh({ ignoreWindowMs: 0 })),
      loop(() => indexer.notify(written().slice(-5))),
      loop(async () => expect(await resurrected(network, indexer)).toEqual([])),
    ]
    const watched = Promise.all(sources).finally(() => {
      busy = false
    })
    for (const [i, action] of actions.entries()) {
      // Late again, in the stream as well; what deletes is what matters here, so accounts stay as they are.
      if (action.kind !== 'status' && action.kind !== 'move') perform(network, action)
      if (i % 3 === 0) await pause(4)
    }
    await pause(60)
    busy = false
    await watched
    abort.abort()
    await following
    expect(await resurrected(network, indexer)).toEqual([])
    await expectRecount(indexer)
  } finally {
    abort.abort()
    await indexer.close()
    await network.close()
  }
}

describe.each(databases)('$name', (one) => {
  test(
    'nothing that was deleted shows again, however late what was read before arrives',
    async () => {
      const run = fc.record({ actions: history({ min: 20, max: 60 }), seed: fc.nat() })
      await fc.assert(
        fc.asyncProperty(run, ({ actions, seed }) =>
          withDatabase(one, (database) => checkLateAnswers(database, actions, createRandom(seed))),
        ),
        cases(6 * one.share),
      )
    },
    patience(60_000),
  )
})

describe.each(kinds)('$name: a deletion that was seen wins over', ({ open }) => {
  let database: Database
  let network: Network
  let indexer: CalendarIndexer
  let did: string
  let abort: AbortController
  let following: Promise<void>

  beforeEach(async () => {
    database = await open()
    network = await emptyNetwork({ accounts: 2 })
    indexer = await openCalendar(network, { database })
    did = network.accounts[0]!.did
    await readUpTo(network, indexer, 1)
    network.put(did, EVENT, 'stays', soup('Stew'))
    network.put(did, EVENT, 'goes', soup())
    abort = new AbortController()
    following = indexer.runPersistent({ signal: abort.signal, flushIntervalMs: 3 })
    await eventually(async () => expect(await uris()).toHaveLength(2))
  })
  afterEach(async () => {
    abort.abort()
    await following
    await indexer.close()
    await network.close()
    await database.drop()
  })

  const uris = async () => (await indexer.db.selectFrom('event').select('rkey').execute()).map(({ rkey }) => rkey)

  const caughtUp = () =>
    eventually(async () => {
      const { cursor } = await indexer.db.selectFrom('lexidex_cursor').select('cursor').executeTakeFirstOrThrow()
      expect(Number(cursor)).toBeGreaterThanOrEqual(network.log.at(-1)!.time_us)
    })

  async function remove(): Promise<void> {
    network.delete(did, EVENT, 'goes')
    await eventually(async () => expect(await uris()).toEqual(['stays']))
  }

  /** Holds the answers to `method` back, as they were when the request came. */
  function holdBack(method: string): { asked: Promise<void>; release(): void } {
    let release = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const asked = new Promise<void>((resolve) => {
      network.faults.pds = async (request, answer) => {
        // An account is listed where its host gives no archives.
        if (method.endsWith('listRecords') && request.method.endsWith('getRepo')) return { status: 501 }
        if (request.method !== method) return
        const reply = await answer()
        resolve()
        await released
        return reply
      }
    })
    return { asked, release }
  }

  /** Begins, deletes once the PDS was asked, and lets the answer through when the deletion is applied. */
  async function deleteWhile(method: string, work: () => Promise<unknown>): Promise<void> {
    const { asked, release } = holdBack(method)
    const working = work()
    await asked
    await remove()
    release()
    await working
    delete network.faults.pds
    await caughtUp()
    expect(await uris()).toEqual(['stays'])
  }

  test('a listing that was read before', async () => {
    await deleteWhile('com.atproto.repo.listRecords', () => indexer.backfill({ dids: [did] }))
  })

  test('an archive that was read before', async () => {
    await deleteWhile('com.atproto.sync.getRepo', () => indexer.backfill({ dids: [did] }))
  })

  test('a refresh whose archive was read before', async () => {
    await deleteWhile('com.atproto.sync.getRepo', () => indexer.refresh({ ignoreWindowMs: 0 }))
  })

  test('a notification whose record was read before', async () => {
    await deleteWhile('com.atproto.repo.getRecord', () => indexer.notify(`at://${did}/${EVENT}/goes`))
  })

  test('what is fetched on demand, read before', async () => {
    await deleteWhile('com.atproto.repo.listRecords', () => clientOf(indexer).event.listRecords({ actor: did }))
  })

  test('the same commits once more, in any order', async () => {
    const mine = network.log.filter((frame): frame is CommitFrame => frame.kind === 'commit')
    await remove()
    for (const { time_us: _, ...frame } of mine.reverse()) network.emit(frame)
    await caughtUp()
    expect(await uris()).toEqual(['stays'])
  })

  test('an update of before that comes after it', async () => {
    const { rev } = network.put(did, EVENT, 'goes', soup('Later soup'))
    const frame = network.log.at(-1) as CommitFrame
    await remove()
    network.emit({ ...frame, commit: { ...frame.commit, rev } })
    await caughtUp()
    expect(await uris()).toEqual(['stays'])
  })

  test('a refused version: it is gone, and what came before it does not come back', async () => {
    const before = network.log.at(-1) as CommitFrame
    network.put(did, EVENT, 'goes', { $type: EVENT, name: 7 as unknown as string })
    await eventually(async () => expect(await uris()).toEqual(['stays']))
    network.emit(before)
    await caughtUp()
    expect(await uris()).toEqual(['stays'])
    network.put(did, EVENT, 'goes', soup('Mended'))
    await eventually(async () => expect((await uris()).sort()).toEqual(['goes', 'stays']))
  })

  test('children and profiles of an account that is deleted, until it is back', async () => {
    network.put(did, PROFILE, 'self', { $type: PROFILE, displayName: 'Mira' })
    const event = network.records(EVENT)[0]!
    network.put(did, RSVP, 'r', { $type: RSVP, subject: { uri: event.uri, cid: event.cid }, status: `${RSVP}#going` })
    const commits = network.log.filter((frame): frame is CommitFrame => frame.kind === 'commit')
    network.account(did, { active: false, status: 'deleted' })
    const rows = async () =>
      (await Promise.all(TABLES.map((table) => indexer.db.selectFrom(table).select('uri').execute()))).flat()
    const status = async () =>
      (await indexer.db.selectFrom('lexidex_account').select('status').where('did', '=', did).executeTakeFirst())
        ?.status
    await eventually(async () => expect(await status()).toBe('deleted'))
    expect(await rows()).toEqual([])
    for (const { time_us: _, ...frame } of commits) network.emit(frame)
    await caughtUp()
    await indexer.notify(event.uri)
    await indexer.backfill({ dids: [did] })
    expect(await rows()).toEqual([])

    network.account(did, { active: true })
    await eventually(async () => expect(await rows()).toHaveLength(4))
  })
})
