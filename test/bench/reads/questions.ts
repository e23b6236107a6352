import { COMMON_WORD, RARE_WORD } from '../calendar.ts'
import type { Filled } from './fill.ts'

/** A read that is measured. */
export interface Question {
  readonly name: string
  /** With queries; asked for in turns. */
  readonly paths: readonly string[]
}

/** Every read that is measured, of an index that `fill` has filled. */
export function questions({ uris, dids }: Filled): Question[] {
  const method = (name: string, params: Record<string, string> = {}) =>
    `/xrpc/com.example.${name}${Object.keys(params).length > 0 ? `?${new URLSearchParams(params)}` : ''}`
  return [
    { name: 'list 50 events', paths: [method('event.listRecords')] },
    { name: 'list, hydrateRsvps=5', paths: [method('event.listRecords', { hydrateRsvps: '5' })] },
    { name: 'getRecord', paths: uris.map((uri) => method('event.getRecord', { uri })) },
    { name: 'search, rare word', paths: [method('event.listRecords', { search: RARE_WORD })] },
    { name: 'search, common word', paths: [method('event.listRecords', { search: COMMON_WORD })] },
    { name: 'RSVPs by did', paths: dids.map((did) => method('rsvp.listRecords', { did })) },
    { name: 'RSVPs, hydrateEvent', paths: [method('rsvp.listRecords', { hydrateEvent: 'true' })] },
  ]
}

/** Of these, the ones that ask for one page again and again. */
export function repeated(asked: readonly Question[]): Question[] {
  return asked.filter(({ paths }) => paths.length === 1).slice(0, 2)
}
