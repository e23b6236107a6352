import { sql } from 'kysely'
import { expect } from 'vitest'
import { EVENT, type Network, PROFILE, RSVP, type StoredRecord } from '../../../fixtures/network/index.ts'
import { WORDS } from './history.ts'
import { type CalendarIndexer, clientOf } from './index.ts'

/** What readers see, in an order that does not depend on when things were met. */
export interface Visible {
  readonly event: readonly unknown[]
  readonly rsvp: readonly unknown[]
  readonly profile: readonly unknown[]
  /** URIs that each word finds. */
  readonly found: Readonly<Record<string, readonly string[]>>
}

const SEARCHES = [...WORDS, 'untitled', `${WORDS[0]} ${WORDS[1]}`, `${WORDS[0]} OR ${WORDS[2]}`, 'more -soup', 'co*']

interface View {
  readonly uri: string
  readonly cid: string
  readonly value: unknown
  readonly rsvpsCount?: number
  readonly rsvpsGoingCount?: number
  readonly rsvpsInterestedCount?: number
}

/** Every list and search of an index, by its typed client. */
export async function visible(indexer: CalendarIndexer): Promise<Visible> {
  const { event, rsvp, profile } = clientOf(indexer)
  const found: Record<string, string[]> = {}
  for (const search of SEARCHES) {
    found[search] = (await all<View>(event.iterate({ search, limit: 5 }))).map(({ uri }) => uri).sort()
  }
  return {
    event: shown(await all(event.iterate({ limit: 7 }))),
    rsvp: shown(await all(rsvp.iterate({ limit: 7 }))),
    profile: shown(await all(profile.iterate({ limit: 7 }))),
    found,
  }
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

function shown(views: readonly View[]): unknown[] {
  const counted = views.map(({ uri, cid, value, ...view }) => {
    const { rsvpsCount = 0, rsvpsGoingCount = 0, rsvpsInterestedCount = 0 } = view
    return { uri, cid, value, counts: [rsvpsCount, rsvpsGoingCount, rsvpsInterestedCount] }
  })
  return counted.sort((a, b) => (a.uri < b.uri ? -1 : 1))
}

/** What readers have to see of a network: all that active accounts have, and profiles of those who ever took part. */
export function truth(network: Network): Omit<Visible, 'found'> {
  const active = new Set(network.accounts.filter(({ active }) => active).map(({ did }) => did))
  const known = new Set(
    network.log.flatMap((frame) =>
      frame.kind === 'commit' && frame.commit.collection !== PROFILE && frame.commit.operation !== 'delete'
        ? [frame.did]
        : [],
    ),
  )
  const held = (collection: string) => network.records(collection).filter(({ did }) => active.has(did))
  const rsvps = held(RSVP)
  const counts = ({ uri }: StoredRecord) => {
    const own = rsvps.filter(({ value }) => (value.subject as { uri: string }).uri === uri)
    const inGroup = (group: string) => own.filter(({ value }) => value.status === `${RSVP}#${group}`).length
    return [own.length, inGroup('going'), inGroup('interested')]
  }
  const view = (record: StoredRecord, counted: readonly number[] = [0, 0, 0]) => {
    const { uri, cid, value } = record
    return { uri, cid, value, counts: counted }
  }
  const byUri = (a: { uri: string }, b: { uri: string }) => (a.uri < b.uri ? -1 : 1)
  return {
    event: held(EVENT)
      .map((record) => view(record, counts(record)))
      .sort(byUri),
    rsvp: rsvps.map((record) => view(record)).sort(byUri),
    profile: held(PROFILE)
      .filter(({ did }) => known.has(did))
      .map((record) => view(record))
      .sort(byUri),
  }
}

/**
 * The counts of every event, hidden ones included, are what a recount of its RSVPs that are shown gives. One statement, so
 * that it holds at any moment.
 */
export async function expectRecount({ db }: CalendarIndexer): Promise<void> {
  const shown = sql`SELECT count(*) FROM rsvp WHERE subject_uri = event.uri AND hidden = 0`
  const inGroup = (group: string) => sql`(${shown} AND status = ${`${RSVP}#${group}`})`
  const { rows } = await sql`
    SELECT * FROM (
      SELECT uri, rsvps_count, rsvps_going_count, rsvps_interested_count,
        (${shown}) AS recount, ${inGroup('going')} AS going, ${inGroup('interested')} AS interested
      FROM event
    ) AS counted
    WHERE (rsvps_count, rsvps_going_count, rsvps_interested_count) <> (recount, going, interested)`.execute(db)
  expect(rows).toEqual([])
}
