/** Read by tsc only. What calls of an emitted client return: what was asked for, on every level, and nothing else. */
import type { NoProfile, Page } from 'lexidex/client'
import {
  createClient,
  type EventView,
  type ProfileEntry,
  type RsvpView,
} from '../../fixtures/apps/calendar/src/lexidex/client.ts'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Expect<T extends true> = T

const api = createClient('https://index.example.com')
const uri = 'at://did:plc:x/community.lexicon.calendar.event/1'

export async function calls(count: number, wanted: boolean) {
  const plain = await api.event.listRecords({ limit: 5 })
  const one = await api.event.listRecords({ hydrateRsvps: 5 })
  const two = await api.event.listRecords({ hydrateRsvps: 5, hydrateRsvpsEvent: true })
  const off = await api.event.listRecords({ hydrateRsvps: 5, hydrateRsvpsEvent: false })
  const maybe = await api.event.listRecords({ hydrateRsvps: 5, hydrateRsvpsEvent: wanted })
  const back = await api.rsvp.listRecords({ hydrateEvent: true, hydrateEventRsvps: count })
  const people = await api.event.listRecords({ hydrateRsvps: 5, profiles: true })
  const record = await api.event.getRecord({ uri, profiles: true })
  const { profiles } = await api.getProfile({ actor: 'alice.test' })
  // @ts-expect-error nothing was asked for
  plain.records[0]?.rsvps
  // @ts-expect-error nor was this
  plain.profiles
  // @ts-expect-error one level only
  one.records[0]?.rsvps.going?.[0]?.event
  // @ts-expect-error may be absent
  back.records[0]?.event?.rsvps.going
  // @ts-expect-error that is on the page, not on each record
  people.records[0]?.profiles
  const name: string | undefined = people.profiles[0]?.value?.displayName
  const handle: string | undefined = record.profiles[0]?.handle
  for (const profile of profiles) {
    if (profile.collection === 'app.bsky.actor.profile') profile.value.displayName satisfies string | undefined
    else profile satisfies NoProfile
  }
  return { plain, one, two, off, maybe, back, people, record, name, handle }
}

type Calls = Awaited<ReturnType<typeof calls>>
type Rsvp = RsvpView & { event?: EventView }
type MaybeRsvp = RsvpView & { event?: EventView }
type With<R> = EventView & { rsvps: { going?: R[]; interested?: R[] } }

export type Inferred = [
  Expect<Equal<Calls['plain'], Page<EventView>>>,
  Expect<Equal<Calls['one'], Page<With<RsvpView>>>>,
  Expect<Equal<Calls['two'], Page<With<Rsvp>>>>,
  Expect<Equal<Calls['off'], Page<With<RsvpView>>>>,
  Expect<Equal<Calls['maybe'], Page<With<MaybeRsvp>>>>,
  Expect<
    Equal<
      Calls['back'],
      Page<RsvpView & { event?: EventView & { rsvps?: { going?: RsvpView[]; interested?: RsvpView[] } } }>
    >
  >,
  Expect<Equal<Calls['people'], Page<With<RsvpView>> & { profiles: ProfileEntry[] }>>,
  Expect<Equal<Calls['record'], EventView & { profiles: ProfileEntry[] }>>,
]
