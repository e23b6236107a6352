import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { LexidexError, messageOf } from '../../core/errors.ts'
import type { ApplyBatch } from '../../core/operation.ts'
import type { ApplyResult, MaybePromise } from '../store.ts'
import type { ConnectionOptions } from './connection.ts'
import type { AnswerOf, Job } from './session.ts'
import { WriterUnavailable } from './unavailable.ts'
import { decodeError, encodeBatch, type Reply, type Request, type WireJob } from './wire.ts'
import type { OtherJob, Writer } from './writer.ts'
import type { WriterData } from './writer-worker.ts'

interface Pending {
  readonly request: Request
  /** What the request was made from: the same again for whoever takes the thread's place. */
  readonly redo: (writer: Writer) => unknown
  readonly resolve: (value: any) => void
  readonly reject: (error: unknown) => void
}

export interface ThreadWriterOptions extends ConnectionOptions {
  readonly path: string
  /** Makes the writer that does the work where no thread can be started. Told why. */
  readonly fallBack: (cause: unknown) => Writer
}

/** File of the worker, beside this one; null where it was not shipped: in a bundle of one file. */
export function workerFile(): URL | null {
  try {
    const url = new URL(import.meta.url.endsWith('.ts') ? './writer-worker.ts' : './writer-worker.js', import.meta.url)
    return existsSync(fileURLToPath(url)) ? url : null
  } catch {
    // Bundlers leave `import.meta.url` empty, or something else in it than a file.
    return null
  }
}

/**
 * Writes on another thread, which is started when there is something to write. Where that thread dies, all that it had
 * not answered fails with `WriterUnavailable`, and the next job starts another one.
 */
export class ThreadWriter implements Writer {
  readonly #file: URL
  readonly #options: ThreadWriterOptions
  /** By number, in the order in which they were sent. */
  readonly #pending = new Map<number, Pending>()
  readonly #sent = new WeakMap<ApplyBatch, { readonly id: number; readonly worker: Worker }>()
  /** Transactions that are open on the worker that lives. */
  readonly #transactions = new Set<number>()
  #tables: Extract<Job, { kind: 'use' }> | null = null
  #places: ReadonlyMap<string, number> = new Map()
  #worker: Worker | null = null
  #instead: Writer | null = null
  #lastId = 0
  #closed = false
  #drained: () => void = () => {}

  constructor(file: URL, options: ThreadWriterOptions) {
    this.#file = file
    this.#options = options
  }

  get background(): boolean {
    return this.#instead?.background ?? true
  }

