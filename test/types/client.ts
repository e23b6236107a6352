/** Read by tsc only. An assertion that does not hold is a compile error. */

import {
  type CallOptions,
  type ClientOptions,
  type Cursor,
  createXrpcClient,
  type FetchFunction,
  type Hydrated,
  type ListParams,
  type Page,
  type RecordView,
  type XrpcClient,
} from 'lexidex/client'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Expect<T extends true> = T

interface Event {
  name: string
  [k: string]: unknown
}

interface EventView extends RecordView<Event> {
  rsvpsCount?: number
}

interface RsvpView extends RecordView<{ status: string }> {}

interface EventHydration {
  hydrateRsvps: { rsvps: { going?: RsvpView[] } }
  hydrateHost: { host?: RsvpView }
}

interface ListEventParams extends ListParams {
  mode?: string | readonly string[]
  sort?: 'startsAt'
  hydrateRsvps?: number | undefined
  hydrateHost?: boolean | undefined
}

type With<P> = Hydrated<EventView, EventHydration, P>
type Rsvps = EventView & { rsvps: { going?: RsvpView[] } }
type MaybeRsvps = EventView & { rsvps?: { going?: RsvpView[] } }
type Host = EventView & { host?: RsvpView }

// Absent, or off: nothing.
export type Nothing = [
  Expect<Equal<With<{}>, EventView>>,
  Expect<Equal<With<{ limit: 5; mode: 'a' }>, EventView>>,
  Expect<Equal<With<{ hydrateRsvps: undefined }>, EventView>>,
  Expect<Equal<With<{ hydrateRsvps: 0 }>, EventView>>,
  Expect<Equal<With<{ hydrateRsvps: false }>, EventView>>,
  Expect<Equal<With<{ hydrateRsvps: 0 | undefined; hydrateHost: false }>, EventView>>,
  Expect<Equal<With<{ hydrateRsvps?: undefined }>, EventView>>,
  Expect<Equal<Hydrated<EventView, {}, { limit: 1 }>, EventView>>,
]

// On: the properties.
export type Something = [
  Expect<Equal<With<{ hydrateRsvps: 5 }>, Rsvps>>,
  Expect<Equal<With<{ readonly hydrateRsvps: 5; readonly limit: 1 }>, Rsvps>>,
  Expect<Equal<With<{ hydrateRsvps: 5 | 10 }>, Rsvps>>,
  Expect<Equal<With<{ hydrateHost: true }>, Host>>,
  Expect<Equal<With<{ hydrateHost: 1 }>, Host>>,
  Expect<
    Equal<With<{ hydrateRsvps: 5; hydrateHost: true }>, EventView & { rsvps: { going?: RsvpView[] }; host?: RsvpView }>
  >,
]

// Not known before the call: the properties, as optional ones, which do not hold `undefined`.
export type Perhaps = [
  Expect<Equal<With<{ hydrateRsvps: number }>, MaybeRsvps>>,
  Expect<Equal<With<{ hydrateRsvps: 0 | 5 }>, MaybeRsvps>>,
  Expect<Equal<With<{ hydrateRsvps: 5 | undefined }>, MaybeRsvps>>,
  Expect<Equal<With<{ hydrateRsvps?: 5 }>, MaybeRsvps>>,
  Expect<Equal<With<{ hydrateRsvps?: number }>, MaybeRsvps>>,
  Expect<Equal<With<{ hydrateRsvps: boolean }>, MaybeRsvps>>,
  Expect<
    Equal<
      With<{ hydrateRsvps: 5; hydrateHost: boolean }>,
      EventView & { rsvps: { going?: RsvpView[] }; host?: RsvpView }
    >
  >,
  Expect<Equal<With<ListEventParams>, EventView & { rsvps?: { going?: RsvpView[] }; host?: RsvpView }>>,
  Expect<Equal<With<any>, EventView & { rsvps?: { going?: RsvpView[] }; host?: RsvpView }>>,
  Expect<Equal<With<Record<string, 5>>, EventView & { rsvps?: { going?: RsvpView[] }; host?: RsvpView }>>,
]

