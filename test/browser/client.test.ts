/** The emitted client in a real browser, calling an index of another origin. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { createClient } from '../../fixtures/apps/calendar/src/lexidex/client.ts'
import { type ServedCalendar, serveCalendar } from './calendar.ts'
import { describeInChromium, launchChromium } from './chromium.ts'
import { bundleForBrowser, type OpenPage, openPage } from './page.ts'

declare global {
  var lexidex: { createClient: typeof createClient }
}

describeInChromium('the emitted client in Chromium', () => {
  let calendar: ServedCalendar
  let browser: Browser
  let opened: OpenPage

  beforeAll(async () => {
    calendar = await serveCalendar()
    browser = await launchChromium()
    const contents = `import * as lexidex from './fixtures/apps/calendar/src/lexidex/client.ts'; globalThis.lexidex = lexidex`
    const script = await bundleForBrowser({ stdin: { contents, resolveDir: '.' } })
    opened = await openPage(browser, script)
  })
  afterAll(async () => {
    await opened?.close()
    await browser?.close()
    await calendar?.close()
  })

  test('lists with hydration, and gets a record', async () => {
    const { listed, got } = await opened.page.evaluate(async (url) => {
      const api = globalThis.lexidex.createClient(url)
      const listed = await api.event.listRecords({ rsvpsGoingCountMin: 1, hydrateRsvps: 2, limit: 3 })
      const got = await api.event.getRecord({ uri: listed.records[0]!.uri })
      return { listed, got }
    }, calendar.url)
    expect(listed.records).toHaveLength(3)
    for (const { rsvps, rsvpsGoingCount } of listed.records) {
      expect(rsvps.going).toHaveLength(Math.min(2, rsvpsGoingCount!))
      expect(rsvps.going![0]!.value.status).toBe('community.lexicon.calendar.rsvp#going')
    }
    const { rsvps: _, ...plain } = listed.records[0]!
    expect(got).toEqual(plain)
  })

  test('walks every page', async () => {
    const uris = await opened.page.evaluate(async (url) => {
      const uris: string[] = []
      for await (const { uri } of globalThis.lexidex.createClient(url).event.iterate({ limit: 50 })) uris.push(uri)
      return uris
    }, calendar.url)
    const rows = await calendar.indexer.db.selectFrom('event').select('uri').execute()
    expect(uris).toHaveLength(rows.length)
    expect(new Set(uris)).toEqual(new Set(rows.map(({ uri }) => uri)))
  })

  test('gives errors of the service as what they are', async () => {
    const error = await opened.page.evaluate(async (url) => {
      const uri = 'at://did:plc:aaaaaaaaaaaaaaaaaaaaaaaa/community.lexicon.calendar.event/none'
      const error = await globalThis.lexidex
        .createClient(url)
        .event.getRecord({ uri })
        .catch((error) => error)
      return { name: error.name, status: error.status, error: error.error }
    }, calendar.url)
    expect(error).toEqual({ name: 'XrpcClientError', status: 404, error: 'RecordNotFound' })
  })

  test('aborts', async () => {
    const name = await opened.page.evaluate(async (url) => {
      const controller = new AbortController()
      const call = globalThis.lexidex.createClient(url).event.listRecords({}, { signal: controller.signal })
      controller.abort()
      return call.catch((error) => error.name)
    }, calendar.url)
    expect(name).toBe('AbortError')
  })

  test('sends headers of its own and again after 429, and reads across origins how long to wait', async () => {
    const busy = await serveBusy(calendar.url, ['0', null, '31'])
    try {
      const { count, asked } = await opened.page.evaluate(async (url) => {
        const headers = async (nsid: string) => ({ authorization: `Bearer for ${nsid}` })
        const api = globalThis.lexidex.createClient(url, { headers })
        const { records } = await api.event.listRecords({ limit: 2 })
        const refused = await api.event.listRecords().catch((error) => error)
        return { count: records.length, asked: refused.headers.get('retry-after') }
      }, busy.url)
      expect({ count, asked }).toEqual({ count: 2, asked: '31' })
      expect(busy.authorizations).toEqual(Array(3).fill('Bearer for com.example.event.listRecords'))
    } finally {
      busy.server.close()
    }
  })

  test('the page has logged no error but those of responses', () => {
    expect(opened.errors.filter((text) => !text.startsWith('Failed to load resource'))).toEqual([])
  })
})

interface Busy {
  readonly server: Server
  readonly url: string
  readonly authorizations: (string | undefined)[]
}

/** A proxy of the index that refuses calls with a `retry-after`, in turns, and lets those of null through. */
async function serveBusy(url: string, retryAfter: readonly (string | null)[]): Promise<Busy> {
  const authorizations: (string | undefined)[] = []
  const server = createServer(async (request, response) => {
    const { method = 'GET' } = request
    const answer = await fetch(url + request.url, { method })
    const headers = Object.fromEntries(answer.headers)
    const asked = method === 'GET' ? retryAfter[authorizations.push(request.headers.authorization) - 1] : null
    if (asked) headers['retry-after'] = asked
    response.writeHead(asked ? 429 : answer.status, headers)
    response.end(await answer.text())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, authorizations }
}