  apply(batch: ApplyBatch, follows?: ApplyBatch): MaybePromise<ApplyResult> {
    if (this.#instead !== null) return this.#instead.apply(batch, follows)
    const job: WireJob = { kind: 'apply', batch: encodeBatch(batch, this.#places) }
    const worker = this.#running()
    if (worker === null) return this.#instead!.apply(batch, follows)
    const front = follows && this.#sent.get(follows)
    if (front !== undefined && front.worker !== worker)
      throw new WriterUnavailable('The batch before this one was lost')
    const sent = this.#send({ ...job, follows: front?.id }, null, (writer) => writer.apply(batch, follows))
    this.#sent.set(batch, { id: this.#lastId, worker })
    return sent
  }

  perform<J extends OtherJob>(job: J, transaction: number | null): MaybePromise<AnswerOf<J>>
  perform(job: OtherJob, transaction: number | null): MaybePromise<unknown> {
    if (this.#instead !== null) return this.#instead.perform(job, transaction)
    if (job.kind === 'use') {
      this.#tables = job
      this.#places = new Map(job.tables.map(({ table }, place) => [table, place]))
      // A thread that is started later is told by `#running`.
      if (this.#worker === null) return
    }
    if (this.#running() === null) return this.#instead!.perform(job, transaction)
    if (transaction !== null) {
      if (job.kind === 'begin') this.#transactions.add(transaction)
      else if (!this.#transactions.has(transaction)) {
        if (job.kind === 'end' && job.sql === 'ROLLBACK') return
        throw new WriterUnavailable('The transaction was lost with the thread that writes')
      }
    }
    return this.#send(job, transaction, (writer) => writer.perform(job, transaction))
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#pending.size > 0) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve
      })
    }
    const worker = this.#worker
    if (worker === null) return this.#instead?.close()
    const ended = once(worker, 'exit')
    worker.ref()
    worker.postMessage('close')
    await ended
  }

  #send(job: WireJob, transaction: number | null, redo: Pending['redo']): Promise<any> {
    const request: Request = { id: ++this.#lastId, job, transaction }
    return new Promise((resolve, reject) => {
      this.#worker!.postMessage(request)
      this.#pending.set(request.id, { request, redo, resolve, reject })
      // A process may end while nothing is written, and not before what is.
      if (this.#pending.size === 1) this.#worker!.ref()
    })
  }

  /** The thread, started where none is running; null where none can be. */
  #running(): Worker | null {
    if (this.#closed) throw new LexidexError('The store is closed', { hint: 'End what writes to it before `close()`.' })
    if (this.#worker !== null) return this.#worker
    try {
      this.#worker = this.#start()
    } catch (error) {
      this.#replace(error)
      return null
    }
    if (this.#tables !== null) void this.#send(this.#tables, null, () => {}).catch(() => {})
    return this.#worker
  }

  #start(): Worker {
    const { path, fallBack: _, ...options } = this.#options
    // What this thread maps is for reads, which find their cache empty after every batch; a writer keeps its own.
    const workerData: WriterData = { path, options: { ...options, mmapMb: 0 } }
    // Not the loaders of the process: the worker needs none, and they are slow to start.
    const execArgv = process.execArgv.filter((flag) => /^--(?:no-warnings|disable-warning)/.test(flag))
    const worker = new Worker(this.#file, { workerData, execArgv })
    let ready = false
    let cause: unknown
    worker.unref()
    worker.on('message', (reply: Reply) => {
      if ('ready' in reply) ready = true
      else this.#settle(reply)
    })
    worker.on('error', (error) => {
      cause = error
    })
    worker.on('exit', () => {
      this.#worker = null
      this.#transactions.clear()
      if (ready) this.#lose(cause)
      else this.#replace(cause)
    })
    return worker
  }

  #settle(reply: Exclude<Reply, { ready: true }>): void {
    const { request, resolve, reject } = this.#pending.get(reply.id)!
    this.#pending.delete(reply.id)
    const { job, transaction } = request
    const failed = 'error' in reply
    const ended = failed ? job.kind === 'begin' || (job.kind === 'end' && job.sql === 'ROLLBACK') : job.kind === 'end'
    if (ended) this.#transactions.delete(transaction!)
    if (failed) reject(decodeError(reply.error))
    else resolve(reply.value)
    this.#rest()
  }

  #rest(): void {
    if (this.#pending.size > 0) return
    this.#worker?.unref()
    this.#drained()
  }

  #lose(cause: unknown): void {
    const reason = cause === undefined ? '' : `: ${messageOf(cause)}`
    const error = new WriterUnavailable(`The thread that writes has ended${reason}`, { cause })
    const lost = [...this.#pending.values()]
    this.#pending.clear()
    for (const { reject } of lost) reject(error)
    this.#rest()
  }

  /** No thread could be started: what it was sent is done by someone else, in the same order. */
  #replace(cause: unknown): void {
    const writer = this.#options.fallBack(cause)
    this.#instead = writer
    if (this.#tables !== null) void writer.perform(this.#tables, null)
    const sent = [...this.#pending.values()]
    this.#pending.clear()
    for (const { redo, resolve, reject } of sent) {
      try {
        resolve(redo(writer))
      } catch (error) {
        reject(error)
      }
    }
    this.#rest()
  }
}
