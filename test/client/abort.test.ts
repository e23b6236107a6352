import { createXrpcClient } from 'lexidex/client'
import { describe, expect, it } from 'vitest'
import { reply, serve, thrown } from './server.ts'

const NSID = 'com.example.event.listRecords'

/** Options and call that carry a signal in each of the places it can be in. */
function places(signal: AbortSignal) {
  const idle = new AbortController().signal
  return [
    { options: { signal }, call: {} },
    { options: {}, call: { signal } },
    { options: { signal: idle }, call: { signal } },
    { options: { signal }, call: { signal: idle } },
  ]
}

describe.each([0, 1, 2, 3])('a signal in place %i', (place) => {
  it('sends nothing when it is aborted already', async () => {
    const server = await serve(reply(200, {}))
    const { options, call } = places(AbortSignal.abort())[place]!
    expect(await thrown(createXrpcClient(server.url, options).query(NSID, {}, call))).toMatchObject({
      name: 'AbortError',
    })
    expect(server.requests).toEqual([])
  })

  it('ends a request under way, without a retry', async () => {
    const controller = new AbortController()
    const server = await serve(() => controller.abort())
    const { options, call } = places(controller.signal)[place]!
    expect(await thrown(createXrpcClient(server.url, options).query(NSID, {}, call))).toMatchObject({
      name: 'AbortError',
    })
    expect(server.requests).toHaveLength(1)
  })

  it('ends the wait before a retry', async () => {
    const controller = new AbortController()
    const server = await serve((request, response, url) => {
      // The client waits from when the response is complete.
      response.on('close', () => setTimeout(() => controller.abort(), 20))
      reply(429, {}, { 'retry-after': '30' })(request, response, url)
    })
    const { options, call } = places(controller.signal)[place]!
    expect(await thrown(createXrpcClient(server.url, options).query(NSID, {}, call))).toMatchObject({
      name: 'AbortError',
    })
    expect(server.requests).toHaveLength(1)
  })

  it('ends an iteration between two records of one page', async () => {
    const controller = new AbortController()
    const server = await serve(reply(200, { records: [1, 2, 3], cursor: 'next' }))
    const { options, call } = places(controller.signal)[place]!
    const records: number[] = []
    const walk = async () => {
      for await (const record of createXrpcClient(server.url, options).iterate<number>(NSID, {}, call)) {
        records.push(record)
        if (record === 2) controller.abort()
      }
    }
    expect(await thrown(walk())).toMatchObject({ name: 'AbortError' })
    expect(records).toEqual([1, 2])
    expect(server.requests).toHaveLength(1)
  })
})

describe('abort', () => {
  it('passes on the reason', async () => {
    const server = await serve(() => {})
    const client = createXrpcClient(server.url)
    expect(await thrown(client.query(NSID, {}, { signal: AbortSignal.timeout(20) }))).toMatchObject({
      name: 'TimeoutError',
    })
    expect(await thrown(client.query(NSID, {}, { signal: AbortSignal.abort('left the page') }))).toBe('left the page')
  })

  it('passes on the AbortError of a fetch that has its own reasons', async () => {
    let sent = 0
    const failure = new DOMException('The route changed.', 'AbortError')
    const fetch = () => {
      sent++
      return Promise.reject(failure)
    }
    expect(await thrown(createXrpcClient('https://a.example', { fetch }).query(NSID))).toBe(failure)
    expect(sent).toBe(1)
  })

  it('sends nothing when headers took longer than the caller had patience', async () => {
    const controller = new AbortController()
    const server = await serve(reply(200, {}))
    const headers = async () => {
      controller.abort()
      return {}
    }
    const client = createXrpcClient(server.url, { headers, signal: controller.signal })
    expect(await thrown(client.query(NSID))).toMatchObject({ name: 'AbortError' })
    expect(server.requests).toEqual([])
  })
})
