/** The ceiling of reads: node:http, one prepared statement per method, answers put together by hand. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { eventJson, hydratedJson, page, rsvpHydratedJson, rsvpJson } from '../reads/bare-json.ts'
import * as sql from '../reads/bare-sql.ts'
import { offerServer } from '../reads/server.ts'

const LIMIT = 50

const EVENT = 'uri, cid, did, rkey, sort_at, record, rsvps_count, rsvps_going_count, rsvps_interested_count'
const searched = (order: string) => `SELECT ${EVENT} FROM event JOIN event_search USING (id)
WHERE words @@ $1::tsquery AND hidden = 0 ORDER BY ${order} LIMIT $2`

/** As by hand for SQLite, in Postgres' words. */
function translated(text: string): string {
  let n = 0
  return text
    .replaceAll('group_concat(', 'string_agg(')
    .replace(/iif\((\w+) > 0, ([^,]+,[^,]*?), ''\)/g, "CASE WHEN $1 > 0 THEN $2 ELSE '' END")
    .replace(/\?(\d?)/g, (_, given) => `$${given === '' ? ++n : given}`)
    .replace(/LIMIT \$1\n\)\)/g, 'LIMIT $1\n) AS own)')
}

offerServer(async (url) => {
  const pool = new pg.Pool({
    connectionString: url,
    types: { getTypeParser: (oid: number) => (oid === 20 ? Number : pg.types.getTypeParser(oid)) } as never,
  })
  const ask = async (name: string, text: string, values: readonly (string | number)[]) =>
    (await pool.query({ name, text, values: [...values] })).rows
  const texts = {
    list: translated(sql.LIST),
    hydrated: translated(sql.LIST_HYDRATED),
    record: translated(sql.RECORD),
    rsvpsOf: translated(sql.RSVPS_OF),
    rsvps: translated(sql.RSVPS_HYDRATED),
  }
  const answer = async (path: string, query: URLSearchParams): Promise<string> => {
    if (path.endsWith('getRecord')) return `${eventJson((await ask('record', texts.record, [query.get('uri')!]))[0])}}`
    if (path.endsWith('rsvp.listRecords')) {
      const did = query.get('did')
      if (did !== null) return page(await ask('rsvpsOf', texts.rsvpsOf, [did, LIMIT]), rsvpJson)
      return page(await ask('rsvps', texts.rsvps, [LIMIT]), rsvpHydratedJson)
    }
    const search = query.get('search')
    if (search !== null) {
      const order = search.length > 4 ? '-ts_rank_cd(words, $1::tsquery), id DESC' : 'id DESC'
      const { rows } = await pool.query({ text: searched(order), values: [`'${search}'`, LIMIT] })
      return page(rows, eventJson)
    }
    const hydrate = query.get('hydrateRsvps')
    if (hydrate !== null) return page(await ask('hydrated', texts.hydrated, [Number(hydrate), LIMIT]), hydratedJson)
    return page(await ask('list', texts.list, [LIMIT]), eventJson)
  }
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://bare')
    const body = await answer(pathname, searchParams)
    response.writeHead(200, {
      'content-type': 'application/json; charset=utf-8',
      'access-control-allow-origin': '*',
      'content-length': Buffer.byteLength(body),
    })
    response.end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
