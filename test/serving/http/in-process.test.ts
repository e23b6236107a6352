import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createIndexer, createServerClient } from '../../../fixtures/apps/calendar/src/lexidex/index.ts'
import { defineQuery } from '../../../generator/index.ts'
import { createXrpcClient, XrpcClientError } from '../../../runtime/client/index.ts'
import { silentLogger } from '../../../runtime/core/log.ts'
import { defineCustomQuery, inProcess } from '../../../runtime/index.ts'
import { createSqliteStore } from '../../../runtime/storage/sqlite/index.ts'
import { insert, START_US, serveApp } from '../support/index.ts'
import { book, library } from '../support/library.ts'

describe('an index in the same process', () => {
  const store = () => createSqliteStore(':memory:')
  let indexer: ReturnType<typeof createIndexer>
  beforeEach(async () => {
    const own = store()
    indexer = createIndexer(own, { onDemand: false, logger: silentLogger })
    await indexer.migrate()
    const [event, , rsvp] = indexer.app.collections
    for (let i = 0; i < 5; i++) {
      const uri = insert(own, event!, { rkey: `e${i}`, sortAt: START_US + i, record: { name: `Event ${i}` } })
      insert(own, rsvp!, {
        rkey: `r${i}`,
        columns: { subject_uri: uri, status: 'community.lexicon.calendar.rsvp#going' },
        record: { status: 'community.lexicon.calendar.rsvp#going' },
      })
    }
  })
  afterEach(() => indexer.close())

  test('answers a client that has the types of the one over HTTP', async () => {
    const api = createServerClient(indexer)
    const page = await api.event.listRecords({ limit: 2, hydrateRsvps: 1, profiles: true })
    expect(page.records.map((event) => [event.value.name, event.rsvps.going?.[0]?.rkey])).toEqual([
      ['Event 4', 'r4'],
      ['Event 3', 'r3'],
    ])
    expect(page.profiles).toEqual([{ did: 'did:plc:alice' }])
    const names: string[] = []
    for await (const event of api.event.iterate({ limit: 2 })) names.push(event.value.name)
    expect(names).toEqual(['Event 4', 'Event 3', 'Event 2', 'Event 1', 'Event 0'])
    const uri = 'at://did:plc:alice/community.lexicon.calendar.event/none'
    await expect(api.event.getRecord({ uri })).rejects.toMatchObject({ status: 404, error: 'RecordNotFound' })
  })

  test('lists records by the short name of a collection', async () => {
    const page = await indexer.query('event', { limit: 1, hydrateRsvps: 1 })
    expect(page.records[0]?.rsvps.going).toHaveLength(1)
    expect((await indexer.query('rsvp')).records).toHaveLength(5)
    // @ts-expect-error not a collection
    const wrong = indexer.query('evnt')
    await expect(wrong).rejects.toBeInstanceOf(XrpcClientError)
    await expect(indexer.query('event', { limit: 1, cursor: 'x' })).rejects.toMatchObject({ status: 400 })
  })

  test('is told who calls, by nobody but the process itself', async () => {
    const whoami = defineQuery()({ handler: ({ caller }) => ({ caller: caller ?? null }) })
    const query = defineCustomQuery({ nsid: 'test.lib.book.whoami', collection: book, query: whoami })
    const served = serveApp({ ...library, methods: [query] })
    const as = (caller?: string) => createXrpcClient('http://in.process', inProcess(served.router, { caller }))
    expect(await as('did:plc:alice').query('test.lib.book.whoami')).toEqual({ caller: 'did:plc:alice' })
    expect(await as().query('test.lib.book.whoami')).toEqual({ caller: null })
    const request = new Request('http://x/xrpc/test.lib.book.whoami', { headers: { caller: 'did:plc:alice' } })
    expect(await (await served.router.fetch(request)).json()).toEqual({ caller: null })
    served.close()
  })

  test('sends bodies, headers and the signal along', async () => {
    const asked: unknown[] = []
    const service = {
      async handle(request: Parameters<Parameters<typeof inProcess>[0]['handle']>[0]) {
        let text = ''
        for await (const bytes of request.body ?? []) text += new TextDecoder().decode(bytes)
        asked.push([request.method, request.url, request.headers.get('authorization'), text])
        return { status: 200, headers: {}, body: '{"ok":true}' }
      },
    }
    const client = createXrpcClient('http://in.process', inProcess(service, { headers: { authorization: 'Bearer x' } }))
    expect(await client.procedure('a.b.c', { é: 1 })).toEqual({ ok: true })
    expect(asked).toEqual([['POST', '/xrpc/a.b.c', 'Bearer x', '{"é":1}']])
    await expect(client.query('a.b.c', {}, { signal: AbortSignal.abort() })).rejects.toThrow('aborted')
  })
})
