import type { IncomingMessage } from 'node:http'
import { createXrpcClient } from 'lexidex/client'
import { describe, expect, it } from 'vitest'
import { breakOff, hangUp, reply, serve, thrown } from './server.ts'

const NSID = 'com.example.notifyOfUpdate'
const input = { uris: ['at://did:plc:alice/com.example.note/a'] }
const done = { indexed: 1, deleted: 0 }

describe('procedure', () => {
  it('posts JSON', async () => {
    const received: unknown[] = []
    const server = await serve((request, response, url) => {
      void bodyOf(request).then((body) => {
        received.push({ method: request.method, body, type: request.headers['content-type'] })
        reply(200, done)(request, response, url)
      })
    })
    const headers = { authorization: 'Bearer open-sesame' }
    expect(await createXrpcClient(server.url, { headers }).procedure(NSID, input)).toEqual(done)
    expect(received).toEqual([{ method: 'POST', body: JSON.stringify(input), type: 'application/json' }])
    expect(server.requests[0]!.url.pathname).toBe(`/xrpc/${NSID}`)
    expect(server.requests[0]!.headers).toMatchObject({ ...headers, accept: 'application/json' })
  })

  it.each([429, 503])('is sent again after %s', async (status) => {
    const server = await serve(reply(status, {}, { 'retry-after': '0' }), reply(200, done))
    expect(await createXrpcClient(server.url).procedure(NSID, input)).toEqual(done)
    expect(server.requests).toHaveLength(2)
  })

  it.each([
    ['a connection closed without an answer', hangUp],
    ['a connection closed in the body', breakOff],
  ])('is not sent again after %s', async (_name, failure) => {
    const server = await serve(failure, reply(200, done))
    expect(await thrown(createXrpcClient(server.url).procedure(NSID, input))).toMatchObject({ error: 'NetworkError' })
    expect(server.requests).toHaveLength(1)
  })

  it('throws what the service states', async () => {
    const server = await serve(reply(401, { error: 'unauthorized', message: 'No.' }))
    const error = await thrown(createXrpcClient(server.url).procedure(NSID, input))
    expect(error).toMatchObject({ status: 401, error: 'unauthorized', message: 'No.' })
  })
})

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  return text
}
