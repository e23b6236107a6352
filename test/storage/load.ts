import type { Operation } from '../../runtime/core/operation.ts'
import { did, meetup, put, rsvp, uriOf } from './app.ts'

/** The n-th write of a history: a meetup, then three rsvps to it, of many authors. The same at every call. */
export function loadOperation(n: number): Operation {
  const key = { did: did(`u${(n * 7) % 50}`), rkey: `r${n}`, rev: n + 1 }
  const first = n - (n % 4)
  if (n === first)
    return put({
      ...key,
      collection: meetup,
      record: { title: `chess number${n}`, mode: 'online', tags: ['chess', `n${n % 3}`] },
    })
  const parent = uriOf(meetup, did(`u${(first * 7) % 50}`), `r${first}`)
  const record = { status: n % 3 === 0 ? 'going' : 'maybe', guest: `g${n % 5}`, subject: { uri: parent } }
  return put({ ...key, collection: rsvp, record })
}
