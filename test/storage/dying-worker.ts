/** The thread that writes, but one that dies when it is sent a batch with the rkey `deadly`, once for every file. */
import { existsSync, writeFileSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import type { Request } from '../../runtime/storage/sqlite/wire.ts'

const mark = `${workerData.path}-died`
parentPort!.on('message', (request: Request | 'close') => {
  if (request === 'close' || request.job.kind !== 'apply' || existsSync(mark)) return
  if (!request.job.batch.operations.some((operation) => operation.includes('deadly'))) return
  writeFileSync(mark, '')
  process.exit(1)
})
await import('../../runtime/storage/sqlite/writer-worker.ts')
