/** The ceiling: node:http, one prepared statement per method, answers put together by hand. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { DatabaseSync } from 'node:sqlite'
import { openDatabase } from '../../../runtime/storage/sqlite/connection.ts'
import { eventJson, hydratedJson, page, rsvpHydratedJson, rsvpJson } from './bare-json.ts'
import * as sql from './bare-sql.ts'
import { offerServer } from './server.ts'

const LIMIT = 50

/** Which answer it gives is the first segment of the path: there is nothing to find out from a request. */
offerServer(async (database) => {
  const answers = prepare(openDatabase(database))
  const server = createServer((request, response) => {
    const [, name, rest] = /^\/(\w+)(.*)$/.exec(request.url!)!
    const queryAt = rest!.indexOf('?')
    const body = answers[name as BareAnswer](new URLSearchParams(queryAt === -1 ? '' : rest!.slice(queryAt + 1)))
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

/** An answer that it can give. */
export type BareAnswer = keyof ReturnType<typeof prepare>

function prepare(db: DatabaseSync) {
  const list = db.prepare(sql.LIST)
  const popular = db.prepare(sql.POPULAR)
  const hydrated = db.prepare(sql.LIST_HYDRATED)
  const record = db.prepare(sql.RECORD)
  const searchRare = db.prepare(sql.SEARCH_RARE)
  const searchCommon = db.prepare(sql.SEARCH_COMMON)
  const rsvpsOf = db.prepare(sql.RSVPS_OF)
  const rsvpsTo = db.prepare(sql.RSVPS_TO)
  const rsvpsToHydrated = db.prepare(sql.RSVPS_TO_HYDRATED)
  const rsvps = db.prepare(sql.RSVPS_HYDRATED)
  return {
    list: () => page(list.all(LIMIT), eventJson),
    popular(query: URLSearchParams) {
      const count = Number(query.get('rsvpsGoingCountMin'))
      return page(popular.all(Date.parse(query.get('startsAtMin')!) * 1000, count, LIMIT), eventJson)
    },
    hydrated: (query: URLSearchParams) => page(hydrated.all(Number(query.get('hydrateRsvps')), LIMIT), hydratedJson),
    record: (query: URLSearchParams) => `${eventJson(record.get(query.get('uri')!)!)}}`,
    searchRare: (query: URLSearchParams) => page(searchRare.all(query.get('search')!, LIMIT), eventJson),
    searchCommon: (query: URLSearchParams) => page(searchCommon.all(query.get('search')!, LIMIT), eventJson),
    rsvpsOf: (query: URLSearchParams) => page(rsvpsOf.all(query.get('did')!, LIMIT), rsvpJson),
    rsvpsTo: (query: URLSearchParams) => page(rsvpsTo.all(query.get('subjectUri')!, LIMIT), rsvpJson),
    rsvpsToHydrated: (query: URLSearchParams) =>
      page(rsvpsToHydrated.all(query.get('subjectUri')!, LIMIT), rsvpHydratedJson),
    rsvps: () => page(rsvps.all(LIMIT), rsvpHydratedJson),
  }
}
