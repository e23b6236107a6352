import type { SourceItem } from '../../runtime/core/events.ts'
import { did, meetup, rev, rsvp, START_US, uriOf } from '../storage/app.ts'

/** The n-th item of an endless stream: meetups and rsvps that come, change, move and go. The same at every call. */
export function streamItem(n: number): SourceItem {
  const author = did(['alice', 'bob', 'carol'][n % 3]!)
  const key = { did: author, rkey: `k${(n * 7) % 11}`, rev: rev(n), timeUs: START_US + n }
  const collection = n % 4 === 0 ? meetup.nsid : rsvp.nsid
  const position = { source: 'jetstream', epoch: 'host', cursor: String(n) }
  if (n % 9 === 0) return { event: { kind: 'delete', collection, ...key }, position }
  const subject = { uri: uriOf(meetup, did('alice'), `k${n % 11}`) }
  const record = n % 4 === 0 ? { title: `no ${n}` } : { status: n % 2 ? 'going' : 'maybe', guest: `g${n % 5}`, subject }
  return { event: { kind: 'put', collection, ...key, cid: `bafy${n}`, record }, position }
}
