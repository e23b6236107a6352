import { describe, expect, test } from 'vitest'
import { type Fetch, FetchError, type FetchErrorKind } from '../../runtime/core/http.ts'
import { createXrpc } from '../../runtime/sources/xrpc.ts'

const HOST = 'https://pds.example.com'

/** A client whose answers come from a list; the last one stays. */
function clientOf(...answers: (() => Response)[]) {
  const asked: string[] = []
  const fetch: Fetch = async (url) => {
    asked.push(url)
    return answers[Math.min(asked.length, answers.length) - 1]!()
  }
  return { xrpc: createXrpc({ fetch, retryMs: [1, 1] }), asked }
}

const refusal = (status: number, error?: string, headers: Record<string, string> = {}) => {
  const body = error === undefined ? '<html>' : JSON.stringify({ error, message: 'because' })
  return () => new Response(body, { status, headers })
}
const ok =
  (body: unknown = { fine: true }) =>
  () =>
    Response.json(body)

describe('createXrpc', () => {
  test('calls a query with its parameters', async () => {
    const { xrpc, asked } = clientOf(ok())
    expect(await xrpc.get(HOST, 'com.example.get', { did: 'did:web:a%3A1', limit: 5 })).toEqual({ fine: true })
    expect(asked).toEqual([`${HOST}/xrpc/com.example.get?did=did%3Aweb%3Aa%253A1&limit=5`])
  })

  test.each([
    [400, 'RecordNotFound', 'record-not-found'],
    [400, 'RepoNotFound', 'repo-not-found'],
    [400, 'RepoDeactivated', 'inactive'],
    [400, 'RepoTakendown', 'inactive'],
    [400, 'RepoSuspended', 'inactive'],
    [400, 'InvalidRequest', 'permanent'],
    [401, 'AuthRequired', 'permanent'],
    [501, 'MethodNotImplemented', 'permanent'],
    [501, undefined, 'permanent'],
  ])('%s %s is %s, and is not asked again', async (status, error, kind) => {
    const { xrpc, asked } = clientOf(refusal(status, error))
    const answer = xrpc.get(HOST, 'm', {})
    await expect(answer).rejects.toMatchObject({ name: 'ServiceError', kind, error: error ?? null })
    expect(asked).toHaveLength(1)
  })

  test.each([
    ['a 503', refusal(503, 'NotAvailable')],
    ['a 500 in HTML', refusal(500)],
    ['a 403 in HTML, from something between', refusal(403)],
    ['a 404 in HTML', refusal(404)],
    ['an answer that is no JSON', () => new Response('hello')],
    ['an answer that is no object', ok([])],
  ])('%s is tried again', async (_what, answer) => {
    const { xrpc, asked } = clientOf(answer, ok())
    expect(await xrpc.get(HOST, 'm', {})).toEqual({ fine: true })
    expect(asked).toHaveLength(2)
  })

  test('gives up after three tries', async () => {
    const { xrpc, asked } = clientOf(refusal(502))
    await expect(xrpc.get(HOST, 'm', {})).rejects.toMatchObject({ kind: 'transient' })
    expect(asked).toHaveLength(3)
  })

  test.each<[FetchErrorKind, string, number]>([
    ['refused', 'permanent', 1],
    ['too-large', 'too-large', 1],
    ['timeout', 'transient', 3],
  ])('a fetch that is %s is %s', async (kind, expected, tries) => {
    let count = 0
    const fetch: Fetch = async () => {
      count++
      throw new FetchError(kind, 'no')
    }
    await expect(createXrpc({ fetch, retryMs: [1, 1] }).get(HOST, 'm', {})).rejects.toMatchObject({ kind: expected })
    expect(count).toBe(tries)
  })

  test('waits where the host limits its callers, with headers and without', async () => {
    const { xrpc, asked } = clientOf(refusal(429, 'RateLimitExceeded', { 'retry-after': '1' }), ok())
    expect(await xrpc.get(HOST, 'm', {})).toEqual({ fine: true })
    const silent = clientOf(refusal(429), ok())
    expect(await silent.xrpc.get(HOST, 'm', {})).toEqual({ fine: true })
    expect([asked.length, silent.asked.length]).toEqual([2, 2])
  })

  test('does not wait for hours', async () => {
    const { xrpc } = clientOf(refusal(429, undefined, { 'retry-after': '7200' }))
    await expect(xrpc.get(HOST, 'm', {})).rejects.toMatchObject({ kind: 'rate-limited', retryAfterMs: 7_200_000 })
    const clock = { now: () => 1_700_000_000_000, nowUs: () => 0 }
    const fetch: Fetch = async () => new Response('', { status: 429, headers: { 'ratelimit-reset': '1700003600' } })
    await expect(createXrpc({ fetch, clock }).get(HOST, 'm', {})).rejects.toMatchObject({ retryAfterMs: 3_600_000 })
  })

  test('a limit holds for all requests to the host, and for no other', async () => {
    const answered: string[] = []
    let limited = true
    const fetch: Fetch = async (url) => {
      const { host, searchParams } = new URL(url)
      if (host === 'busy.example' && limited) {
        limited = false
        return new Response('', { status: 429 })
      }
      answered.push(searchParams.get('name')!)
      return Response.json({})
    }
    const xrpc = createXrpc({ fetch, retryMs: [1, 1] })
    const first = xrpc.get('https://busy.example', 'm', { name: 'first' })
    await new Promise((resolve) => setImmediate(resolve))
    const second = xrpc.get('https://busy.example', 'm', { name: 'second' })
    await xrpc.get('https://free.example', 'm', { name: 'other' })
    expect(answered).toEqual(['other'])
    await Promise.all([first, second])
    expect(answered).toHaveLength(3)
  })

  test('a budget that is used up is waited for', async () => {
    const spent = { 'ratelimit-remaining': '0', 'ratelimit-reset': '1' }
    const { xrpc, asked } = clientOf(() => Response.json({}, { headers: spent }), ok())
    await xrpc.get(HOST, 'm', {})
    const next = xrpc.get(HOST, 'm', {})
    await new Promise((resolve) => setImmediate(resolve))
    expect(asked).toHaveLength(1)
    await next
    expect(asked).toHaveLength(2)
  })

  test('a signal ends the wait', async () => {
    const abort = new AbortController()
    const { xrpc } = clientOf(refusal(429, undefined, { 'retry-after': '300' }))
    const answer = xrpc.get(HOST, 'm', {}, { signal: abort.signal })
    await new Promise((resolve) => setImmediate(resolve))
    abort.abort(new Error('enough'))
    await expect(answer).rejects.toThrow('enough')
  })
})
