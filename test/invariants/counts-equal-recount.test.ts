/** Invariant 6: counts equal a recount, always, and leave out accounts that are hidden. */
import fc from 'fast-check'
import { type Kysely, sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import type { Database as Bluesky } from '../../fixtures/apps/bluesky/src/lexidex/tables.ts'
import type { Network, RecordValue } from '../../fixtures/network/index.ts'
import type { Database } from '../storage/harness.ts'
import { databases, withDatabase } from './support/databases.ts'
import { ACCOUNTS, type Action, history, perform } from './support/history.ts'
import {
  emptyNetwork,
  eventually,
  openBluesky,
  openCalendar,
  pause,
  presentNetwork,
  readUpTo,
} from './support/index.ts'
import { cases, patience } from './support/settings.ts'
import { expectRecount, truth, visible } from './support/visible.ts'

const NSID = {
  post: 'app.bsky.feed.post',
  like: 'app.bsky.feed.like',
  repost: 'app.bsky.feed.repost',
  follow: 'app.bsky.graph.follow',
  profile: 'app.bsky.actor.profile',
} as const
const KEYS = ['a', 'b', 'c'] as const
const CID = 'bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'

const who = fc.nat(ACCOUNTS - 1)
const key = fc.constantFrom(...KEYS)
/** A record that appears, changes or, without a target, disappears. */
const write = fc.record({
  table: fc.constantFrom('post', 'post', 'like', 'like', 'repost', 'follow', 'profile'),
  who,
  key,
  target: fc.option(fc.record({ who, key }), { freq: 4 }),
})
const status = fc.record({ who, status: fc.constantFrom('active', 'active', 'deactivated', 'takendown', 'deleted') })
const step = fc.oneof({ weight: 8, arbitrary: write }, { weight: 1, arbitrary: status })
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

function take(network: Network, step: Step): void {
  const { did, active } = network.accounts[step.who]!
  if ('status' in step) {
    network.account(did, step.status === 'active' ? { active: true } : { active: false, status: step.status })
    return
  }
  if (!active) return
  const table = step.table as keyof typeof NSID
  const rkey = table === 'profile' ? 'self' : step.key
  const exists = network.records(NSID[table]).some((record) => record.uri === `at://${did}/${NSID[table]}/${rkey}`)
  if (step.target !== null) network.put(did, NSID[table], rkey, recordOf(network, table, step.target))
  else if (exists) network.delete(did, NSID[table], rkey)
}

function recordOf(network: Network, table: keyof typeof NSID, target: { who: number; key: string }): RecordValue {
  const author = network.accounts[target.who]!.did
  const subject = { uri: `at://${author}/${NSID.post}/${target.key}`, cid: CID }
  const createdAt = new Date().toISOString()
  switch (table) {
    case 'post':
      return { $type: NSID.post, text: target.key, createdAt, reply: { root: subject, parent: subject } }
    case 'follow':
      return { $type: NSID.follow, subject: author, createdAt }
    case 'profile':
      return { $type: NSID.profile, displayName: target.key }
    default:
      return { $type: NSID[table], subject, createdAt }
  }
}

/** One statement for each table, so that it holds at any moment. */
async function expectBlueskyRecount(db: Kysely<Bluesky>): Promise<void> {
  const posts = await sql`
    SELECT * FROM (
      SELECT uri, likes_count, replies_count, reposts_count,
        (SELECT count(DISTINCT did) FROM "like" WHERE subject_uri = post.uri AND hidden = 0) AS likes,
        (SELECT count(*) FROM post AS reply WHERE reply.reply_parent_uri = post.uri AND reply.hidden = 0) AS replies,
        (SELECT count(*) FROM repost WHERE subject_uri = post.uri AND hidden = 0) AS reposts
      FROM post
    ) AS counted
    WHERE (likes_count, replies_count, reposts_count) <> (likes, replies, reposts)`.execute(db)
  const profiles = await sql`
    SELECT * FROM (
      SELECT uri, followers_count,
        (SELECT count(*) FROM follow WHERE subject = profile.did AND hidden = 0) AS followers
      FROM profile
    ) AS counted
    WHERE followers_count <> followers`.execute(db)
  expect([...posts.rows, ...profiles.rows]).toEqual([])
}

/** Writes while somebody looks, again and again. */
async function whileLooking(writes: readonly (() => void)[], look: () => Promise<void>): Promise<void> {
  for (const [i, write] of writes.entries()) {
    write()
    if (i % 4 !== 0) continue
    await pause(2)
    await look()
  }
}

/** Of likes by different authors, replies, reposts and followers. */
async function checkBluesky(database: Database, steps: readonly Step[]): Promise<void> {
  const network = await emptyNetwork({ accounts: ACCOUNTS })
  const indexer = await openBluesky(network, { database })
  const abort = new AbortController()
  await readUpTo(network, indexer, 1)
  const following = indexer.runPersistent({ signal: abort.signal, flushIntervalMs: 2, batchSize: 7 })
  try {
    const look = () => expectBlueskyRecount(indexer.db)
    await whileLooking(
      steps.map((one) => () => take(network, one)),
      look,
    )
    network.identity(network.accounts[0]!.did)
    await eventually(async () => {
      await look()
      const { cursor } = await indexer.db.selectFrom('lexidex_cursor').select('cursor').executeTakeFirstOrThrow()
      expect(Number(cursor)).toBeGreaterThanOrEqual(network.log.at(-1)!.time_us)
      const due = await indexer.db
        .selectFrom('lexidex_account')
        .select('did')
        .where('check_due_at', 'is not', null)
        .execute()
      expect(due).toEqual([])
    })
    await look()
    const hidden = await indexer.db.selectFrom('lexidex_account').select('did').where('hidden', '>', 0).execute()
    const away = new Set(network.accounts.filter(({ active }) => !active).map(({ did }) => did))
    expect(hidden.filter(({ did }) => !away.has(did))).toEqual([])
  } finally {
    abort.abort()
    await following
    await indexer.close()
    await network.close()
  }
}

/** Of RSVPs by group, whatever fetches, compares and follows at a time. */
async function checkCalendar(database: Database, actions: readonly Action[]): Promise<void> {
  const network = await emptyNetwork({ accounts: ACCOUNTS })
  const indexer = await openCalendar(network, { database })
  const abort = new AbortController()
  await readUpTo(network, indexer, 1)
  const working = [
    indexer.runPersistent({ signal: abort.signal, flushIntervalMs: 2, batchSize: 7 }),
    (async () => {
      while (!abort.signal.aborted) {
        await indexer.performBackfill({ force: 'catch_up', signal: abort.signal })
        await indexer.refresh({ ignoreWindowMs: 0, signal: abort.signal })
      }
    })(),
  ]
  try {
    const look = () => expectRecount(indexer)
    await whileLooking(
      actions.map((action) => () => perform(network, action)),
      look,
    )
    abort.abort()
    await Promise.all(working)
    await look()
  } finally {
    abort.abort()
    await Promise.allSettled(working)
    await indexer.close()
    await network.close()
  }
}

describe.each(databases)('$name', (one) => {
  const inDatabase = (check: (database: Database) => Promise<void>) => withDatabase(one, check)

  test(
    'of likes by different authors, replies, reposts and followers, at any moment',
    async () => {
      const steps = fc.array(step, { minLength: 40, maxLength: 150, size: 'max' })
      const property = fc.asyncProperty(steps, (list) => inDatabase((database) => checkBluesky(database, list)))
      await fc.assert(property, cases(25 * one.share))
    },
    patience(60_000),
  )

  test(
    'of RSVPs by group, whatever fetches, compares and follows at a time',
    async () => {
      const actions = history({ min: 30, max: 90 })
      const property = fc.asyncProperty(actions, (list) => inDatabase((database) => checkCalendar(database, list)))
      await fc.assert(property, cases(25 * one.share))
    },
    patience(60_000),
  )

  test('after bulk loads, of which two were asked for at a time', ({ skip }) =>
    inDatabase(async (database) => {
      const network = await presentNetwork({ accounts: 6, events: 20, rsvps: 100 })
      const indexer = await openCalendar(network, { database })
      try {
        const { bulk } = indexer.store
        if (bulk === undefined) return skip('This database has no bulk loads')
        const begun = await Promise.all([bulk.begin(), bulk.begin()])
        expect(begun.filter(Boolean)).toHaveLength(1)
        await indexer.backfillAll()
        await bulk.end()
        expect(await bulk.active()).toBe(false)
        const { found: _, ...seen } = await visible(indexer)
        expect(seen).toEqual(truth(network))
        await expectRecount(indexer)
      } finally {
        await indexer.close()
        await network.close()
      }
    }))
})
