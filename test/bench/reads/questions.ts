import { COMMON_WORD, RARE_WORD } from '../calendar.ts'
import type { BareAnswer } from './bare.ts'
import type { Filled } from './fill.ts'

/** A read that is measured. */
export interface Question {
  readonly name: string
  /** With queries; asked for in turns. */
  readonly paths: readonly string[]
  /** How the bare server answers it. */
  readonly bare: BareAnswer
}

/** Every read that is measured, of an index that `fill` has filled. */
export function questions({ uris, dids, hottest, startsAt }: Filled): Question[] {
  const method = (name: string, params: Record<string, string> = {}) =>
    `/xrpc/com.example.${name}${Object.keys(params).length > 0 ? `?${new URLSearchParams(params)}` : ''}`
  const events = (params: Record<string, string> = {}) => [method('event.listRecords', params)]
  const rsvps = (params: Record<string, string>) => method('rsvp.listRecords', params)
  const popular = { startsAtMin: startsAt, rsvpsGoingCountMin: '5', sort: 'rsvpsGoingCount' }
  return [
    { name: 'list 50 events', paths: events(), bare: 'list' },
    { name: 'range, count filter and sort', paths: events(popular), bare: 'popular' },
    { name: 'list, hydrateRsvps=5', paths: events({ hydrateRsvps: '5' }), bare: 'hydrated' },
    { name: 'RSVPs of an event', paths: uris.map((subjectUri) => rsvps({ subjectUri })), bare: 'rsvpsTo' },
    { name: 'RSVPs of the hottest event', paths: [rsvps({ subjectUri: hottest })], bare: 'rsvpsTo' },
    {
      name: 'the same, hydrateEvent',
      paths: [rsvps({ subjectUri: hottest, hydrateEvent: 'true' })],
      bare: 'rsvpsToHydrated',
    },
    { name: 'RSVPs by did', paths: dids.map((did) => rsvps({ did })), bare: 'rsvpsOf' },
    { name: 'RSVPs, hydrateEvent', paths: [rsvps({ hydrateEvent: 'true' })], bare: 'rsvps' },
    { name: 'search, rare word', paths: events({ search: RARE_WORD }), bare: 'searchRare' },
    { name: 'search, common word', paths: events({ search: COMMON_WORD }), bare: 'searchCommon' },
    { name: 'getRecord', paths: uris.map((uri) => method('event.getRecord', { uri })), bare: 'record' },
  ]
}

/** Of these, the ones that ask for one page again and again. */
export function repeated(asked: readonly Question[]): Question[] {
  return asked.filter(({ paths }) => paths.length === 1).slice(0, 3)
}
