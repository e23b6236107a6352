/** A calendar network's writes, the same ones for every run. */
import { createHash } from 'node:crypto'
import { base32 } from 'multiformats/bases/base32'
import { calendarEvent, EVENT, RSVP, rsvp } from '../../fixtures/network/content.ts'
import type { CommitFrame } from '../../fixtures/network/frames.ts'
import { plcDid } from '../../fixtures/network/identity.ts'
import { createRandom, type Random } from '../../fixtures/network/random.ts'
import { topics } from '../../fixtures/network/topics.ts'
import type { RecordValue } from '../../fixtures/network/types.ts'
import { makeTid } from '../../runtime/core/tid.ts'

const SEED = 7
/** In the past, so that no record's time is cut to the present. */
const START_US = Date.UTC(2025, 0, 1) * 1000
/** Mean time between two writes. */
const STEP_US = 15_000_000
const RECORDS_PER_ACCOUNT = 40
/** Events that somebody answers before they arrive, and how many writes they are late. */
const LATE = 0.02
const LATE_BY = 40

/** A word that stands in few events, and one that stands in nearly all. */
export const RARE_WORD = 'zymurgy'
export const COMMON_WORD = 'the'
const RARE = 1 / 250

/** A record that was written: what a commit says of it. */
export interface Written {
  readonly did: string
  readonly collection: string
  readonly rkey: string
  readonly uri: string
  readonly cid: string
  readonly record: RecordValue
}

/**
 * What a Jetstream would send of a calendar: of 100 writes 10 new events, 85 new RSVPs and 5 updates and deletions.
 * Most RSVPs go to a few popular events.
 */
export function* calendarFrames(count: number): Generator<CommitFrame> {
  const random = createRandom(SEED)
  const dids = accounts(count)
  const events: Written[] = []
  const rsvps: Written[] = []
  const late: { dueAt: number; frame: CommitFrame }[] = []
  let timeUs = START_US

  for (let sent = 0; sent < count; sent++) {
    timeUs += 1 + random.int(2 * STEP_US)
    if (late.length > 0 && (late[0]!.dueAt <= sent || count - sent <= late.length)) {
      yield { ...late.shift()!.frame, time_us: timeUs }
      continue
    }
    const kind =
      events.length < 10 || rsvps.length < 10
        ? random.pick(['event', 'rsvp'] as const)
        : random.weighted({
            event: 100,
            rsvp: 850,
            updateRsvp: 15,
            updateEvent: 10,
            deleteRsvp: 20,
            deleteEvent: 5,
          })
    switch (kind) {
      case 'event': {
        const event = newEvent(random, random.pick(dids), timeUs)
        events.push(event)
        const frame = putFrame(event, timeUs, 'create')
        // Its number is free for another write, which takes this turn.
        if (random.chance(LATE) && sent + LATE_BY < count) {
          late.push({ dueAt: sent + LATE_BY, frame })
          sent--
        } else yield frame
        break
      }
      case 'rsvp':
      case 'updateRsvp': {
        const subject = popular(random, events)
        if (subject === undefined) {
          sent--
          break
        }
        const old = kind === 'rsvp' ? undefined : random.pick(rsvps)
        const record = rsvp(random, old === undefined ? subject : (old.record.subject as Written))
        const answer = write(old?.did ?? random.pick(dids), RSVP, old?.rkey ?? makeTid(timeUs, 1), record)
        if (old === undefined) rsvps.push(answer)
        yield putFrame(answer, timeUs, old === undefined ? 'create' : 'update')
        break
      }
      case 'updateEvent': {
        const old = random.pick(events)
        const record = { ...old.record, startsAt: new Date(timeUs / 1000 + 86_400_000).toISOString() }
        yield putFrame(write(old.did, EVENT, old.rkey, record), timeUs, 'update')
        break
      }
      case 'deleteRsvp':
        yield deleteFrame(take(random, rsvps), timeUs)
        break
      case 'deleteEvent':
        yield deleteFrame(take(random, events), timeUs)
        break
    }
  }
}

/** An index to read from: events, then RSVPs, of which the first event gets `hottest`. Times rise with every write. */
export function* calendarRecords(size: { events: number; rsvps: number; hottest: number }): Generator<{
  readonly written: Written
  readonly timeUs: number
}> {
  const random = createRandom(SEED)
  const dids = accounts((size.events + size.rsvps) / 2)
  const events: Written[] = []
  let timeUs = START_US
  for (let i = 0; i < size.events; i++) {
    timeUs += 1 + random.int(2 * STEP_US)
    const written = newEvent(random, random.pick(dids), timeUs)
    events.push(written)
    yield { written, timeUs }
  }
  for (let i = 0; i < size.rsvps; i++) {
    timeUs += 1 + random.int(2 * STEP_US)
    const subject = random.chance(size.hottest / size.rsvps) ? events[0]! : random.pick(events)
    yield { written: write(random.pick(dids), RSVP, makeTid(timeUs, 1), rsvp(random, subject)), timeUs }
  }
}

function accounts(writes: number): string[] {
  return Array.from({ length: Math.max(100, Math.ceil(writes / RECORDS_PER_ACCOUNT)) }, (_, i) => plcDid(SEED, i))
}

function newEvent(random: Random, did: string, timeUs: number): Written {
  const ms = Math.floor(timeUs / 1000)
  const event = calendarEvent(random, ms, ms)
  // As long as what people write: a page of 50 has some 60 kB.
  const more = Array.from({ length: 5 }, () => random.pick(random.pick(topics).lines))
  if (random.chance(RARE)) more.push(`There will be ${RARE_WORD}.`)
  if (typeof event.description === 'string') event.description += ` ${more.join(' ')}`
  return write(did, EVENT, makeTid(timeUs, 1), event)
}

function write(did: string, collection: string, rkey: string, record: RecordValue): Written {
  return { did, collection, rkey, uri: `at://${did}/${collection}/${rkey}`, cid: fakeCid(record), record }
}

/** Looks like a CID and differs where the record does; nobody checks the hash. */
function fakeCid(record: RecordValue): string {
  const digest = createHash('sha256').update(JSON.stringify(record)).digest()
  return `bafyrei${base32.baseEncode(digest)}`
}

function putFrame({ did, collection, rkey, cid, record }: Written, timeUs: number, operation: 'create' | 'update') {
  const rev = makeTid(timeUs, 2)
  const commit = { rev, operation, collection, rkey, record, cid }
  return { did, time_us: timeUs, kind: 'commit', commit } satisfies CommitFrame
}

function deleteFrame({ did, collection, rkey }: Written, timeUs: number) {
  const commit = { rev: makeTid(timeUs, 2), operation: 'delete', collection, rkey } as const
  return { did, time_us: timeUs, kind: 'commit', commit } satisfies CommitFrame
}

function popular(random: Random, events: readonly Written[]): Written | undefined {
  return events[random.skewed(events.length)]
}

function take(random: Random, from: Written[]): Written {
  const index = random.int(from.length)
  const taken = from[index]!
  from[index] = from.at(-1)!
  from.pop()
  return taken
}
