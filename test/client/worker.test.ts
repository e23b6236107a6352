/** The emitted client inside a Cloudflare Worker. */
import { build } from 'esbuild'
import { Miniflare } from 'miniflare'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { reply, serve } from './server.ts'

const worker = `
  import { createClient } from './fixtures/apps/calendar/src/lexidex/client.ts'

  export default {
    async fetch(request) {
      const { service, call } = await request.json()
      const api = createClient(service, { serviceAuth: async ({ lxm }) => 'for ' + lxm })
      try {
        return Response.json(await calls[call](api))
      } catch ({ name, error, status }) {
        return Response.json({ name, error, status })
      }
    },
  }

  const calls = {
    list: (api) => api.event.listRecords({ mode: ['a', 'b'], hydrateRsvps: 5 }),
    async walk(api) {
      const uris = []
      for await (const { uri } of api.event.iterate()) uris.push(uri)
      return uris
    },
    refused: (api) => api.event.getRecord({ uri: 'none' }),
    abort(api) {
      const controller = new AbortController()
      setTimeout(() => controller.abort(), 50)
      return api.event.listRecords({}, { signal: controller.signal })
    },
  }
`

describe('the emitted client in a Worker', () => {
  let miniflare: Miniflare
  const ask = async (service: string, call: string): Promise<unknown> => {
    const response = await miniflare.dispatchFetch('https://worker.example', {
      method: 'POST',
      body: JSON.stringify({ service, call }),
    })
    return response.json()
  }

  beforeAll(async () => {
    const { outputFiles } = await build({
      stdin: { contents: worker, resolveDir: '.' },
      bundle: true,
      platform: 'browser',
      format: 'esm',
      target: 'es2022',
      conditions: ['lexidex-source'],
      write: false,
    })
    miniflare = new Miniflare({ modules: true, script: outputFiles[0]!.text, compatibilityDate: '2026-01-01' })
    await miniflare.ready
  })
  afterAll(() => miniflare?.dispose())

  it('lists, after a pause that the service has asked for, and with a token', async () => {
    const page = { records: [{ uri: 'at://a' }] }
    const server = await serve(reply(429, {}, { 'retry-after': '0' }), reply(200, page))
    expect(await ask(server.url, 'list')).toEqual(page)
    expect(server.requests).toHaveLength(2)
    expect(server.requests[1]!.url.search).toBe('?mode=a&mode=b&hydrateRsvps=5')
    expect(server.requests[1]!.headers.authorization).toBe('Bearer for com.example.event.listRecords')
  })

  it('walks every page', async () => {
    const server = await serve(
      reply(200, { records: [{ uri: 'at://a' }], cursor: 'next' }),
      reply(200, { records: [{ uri: 'at://b' }] }),
    )
    expect(await ask(server.url, 'walk')).toEqual(['at://a', 'at://b'])
  })

  it('gives errors as what they are, and aborts', async () => {
    const refusing = await serve(reply(404, { error: 'RecordNotFound', message: 'None.' }))
    const expected = { name: 'XrpcClientError', error: 'RecordNotFound', status: 404 }
    expect(await ask(refusing.url, 'refused')).toEqual(expected)
    const silent = await serve(() => {})
    expect(await ask(silent.url, 'abort')).toEqual({ name: 'AbortError' })
  })
})
