import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createGuardedFetch, type GuardedFetch } from '../../runtime/identity/guarded-fetch.ts'

let server: Server
let url: string
let answer: RequestListener
let fetch: GuardedFetch

beforeEach(async () => {
  server = createServer((request, response) => answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  fetch = createGuardedFetch({ allowHosts: ['127.0.0.1'] })
})
afterEach(async () => {
  fetch.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

const LIMITS = { maxBytes: 1_000_000, idleMs: 5000, maxMs: 5000 }

async function read(limits: Partial<typeof LIMITS> & { signal?: AbortSignal } = {}): Promise<string> {
  const { body } = await fetch.stream(url, { ...LIMITS, ...limits })
  let text = ''
  for await (const piece of body) text += Buffer.from(piece).toString()
  return text
}

test('gives status, headers and body, also of refusals', async () => {
  answer = (_, response) => response.writeHead(429, { 'retry-after': '7' }).end('slow down')
  const { status, headers, body } = await fetch.stream(url, LIMITS)
  expect([status, headers.get('retry-after')]).toEqual([429, '7'])
  expect(Buffer.from((await body.next()).value!).toString()).toBe('slow down')
  expect((await body.next()).done).toBe(true)
})

test('gives pieces as they come', async () => {
  let more = () => {}
  answer = (_, response) => {
    response.write('one')
    more = () => response.end('two')
  }
  const { body } = await fetch.stream(url, LIMITS)
  expect(Buffer.from((await body.next()).value!).toString()).toBe('one')
  more()
  expect(Buffer.from((await body.next()).value!).toString()).toBe('two')
  expect((await body.next()).done).toBe(true)
})

test('is held to its limits', async () => {
  answer = (_, response) => response.end('x'.repeat(5000))
  await expect(read({ maxBytes: 4999 })).rejects.toMatchObject({ kind: 'too-large' })
  expect(await read({ maxBytes: 5000 })).toHaveLength(5000)
  answer = (_, response) => response.write('a little')
  await expect(read({ idleMs: 30 })).rejects.toMatchObject({ kind: 'timeout' })
  answer = () => {}
  await expect(read({ idleMs: 30 })).rejects.toMatchObject({ kind: 'timeout' })
  answer = (_, response) => {
    const timer = setInterval(() => response.write('drip'), 5)
    response.on('close', () => clearInterval(timer))
  }
  await expect(read({ idleMs: 1000, maxMs: 60 })).rejects.toMatchObject({ kind: 'timeout' })
})

test('does not count the time that its reader takes', async () => {
  answer = (_, response) => response.end('done')
  const { body } = await fetch.stream(url, { ...LIMITS, idleMs: 40 })
  await body.next()
  await new Promise((resolve) => setTimeout(resolve, 120))
  expect((await body.next()).done).toBe(true)
})

test('ends with its reader, with a broken connection, and with the signal', async () => {
  let closed = () => {}
  const isClosed = new Promise<void>((resolve) => {
    closed = resolve
  })
  answer = (_, response) => {
    response.on('close', closed)
    response.write('one')
  }
  for await (const _piece of (await fetch.stream(url, LIMITS)).body) break
  await isClosed

  answer = (_, response) => {
    response.write('one')
    setTimeout(() => response.destroy(), 10)
  }
  await expect(read()).rejects.toMatchObject({ kind: 'network' })

  const abort = new AbortController()
  answer = (_, response) => {
    response.write('one')
    setTimeout(() => abort.abort(new Error('enough')), 10)
  }
  await expect(read({ signal: abort.signal })).rejects.toThrow('enough')
})

test('is guarded like any fetch, redirects too', async () => {
  const guarded = createGuardedFetch()
  await expect(guarded.stream(url, LIMITS)).rejects.toMatchObject({ kind: 'refused' })
  guarded.close()
  answer = (_, response) => response.writeHead(302, { location: 'http://localhost:1/' }).end()
  await expect(read()).rejects.toMatchObject({ kind: 'refused' })
})
