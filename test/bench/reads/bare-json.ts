/** How a server by hand makes JSON of rows. */

const LIMIT = 50

type Row = Record<string, any>

export function page(rows: readonly Row[], json: (row: Row) => string): string {
  let records = ''
  for (let i = 0; i < rows.length; i++) records += `${(i === 0 ? '' : ',') + json(rows[i]!)}}`
  const last = rows.at(-1)
  if (rows.length < LIMIT) return `{"records":[${records}]}`
  const cursor = Buffer.from(`${last!.sort_at} ${last!.uri}`).toString('base64url')
  return `{"records":[${records}],"cursor":"${cursor}"}`
}

export function eventJson(row: Row): string {
  let json = recordJson(row, 'community.lexicon.calendar.event')
  if (row.rsvps_count > 0) json += `,"rsvpsCount":${row.rsvps_count}`
  if (row.rsvps_going_count > 0) json += `,"rsvpsGoingCount":${row.rsvps_going_count}`
  if (row.rsvps_interested_count > 0) json += `,"rsvpsInterestedCount":${row.rsvps_interested_count}`
  return json
}

export function hydratedJson(row: Row): string {
  const { going, interested } = row
  const comma = going !== null && interested !== null ? ',' : ''
  const groups = `${going === null ? '' : `"going":[${going}]`}${comma}${interested === null ? '' : `"interested":[${interested}]`}`
  return `${eventJson(row)},"rsvps":{${groups}}`
}

export function rsvpJson(row: Row): string {
  return recordJson(row, 'community.lexicon.calendar.rsvp')
}

export function rsvpHydratedJson(row: Row): string {
  return row.event === null ? rsvpJson(row) : `${rsvpJson(row)},"event":${row.event}`
}

function recordJson(row: Row, collection: string): string {
  return `{"uri":"${row.uri}","cid":"${row.cid}","value":${row.record},"did":"${row.did}","collection":"${collection}","rkey":"${row.rkey}","time_us":${row.sort_at}`
}
