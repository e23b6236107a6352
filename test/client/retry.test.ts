import { createXrpcClient, XrpcClientError } from 'lexidex/client'
import { describe, expect, it } from 'vitest'
import { delayAsked, retryDelay } from '../../runtime/client/retry.ts'
import { breakOff, closedPort, hangUp, reply, serve, thrown } from './server.ts'

const NSID = 'com.example.getCursor'
const ok = reply(200, { cursor: null })
const busy = { error: 'RateLimitExceeded', message: 'Slow down.' }

describe('retries', () => {
  it.each([
    ['429 with retry-after in seconds', reply(429, busy, { 'retry-after': '0' })],
    ['429 with retry-after as a date', reply(429, busy, { 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' })],
    ['429 with ratelimit-reset', reply(429, busy, { 'ratelimit-reset': '1700000000' })],
    ['429 without a word on when', reply(429, busy)],
    ['503', reply(503, '<h1>Restarting</h1>')],
    ['a connection closed without an answer', hangUp],
    ['a connection closed in the body', breakOff],
  ])('sends again after %s', async (_name, failure) => {
    const server = await serve(failure, ok)
    expect(await createXrpcClient(server.url).query(NSID, { a: 1 })).toEqual({ cursor: null })
    expect(server.requests.map((r) => r.url.href)).toEqual(Array(2).fill(server.requests[0]?.url.href))
  })

  it('gives up after 3, with the last error', async () => {
    const server = await serve(reply(429, busy, { 'retry-after': '0' }))
    expect(await thrown(createXrpcClient(server.url).query(NSID))).toMatchObject({ status: 429, ...busy })
    expect(server.requests).toHaveLength(4)
  })

  it.each([0, -1, Number.NaN])('sends once with retries: %s', async (retries) => {
    const server = await serve(reply(503, busy, { 'retry-after': '0' }), ok)
    expect(await thrown(createXrpcClient(server.url, { retries }).query(NSID))).toMatchObject({ status: 503 })
    expect(server.requests).toHaveLength(1)
  })

  it.each([400, 401, 403, 404, 500, 501, 502, 504])('does not send again after %s', async (status) => {
    const server = await serve(reply(status, {}, { 'retry-after': '0' }), ok)
    expect(await thrown(createXrpcClient(server.url).query(NSID))).toMatchObject({ status })
    expect(server.requests).toHaveLength(1)
  })

  it('does not wait where the service asks for more than 30 s, and tells how long', async () => {
    const server = await serve(reply(429, busy, { 'retry-after': '31' }), ok)
    const error = await thrown(createXrpcClient(server.url).query(NSID))
    expect((error as XrpcClientError).headers.get('retry-after')).toBe('31')
    expect(server.requests).toHaveLength(1)
  })

  it('states a service that cannot be reached as an error with its cause', async () => {
    const url = await closedPort()
    const error = await thrown(createXrpcClient(url, { retries: 1 }).query(NSID))
    expect(error).toBeInstanceOf(XrpcClientError)
    expect(error).toMatchObject({ status: 0, error: 'NetworkError', message: expect.stringContaining(url) })
    expect((error as XrpcClientError).cause).toBeInstanceOf(TypeError)
    expect([...(error as XrpcClientError).headers]).toEqual([])
  })
})

describe('delayAsked', () => {
  const now = Date.parse('2025-06-01T12:00:00Z')
  const s = (seconds: number) => String(now / 1000 + seconds)

  it.each([
    [{}, null],
    [{ 'retry-after': '5' }, 5_000],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': 'Sun, 01 Jun 2025 12:00:09 GMT' }, 9_000],
    [{ 'retry-after': 'Sun, 01 Jun 2025 11:00:00 GMT' }, 0],
    [{ 'retry-after': 'soon' }, null],
    [{ 'retry-after': '-5 apples' }, null],
    [{ 'ratelimit-reset': s(7) }, 7_000],
    [{ 'ratelimit-reset': s(-7) }, 0],
    [{ 'ratelimit-reset': '7' }, 7_000],
    [{ 'ratelimit-reset': 'later' }, null],
    [{ 'retry-after': '2', 'ratelimit-reset': s(7) }, 2_000],
    [{ 'retry-after': 'soon', 'ratelimit-reset': s(7) }, 7_000],
  ])('reads %j as %s ms', (headers, delay) => {
    expect(delayAsked(new Headers(headers as Record<string, string>), now)).toBe(delay)
  })
})

describe('retryDelay', () => {
  const failure = (status: number, headers: Record<string, string> = {}) =>
    new XrpcClientError(status, status === 0 ? 'NetworkError' : 'Unavailable', '', { headers: new Headers(headers) })

  it('grows from one attempt to the next, within half of its bound and its bound, up to 30 s', () => {
    for (let attempt = 0; attempt < 1100; attempt++) {
      const most = Math.min(30_000, 250 * 2 ** attempt)
      for (const error of [failure(0), failure(429), failure(503)]) {
        const delay = retryDelay(error, attempt, 0)
        expect(delay).toBeGreaterThanOrEqual(most / 2)
        expect(delay).toBeLessThanOrEqual(most)
      }
    }
  })

  it('is what the service asks for, up to 30 s', () => {
    expect(retryDelay(failure(503, { 'retry-after': '30' }), 0, 0)).toBe(30_000)
    expect(retryDelay(failure(503, { 'retry-after': '31' }), 0, 0)).toBeNull()
  })

  it('is none for errors of other kinds', () => {
    expect(retryDelay(failure(500), 0, 0)).toBeNull()
    expect(retryDelay(new TypeError('a bug'), 0, 0)).toBeNull()
  })
})