// Each alternative by itself.
export type Alternatives = [Expect<Equal<With<{ hydrateRsvps: 5 } | { limit: 1 }>, Rsvps | EventView>>]

// What two parameters add to the same property, and a union, stay as they are.
interface Overlap {
  a: { shared: { x: 1 } }
  b: { shared: { y: 2 } }
  c: { one: 1 } | { two: 2 }
}
export type Combined = [
  Expect<Equal<Hydrated<{ v: 1 }, Overlap, { a: 1; b: 1 }>, { v: 1 } & { shared: { x: 1 } & { y: 2 } }>>,
  Expect<Equal<Hydrated<{ v: 1 }, Overlap, { c: 1 }>, { v: 1 } & ({ one: 1 } | { two: 2 })>>,
]

// As emitted clients use it: literals are inferred from the call.
declare const xrpc: XrpcClient
const event = {
  listRecords: <const P extends ListEventParams = {}>(params?: P, call?: CallOptions) =>
    xrpc.query<Page<Hydrated<EventView, EventHydration, P>>>('com.example.event.listRecords', params, call),
  iterate: <const P extends ListEventParams = {}>(params?: P, call?: CallOptions) =>
    xrpc.iterate<Hydrated<EventView, EventHydration, P>>('com.example.event.listRecords', params, call),
}

export async function calls(count: number, more: boolean, cursor: string | undefined) {
  const plain = await event.listRecords()
  const off = await event.listRecords({ mode: ['a', 'b'], hydrateRsvps: 0 })
  const on = await event.listRecords({ mode: 'a', hydrateRsvps: 5 })
  const counted = await event.listRecords({ hydrateRsvps: count })
  const either = await event.listRecords(more ? { hydrateRsvps: 5 } : {})
  const optional = await event.listRecords({ hydrateRsvps: more ? 5 : undefined })
  const next = await event.listRecords({ cursor: plain.cursor, hydrateRsvps: 5 })
  // @ts-expect-error nothing was asked for
  plain.records[0]?.rsvps
  // @ts-expect-error may be absent
  counted.records[0]?.rsvps.going
  // @ts-expect-error not a parameter
  await event.listRecords({ hydrateRsvp: 5 })
  // @ts-expect-error not an order
  await event.listRecords({ cursor, order: 'newest' })
  for await (const record of event.iterate({ hydrateHost: true })) {
    const host: RsvpView | undefined = record.host
    const name: string = record.value.name
    void [host, name]
  }
  // What was asked for fits where less is needed.
  const views: EventView[] = [...on.records, ...counted.records]
  return { plain, off, on, counted, either, optional, next, views }
}

type Calls = Awaited<ReturnType<typeof calls>>
export type Inferred = [
  Expect<Equal<Calls['plain'], Page<EventView>>>,
  Expect<Equal<Calls['off'], Page<EventView>>>,
  Expect<Equal<Calls['on'], Page<Rsvps>>>,
  Expect<Equal<Calls['counted'], Page<MaybeRsvps>>>,
  Expect<Equal<Calls['either'], Page<Rsvps | EventView>>>,
  Expect<Equal<Calls['optional'], Page<MaybeRsvps>>>,
  Expect<Equal<Calls['next'], Page<Rsvps>>>,
]

// Options take the global fetch, one of another framework, and what may be undefined.
export function options(signal: AbortSignal | undefined, own: (input: URL | Request | string) => Promise<Response>) {
  const fetchers: FetchFunction[] = [fetch, own, (url, init) => own(new Request(url, init))]
  const each: ClientOptions[] = [
    { signal, fetch: own },
    { headers: { authorization: 'Bearer …' } },
    { headers: () => ({ authorization: 'Bearer …' }) },
    { headers: async (nsid) => ({ authorization: `Bearer ${nsid}` }) },
    // @ts-expect-error not a number of retries
    { retries: 'many' },
  ]
  return [fetchers, each.map((given) => createXrpcClient(new URL('https://a.example'), given))]
}

export function cursors(cursor: Cursor): string {
  if ('cursor' in cursor) return 'nothing read'
  return `${cursor.date}, ${cursor.seconds_ago} s ago, ${cursor.time_us} µs`
}
