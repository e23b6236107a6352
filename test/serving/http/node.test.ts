import { request } from 'node:http'
import { connect } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LexidexError } from '../../../runtime/core/errors.ts'
import { type Serving, serve } from '../../../runtime/node/index.ts'
import { insert, type Served, serveApp } from '../support/index.ts'
import { book, library } from '../support/library.ts'

let served: Served
let serving: Serving
beforeEach(async () => {
  served = serveApp(library)
  serving = await serve(served.router, { port: 0 })
})
afterEach(async () => {
  await serving.close()
  served.close()
})

test('serves what the router answers, with its length in bytes', async () => {
  insert(served.store, book, { rkey: 'one', record: { title: '東京 𝄞' } })
  const path = '/xrpc/test.lib.book.listRecords?limit=1'
  const response = await fetch(serving.url + path)
  const bytes = await response.arrayBuffer()
  expect(response.status).toBe(200)
  expect(response.headers.get('content-length')).toBe(String(bytes.byteLength))
  expect(new TextDecoder().decode(bytes)).toBe((await served.get(path)).body)

  const head = await fetch(serving.url + path, { method: 'HEAD' })
  expect(head.headers.get('content-length')).toBe(String(bytes.byteLength))
  expect(await head.text()).toBe('')

  const preflight = await fetch(serving.url + path, { method: 'OPTIONS' })
  expect([preflight.status, preflight.headers.get('content-length')]).toEqual([204, null])
})

test('a body that nobody asked for does not stay in the connection', async () => {
  const post = () => fetch(`${serving.url}/health`, { method: 'POST', body: 'x'.repeat(100_000) })
  for (let i = 0; i < 3; i++) expect((await post()).status).toBe(405)
  expect((await fetch(`${serving.url}/health`)).status).toBe(200)
})

test('close lets a request under way finish, and takes no more', async () => {
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  let arrived = () => {}
  const begun = new Promise<void>((resolve) => {
    arrived = resolve
  })
  const slow = await serve(
    {
      handle: async (request) => {
        arrived()
        await held
        return served.router.handle(request)
      },
    },
    { port: 0 },
  )
  const answer = fetch(`${slow.url}/health`)
  await begun
  const closed = slow.close()
  release()
  expect((await answer).status).toBe(200)
  await closed
  await expect(fetch(`${slow.url}/health`)).rejects.toThrow()
  await slow.close()
})

test('close does not wait for connections that only wait', async () => {
  const { port } = new URL(serving.url)
  const socket = connect(Number(port), '127.0.0.1')
  await new Promise((resolve) => socket.once('connect', resolve))
  const ended = new Promise((resolve) => socket.once('close', resolve))
  await fetch(`${serving.url}/health`)
  await serving.close()
  await ended
})

test('a signal closes', async () => {
  const stop = new AbortController()
  const other = await serve(served.router, { port: 0, signal: stop.signal })
  stop.abort()
  await other.close()
  await expect(fetch(`${other.url}/health`)).rejects.toThrow()
  const late = await serve(served.router, { port: 0, signal: AbortSignal.abort() })
  await expect(fetch(`${late.url}/health`)).rejects.toThrow()
})

test('a port that is taken is an error with a hint', async () => {
  const port = Number(new URL(serving.url).port)
  const error = await serve(served.router, { port }).catch((reason) => reason)
  expect(error).toBeInstanceOf(LexidexError)
  expect(error.message).toContain(`127.0.0.1:${port}`)
  expect(error.hint).toMatch(/choose another `port`/)
})

test('a path that is no URL is not found', async () => {
  const { hostname, port } = new URL(serving.url)
  const status = await new Promise((resolve, reject) => {
    const call = request({ hostname, port, path: '//%zz?%', method: 'GET' }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    call.once('error', reject).end()
  })
  expect(status).toBe(404)
})
