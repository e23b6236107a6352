import { describe, expect, test } from 'vitest'
import { ResolveError } from '../../../runtime/identity/resolver.ts'
import { afterFailure, retryDelay } from '../../../runtime/operations/backfill/job-failure.ts'
import type { Job } from '../../../runtime/operations/backfill/jobs.ts'
import { ServiceError, type ServiceErrorKind } from '../../../runtime/sources/xrpc.ts'

const job: Job = {
  did: 'did:plc:a',
  collection: 'com.example.a',
  status: 'pending',
  cursor: null,
  rev: null,
  records: 0,
  attempts: 0,
  due_at: 0,
  last_error: null,
}
const MINUTE = 60_000
const NOW = 1_000_000
const failure = (kind: ServiceErrorKind) => new ServiceError(kind, 'because')

describe('afterFailure', () => {
  test.each<ServiceErrorKind>(['transient', 'inactive', 'rate-limited', 'too-large'])('%s is tried again', (kind) => {
    const walked = { ...job, cursor: 'c', rev: '3l3qo2vutsw2b', records: 100 }
    const failed = { attempts: 1, due_at: NOW + 15 * MINUTE, last_error: 'because' }
    expect(afterFailure(walked, failure(kind), { now: NOW })).toEqual({ ...walked, ...failed })
  })

  test.each([failure('repo-not-found'), failure('permanent'), new ResolveError(true, 'because')])(
    '%o is given up',
    (error) => {
      const failed = { ...job, status: 'failed', attempts: 1, last_error: 'because' }
      expect(afterFailure(job, error, { now: NOW })).toEqual(failed)
    },
  )

  test('is given up after ten attempts', () => {
    const statusAfter = (attempts: number) =>
      afterFailure({ ...job, attempts }, failure('transient'), { now: NOW }).status
    expect([statusAfter(8), statusAfter(9)]).toEqual(['pending', 'failed'])
  })

  test('waits as long as the host asks for', () => {
    const error = new ServiceError('rate-limited', 'because', { retryAfterMs: 60 * MINUTE })
    expect(afterFailure(job, error, { now: NOW }).due_at).toBe(NOW + 60 * MINUTE)
  })

  test('a saved cursor that is refused is dropped', () => {
    const resumed = { ...job, cursor: 'c' }
    const failed = afterFailure(resumed, failure('permanent'), { now: NOW, resumed: true })
    expect(failed).toMatchObject({ status: 'pending', cursor: null, attempts: 1 })
    expect(afterFailure(resumed, failure('permanent'), { now: NOW, resumed: false }).status).toBe('failed')
  })

  test('other errors are not its own', () => {
    expect(() => afterFailure(job, new TypeError('oops'), { now: NOW })).toThrow('oops')
  })
})

test('waits grow from 15 minutes to two days', () => {
  const waits = Array.from({ length: 10 }, (_, i) => retryDelay(i + 1) / MINUTE)
  expect(waits).toEqual([15, 30, 60, 120, 240, 480, 960, 1920, 2880, 2880])
})
