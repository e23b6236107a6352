import { afterAll, expect, test } from 'vitest'
import { createIndexer } from '../../fixtures/apps/worker/src/lexidex/index.ts'
import type { D1Binding } from '../../runtime/storage/d1/index.ts'
import { createWorker } from '../../runtime/worker/index.ts'
import { D1Server } from '../storage/d1-harness.ts'

const server = new D1Server()
afterAll(() => server.close())

const context = { waitUntil() {} }
const request = () => new Request('http://index.test/xrpc/com.example.statusphere.status.listRecords')

test('while D1 cannot be reached clients are told to ask again, and get an answer once it can', async () => {
  const { binding } = await server.open()
  let isLost = true
  const prepare: D1Binding['prepare'] = (sql) => {
    if (isLost) throw new Error('D1_ERROR: Network connection lost.')
    return binding.prepare(sql)
  }
  const env = { DB: { prepare, batch: (statements) => binding.batch(statements) } satisfies D1Binding }
  const errors: unknown[] = []
  const logger = { ...console, error: (...words: unknown[]) => errors.push(words) }
  const worker = createWorker(createIndexer, { indexer: { logger } })

  const refused = await worker.fetch(request(), env, context)
  expect([refused.status, await refused.json()]).toMatchObject([503, { error: 'DatabaseUnavailable' }])
  expect(errors).toHaveLength(1)

  isLost = false
  const answered = await worker.fetch(request(), env, context)
  expect([answered.status, await answered.json()]).toMatchObject([200, { records: [] }])
})

test('a Worker without its binding says so loudly', async () => {
  const worker = createWorker(createIndexer)
  await expect(worker.fetch(request(), {}, context)).rejects.toThrow('no D1 binding DB')
})
