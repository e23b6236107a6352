import { expect, test } from 'vitest'
import { formatRefresh } from '../../../runtime/operations/refresh/refresh-report.ts'

const counts = (missing: number, staleUpdates: number, inSync: number, deleted = 0) => ({
  missing,
  staleUpdates,
  inSync,
  deleted,
})

const result = {
  byCollection: {
    'community.lexicon.calendar.event': counts(3, 1, 842),
    'app.bsky.actor.profile': counts(0, 0, 0),
    'community.lexicon.calendar.rsvp': counts(12, 0, 4108),
  },
  total: counts(15, 1, 4950),
  usersScanned: 234,
  usersFailed: 1,
  usersPartial: 0,
  usersSkipped: 0,
  ignoreWindowMs: 60_000,
  elapsedMs: 85_321,
}

test('the report that users of Contrail know', () => {
  expect(formatRefresh(result, { byCollection: true })).toBe(`by collection:
  community.lexicon.calendar.event
    3 missing, 1 stale updates, 842 in sync
  community.lexicon.calendar.rsvp
    12 missing, 0 stale updates, 4108 in sync
total:
  15 missing, 1 stale updates, 4950 in sync
  234 users scanned, 1 failed in 85.3s
  (ignore window: 60s)`)
})

test('totals only, and nothing of failures where there are none', () => {
  expect(formatRefresh({ ...result, usersFailed: 0, elapsedMs: 40 })).toBe(`total:
  15 missing, 1 stale updates, 4950 in sync
  234 users scanned in 0.0s
  (ignore window: 60s)`)
})

test('what only this refresh counts', () => {
  const byCollection = { 'com.example.thing': counts(0, 0, 0, 2) }
  const more = { ...result, byCollection, total: counts(15, 1, 4950, 2), usersPartial: 3, usersSkipped: 200 }
  expect(formatRefresh(more, { byCollection: true })).toBe(`by collection:
  com.example.thing
    0 missing, 0 stale updates, 0 in sync, 2 deleted
total:
  15 missing, 1 stale updates, 4950 in sync, 2 deleted
  234 users scanned, 1 failed, 3 partial in 85.3s
  (200 skipped: nothing written since they were last compared, or hidden)
  (ignore window: 60s)`)
})
