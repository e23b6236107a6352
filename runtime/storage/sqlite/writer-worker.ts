/** The thread that writes: does the jobs that `writer-thread.ts` sends, on a connection of its own. */
import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { type ConnectionOptions, openDatabase } from './connection.ts'
import { type Job, WriterSession } from './session.ts'
import type { CollectionTable } from './tables.ts'
import { decodeBatch, encodeError, type Reply, type Request, type WireJob } from './wire.ts'

export interface WriterData {
  readonly path: string
  readonly options: ConnectionOptions
}

/** Requests go first where cores are few. */
const NICE = 10

const port = parentPort!
// Of this thread alone on Linux; elsewhere it would be that of the whole process.
if (process.platform === 'linux') setPriority(0, NICE)
const { path, options } = workerData as WriterData
const db = openDatabase(path, options)
const session = new WriterSession(db, path)
let tables: readonly CollectionTable[] = []

port.on('message', (request: Request | 'close') => {
  if (request !== 'close') {
    void answer(request)
    return
  }
  session.close()
  db.close()
  port.close()
})
reply({ ready: true })

async function answer({ id, job, transaction }: Request): Promise<void> {
  try {
    reply({ id, value: await session.perform(read(job, id), transaction) })
  } catch (error) {
    reply({ id, error: encodeError(error) })
  }
}

function read(job: WireJob, id: number): Job {
  if (job.kind === 'use') tables = job.tables
  return job.kind === 'apply' ? { ...job, id, batch: decodeBatch(job.batch, tables) } : job
}

function reply(message: Reply): void {
  port.postMessage(message)
}
