/**
 * Invariant 7: walking the cursors of a list gives every matching row once, ties and nulls included. While others write,
 * that holds for every row that is there throughout and does not change.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ListEventParams } from '../../fixtures/apps/calendar/src/lexidex/client.ts'
import { EVENT, type Network, RSVP } from '../../fixtures/network/index.ts'
import { createRandom, type Random } from '../../fixtures/network/random.ts'
import type { Database } from '../storage/harness.ts'
import { databases } from './support/databases.ts'
import { type CalendarIndexer, clientOf, emptyNetwork, eventually, openCalendar, readUpTo } from './support/index.ts'
import { eachSeed, patience } from './support/settings.ts'
import { all } from './support/visible.ts'

const STABLE = 60
const RESTLESS = 30
const MODES = ['inperson', 'virtual', undefined]
const DAYS = ['2026-05-01T10:00:00.000Z', '2026-05-02T10:00:00.000Z', undefined]
const WORDS = ['chess', 'tea', 'coffee', 'soup', 'garden']
const CID = 'bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'

const SORTS = [undefined, 'startsAt', 'rsvpsCount', 'rsvpsGoingCount', 'rsvpsInterestedCount'] as const
const ORDERS = [undefined, 'asc', 'desc'] as const

let network: Network
let indexer: CalendarIndexer
let abort: AbortController
let following: Promise<void>

const authorOf = (rkey: string) => network.accounts[rkey.length % network.accounts.length]!.did
const isStable = ({ rkey }: { rkey: string }) => rkey.startsWith('stable')

/** Ties everywhere: few dates, few modes, few words, few times of creation. */
function putEvent(random: Random, rkey: string): void {
  const words = Array.from({ length: 1 + random.int(6) }, () => random.pick(WORDS))
  const startsAt = random.pick(DAYS)
  const mode = random.pick(MODES)
  network.put(authorOf(rkey), EVENT, rkey, {
    $type: EVENT,
    name: words.slice(0, 2).join(' '),
    description: words.join(' '),
    createdAt: `2026-01-0${1 + random.int(3)}T00:00:00.000Z`,
    ...(startsAt === undefined ? {} : { startsAt }),
    ...(mode === undefined ? {} : { mode: `${EVENT}#${mode}` }),
  })
}

function putRsvp(random: Random, event: string, rkey: string): void {
  const uri = `at://${authorOf(event)}/${EVENT}/${event}`
  const status = random.pick(['going', 'interested', 'notgoing'])
  network.put(authorOf(rkey), RSVP, rkey, { $type: RSVP, subject: { uri, cid: CID }, status: `${RSVP}#${status}` })
}

/** New events, changed ones, and deleted ones; none of those that stay. */
function disturb(random: Random): void {
  const rkey = `restless${random.int(RESTLESS)}`
  const exists = network.records(EVENT).some((record) => record.rkey === rkey)
  const what = random.weighted({ put: 4, remove: 3, answer: 3 })
  if (what === 'put') putEvent(random, rkey)
  else if (what === 'answer') putRsvp(random, rkey, `answer${random.int(20)}`)
  else if (exists) network.delete(authorOf(rkey), EVENT, rkey)
}

const caughtUp = () =>
  eventually(async () => {
    const { cursor } = await indexer.db.selectFrom('lexidex_cursor').select('cursor').executeTakeFirstOrThrow()
    expect(Number(cursor)).toBeGreaterThanOrEqual(network.log.at(-1)!.time_us)
  })

function randomParams(random: Random): ListEventParams {
  const filters: ListEventParams = {
    mode: random.pick([`${EVENT}#virtual`, [`${EVENT}#virtual`, `${EVENT}#inperson`]]),
    startsAtMin: random.pick([DAYS[0], DAYS[1], '2026-05-01T12:00:00+02:00']),
    startsAtMax: DAYS[1],
    rsvpsCountMin: random.int(3),
    rsvpsGoingCountMin: 1,
    actor: random.pick(network.accounts).did,
    search: random.pick(['chess', 'tea coffee', 'soup OR garden', 'chess -tea', '"chess tea"', 'co*', 'tea OR te*']),
  }
  const names = Object.keys(filters).filter((name) => random.chance(name === 'search' ? 0.5 : 0.25))
  return {
    ...Object.fromEntries(Object.entries(filters).filter(([name]) => names.includes(name))),
    sort: random.pick(SORTS),
    order: random.pick(ORDERS),
  }
}

