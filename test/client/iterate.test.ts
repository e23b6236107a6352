import fc from 'fast-check'
import { createXrpcClient } from 'lexidex/client'
import { describe, expect, it } from 'vitest'
import { hangUp, reply, serve, thrown } from './server.ts'

const NSID = 'com.example.event.listRecords'

async function collect<T>(records: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const record of records) all.push(record)
  return all
}

describe('iterate', () => {
  it('yields every record in order, however the pages are cut', async () => {
    let pages: number[][] = []
    const server = await serve((request, response, url) => {
      const index = Number(url.searchParams.get('cursor') ?? 0)
      const next = index + 1 < pages.length ? { cursor: String(index + 1) } : {}
      reply(200, { records: pages[index] ?? [], ...next })(request, response, url)
    })
    const client = createXrpcClient(server.url)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(fc.integer(), { maxLength: 4 }), { maxLength: 6 }), async (cut) => {
        pages = cut
        expect(await collect(client.iterate(NSID))).toEqual(cut.flat())
      }),
      { numRuns: 30 },
    )
  })

  it('sends the same parameters with every page and starts at the cursor it is given', async () => {
    const server = await serve(reply(200, { records: [1], cursor: 'c' }), reply(200, { records: [2], cursor: '' }))
    const params = { limit: 1, mode: ['a', 'b'], cursor: 'b' }
    expect(await collect(createXrpcClient(server.url).iterate(NSID, params))).toEqual([1, 2])
    expect(server.requests.map((r) => r.url.search)).toEqual([
      '?limit=1&mode=a&mode=b&cursor=b',
      '?limit=1&mode=a&mode=b&cursor=c',
    ])
    expect(params.cursor).toBe('b')
  })

  it('fetches a page only when its records are asked for', async () => {
    const server = await serve(reply(200, { records: [1, 2], cursor: 'next' }))
    const records = createXrpcClient(server.url).iterate<number>(NSID)
    expect(server.requests).toHaveLength(0)
    for await (const record of records) if (record === 2) break
    expect(server.requests).toHaveLength(1)
  })

  it('goes on after a failure within the walk', async () => {
    const server = await serve(reply(200, { records: [1], cursor: 'a' }), hangUp, reply(200, { records: [2] }))
    expect(await collect(createXrpcClient(server.url).iterate(NSID))).toEqual([1, 2])
  })

  it.each([
    ['at once', ['a', 'a']],
    ['in a circle', ['a', 'b', 'c', 'a']],
    ['the first of all', ['start']],
  ])('ends with an error when a cursor comes back: %s', async (_name, cursors) => {
    const server = await serve(...cursors.map((cursor) => reply(200, { records: [], cursor })))
    const error = await thrown(collect(createXrpcClient(server.url).iterate(NSID, { cursor: 'start' })))
    expect(error).toMatchObject({ name: 'XrpcClientError', error: 'InvalidResponse' })
    expect(error).toMatchObject({ message: expect.stringContaining(`cursor ${cursors.at(-1)}`) })
    expect(server.requests).toHaveLength(cursors.length)
  })

  it('does not take something else for a list', async () => {
    const server = await serve(reply(200, { uri: 'at://…' }))
    const error = await thrown(collect(createXrpcClient(server.url).iterate(NSID)))
    expect(error).toMatchObject({ name: 'XrpcClientError', error: 'InvalidResponse' })
  })
})
