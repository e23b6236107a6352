import { createContext, runInContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { build, type Metafile } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { reply, serve } from './server.ts'

const RUNTIME = 'runtime/client/index.ts'
const EMITTED = 'fixtures/apps/calendar/src/lexidex/client.ts'

/** Bundles for browsers, where an import of a Node built-in is an error. */
async function bundle(entry: string): Promise<{ code: string; meta: Metafile }> {
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    platform: 'browser',
    format: 'iife',
    globalName: 'api',
    target: 'es2022',
    conditions: ['lexidex-source'],
    minify: true,
    metafile: true,
    write: false,
    logLevel: 'silent',
  })
  return { code: outputFiles[0]!.text, meta: metafile }
}

/** Evaluates a bundle where only what browsers have is defined. */
function evaluate(code: string): any {
  const context = createContext({
    fetch,
    URL,
    URLSearchParams,
    Headers,
    AbortController,
    AbortSignal,
    setTimeout,
    clearTimeout,
  })
  runInContext(code, context)
  return context.api
}

describe('the client runtime in a browser bundle', () => {
  it('holds only its own files and core', async () => {
    const { code, meta } = await bundle(RUNTIME)
    const foreign = Object.keys(meta.inputs).filter((path) => !/^runtime\/(client|core)\//.test(path))
    expect(foreign).toEqual([])
    // Every app ships it to its users.
    expect(gzipSync(code).length).toBeLessThan(2500)
  })

  it('is refused with a Node built-in in it', async () => {
    await expect(bundle('test/client/server.ts')).rejects.toThrow('node:http')
  })

  it('calls, retries, walks and aborts', async () => {
    const api = evaluate((await bundle(RUNTIME)).code)
    const server = await serve(
      reply(503, {}, { 'retry-after': '0' }),
      reply(200, { records: [1], cursor: 'next' }),
      reply(200, { records: [2] }),
      reply(400, { error: 'InvalidRequest', message: 'No.' }),
      () => controller.abort(),
    )
    const controller = new AbortController()
    const client = api.createXrpcClient(server.url)

    const records: unknown[] = []
    for await (const record of client.iterate('a.b.list', { since: new Date(0) })) records.push(record)
    expect(records).toEqual([1, 2])
    expect(server.requests.at(-1)?.url.search).toBe('?since=1970-01-01T00%3A00%3A00.000Z&cursor=next')

    const refused = await client.query('a.b.list').catch((error: unknown) => error)
    expect(refused instanceof api.XrpcClientError).toBe(true)
    expect(refused).toMatchObject({ status: 400, error: 'InvalidRequest', message: 'No.' })

    const aborted = client.query('a.b.list', {}, { signal: controller.signal })
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' })
    expect(server.requests).toHaveLength(5)
  })
})

describe('an emitted client in a browser bundle', () => {
  it('holds only itself, the client runtime and core', async () => {
    const { meta } = await bundle(EMITTED)
    expect(Object.keys(meta.inputs)).toContain(EMITTED)
    const foreign = Object.keys(meta.inputs).filter(
      (path) => path !== EMITTED && !/^runtime\/(client|core)\//.test(path),
    )
    expect(foreign).toEqual([])
  })

  it('calls the methods of its index', async () => {
    const { createClient } = evaluate((await bundle(EMITTED)).code)
    const view = { uri: 'at://did:plc:a/community.lexicon.calendar.event/1', rsvps: { going: [] } }
    const server = await serve(
      reply(200, { records: [view], cursor: 'next' }),
      reply(200, { records: [view], cursor: 'next' }),
      reply(200, { records: [] }),
      reply(200, view),
      reply(200, { cursor: null }),
    )
    const client = createClient(server.url)
    const params = { mode: ['a', 'b'], hydrateRsvps: 5 }

    expect(await client.event.listRecords(params)).toEqual({ records: [view], cursor: 'next' })
    for await (const record of client.event.iterate(params)) expect(record).toEqual(view)
    expect(await client.event.getRecord({ uri: view.uri })).toEqual(view)
    expect(await client.getCursor()).toEqual({ cursor: null })
    const query = '?mode=a&mode=b&hydrateRsvps=5'
    expect(server.requests.map(({ url }) => url.pathname + url.search)).toEqual([
      `/xrpc/com.example.event.listRecords${query}`,
      `/xrpc/com.example.event.listRecords${query}`,
      `/xrpc/com.example.event.listRecords${query}&cursor=next`,
      `/xrpc/com.example.event.getRecord?uri=${encodeURIComponent(view.uri)}`,
      '/xrpc/com.example.getCursor',
    ])
  })
})