/** Walks page by page, with something done between two pages. */
async function walk(params: ListEventParams, limit: number, between: () => Promise<void>) {
  const { event } = clientOf(indexer)
  const pages = []
  let cursor: string | undefined
  do {
    const page = await event.listRecords({ ...params, limit, cursor })
    pages.push(page.records)
    cursor = page.cursor
    if (cursor !== undefined) await between()
    expect(pages.length).toBeLessThan(500)
  } while (cursor !== undefined)
  return pages.flat()
}

describe.each(databases)('$name', ({ open, share }) => {
  let database: Database
  beforeAll(async () => {
    const random = createRandom(7)
    database = await open()
    network = await emptyNetwork({ accounts: 4 })
    indexer = await openCalendar(network, { database })
    await readUpTo(network, indexer, 1)
    for (let i = 0; i < STABLE; i++) {
      putEvent(random, `stable${i}`)
      for (let n = random.int(4); n > 0; n--) putRsvp(random, `stable${i}`, `for${i}-${n}`)
    }
    for (let i = 0; i < RESTLESS; i++) putEvent(random, `restless${i}`)
    abort = new AbortController()
    following = indexer.runPersistent({ signal: abort.signal, flushIntervalMs: 2 })
    await caughtUp()
  })
  afterAll(async () => {
    abort.abort()
    await following
    await indexer.close()
    await network.close()
    await database.drop()
  })

  test(
    'every row that stays is met once on every walk, while others come, change and go',
    async () => {
      await eachSeed(40 * share, async (seed) => {
        const random = createRandom(seed)
        const params = randomParams(random)
        const limit = 1 + random.int(9)
        // The page size does not matter to what there is.
        const still = (await all(clientOf(indexer).event.iterate({ ...params, limit: 200 }))).filter(isStable)
        const walked = await walk(params, limit, async () => {
          for (let n = random.int(6); n > 0; n--) disturb(random)
          await caughtUp()
        })
        const seen = walked.filter(isStable).map(({ rkey }) => rkey)
        const expected = still.map(({ rkey }) => rkey)
        const byRelevance = params.search !== undefined && params.sort === undefined && params.order === undefined
        const what = JSON.stringify({ params, limit })
        // What is most relevant depends on what else there is.
        if (byRelevance) expect([...seen].sort(), what).toEqual([...expected].sort())
        else expect(seen, what).toEqual(expected)
      })
    },
    patience(60_000),
  )

  test(
    'nothing is met twice, and nothing is missing, where nobody writes',
    async () => {
      await eachSeed(40 * share, async (seed) => {
        const random = createRandom(seed)
        const params = randomParams(random)
        const what = JSON.stringify(params)
        const walked = await walk(params, 1 + random.int(9), async () => {})
        const uris = walked.map(({ uri }) => uri)
        expect(new Set(uris).size, what).toBe(uris.length)
        const { search, ...rest } = params
        if (search !== undefined) return
        const held = network.records(EVENT).filter(({ value, did, uri }) => {
          const rsvps = network.records(RSVP).filter((rsvp) => (rsvp.value.subject as { uri: string }).uri === uri)
          const going = rsvps.filter((rsvp) => rsvp.value.status === `${RSVP}#going`)
          const startsAt = typeof value.startsAt === 'string' ? Date.parse(value.startsAt) : null
          return (
            (rest.mode === undefined || [rest.mode].flat().includes(value.mode as string)) &&
            (rest.startsAtMin === undefined || (startsAt !== null && startsAt >= Date.parse(rest.startsAtMin))) &&
            (rest.startsAtMax === undefined || (startsAt !== null && startsAt <= Date.parse(rest.startsAtMax))) &&
            (rest.rsvpsCountMin === undefined || rsvps.length >= rest.rsvpsCountMin) &&
            (rest.rsvpsGoingCountMin === undefined || going.length >= rest.rsvpsGoingCountMin) &&
            (rest.actor === undefined || did === rest.actor)
          )
        })
        expect([...uris].sort(), what).toEqual(held.map(({ uri }) => uri).sort())
      })
    },
    patience(60_000),
  )
})
