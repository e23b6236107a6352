/** The best statements that we know how to write by hand, one per answer. */

const EVENT = 'uri, cid, did, rkey, sort_at, record, rsvps_count, rsvps_going_count, rsvps_interested_count'

/** Binds: limit. */
export const LIST = `SELECT ${EVENT} FROM event WHERE hidden = 0 ORDER BY sort_at DESC, uri DESC LIMIT ?`

/** Binds: start; count; limit. */
export const POPULAR = `SELECT ${EVENT} FROM event
WHERE starts_at >= ? AND rsvps_going_count >= ? AND hidden = 0
ORDER BY rsvps_going_count DESC, sort_at DESC, uri DESC LIMIT ?`

/** Binds: uri. */
export const RECORD = `SELECT ${EVENT} FROM event WHERE uri = ? AND hidden = 0`

/** Binds: search; limit. */
export const SEARCH_RARE = `SELECT ${EVENT} FROM (
  SELECT event.id AS best, event_search.rank AS place FROM event_search CROSS JOIN event ON event.id = event_search.rowid
  WHERE event_search MATCH ? AND hidden = 0 ORDER BY event_search.rank, event.id DESC LIMIT ?
) CROSS JOIN event ON event.id = best ORDER BY place, best DESC`

/** Binds: search; limit. */
export const SEARCH_COMMON = `SELECT ${EVENT} FROM event_search CROSS JOIN event ON event.id = event_search.rowid
WHERE event_search MATCH ? AND hidden = 0 ORDER BY event_search.rowid DESC LIMIT ?`

const RSVP = 'uri, cid, did, rkey, sort_at, record'

/** Binds: did; limit. */
export const RSVPS_OF = `SELECT ${RSVP} FROM rsvp WHERE did = ? AND hidden = 0
ORDER BY sort_at DESC, uri DESC LIMIT ?`

/** Binds: uri of the event; limit. */
export const RSVPS_TO = `SELECT ${RSVP} FROM rsvp WHERE subject_uri = ? AND hidden = 0
ORDER BY sort_at DESC, uri DESC LIMIT ?`

const entry = (collection: string, more = '') =>
  `concat('{"uri":"', uri, '","cid":"', cid, '","value":', record, ',"did":"', did,
  '","collection":"${collection}","rkey":"', rkey, '","time_us":', sort_at${more}, '}')`

const count = (name: string, column: string) => `, iif(${column} > 0, ',"${name}":' || ${column}, '')`

const EVENT_ENTRY = entry(
  'community.lexicon.calendar.event',
  count('rsvpsCount', 'rsvps_count') +
    count('rsvpsGoingCount', 'rsvps_going_count') +
    count('rsvpsInterestedCount', 'rsvps_interested_count'),
)

const EVENT_OF_RSVP = `(SELECT ${EVENT_ENTRY} FROM event WHERE event.uri = rsvp.subject_uri AND hidden = 0) AS event`

/** Binds: limit. */
export const RSVPS_HYDRATED = `SELECT ${RSVP}, ${EVENT_OF_RSVP} FROM rsvp WHERE hidden = 0
ORDER BY sort_at DESC, uri DESC LIMIT ?`

/** Binds: uri of the event; limit. */
export const RSVPS_TO_HYDRATED = `SELECT ${RSVP}, ${EVENT_OF_RSVP} FROM rsvp WHERE subject_uri = ? AND hidden = 0
ORDER BY sort_at DESC, uri DESC LIMIT ?`

const children = (status: string) => `(SELECT group_concat(entry, ',') FROM (
  SELECT ${entry('community.lexicon.calendar.rsvp')} AS entry FROM rsvp
  WHERE subject_uri = event.uri AND status = 'community.lexicon.calendar.rsvp#${status}' AND hidden = 0
  ORDER BY sort_at DESC, uri DESC LIMIT ?1
))`

/** Binds: limit of children; limit. */
export const LIST_HYDRATED = `SELECT ${EVENT}, ${children('going')} AS going, ${children('interested')} AS interested
FROM event WHERE hidden = 0 ORDER BY sort_at DESC, uri DESC LIMIT ?2`
