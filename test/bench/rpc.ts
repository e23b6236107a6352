/** Calls between the process of a benchmark and its child processes. */
import { type ChildProcess, fork } from 'node:child_process'
import path from 'node:path'

/** What a child offers: its methods take and give what JSON can hold. */
export type Methods = Record<string, (...args: any[]) => unknown>

/** The methods of a child, as seen from outside. */
export type Remote<M extends Methods> = {
  readonly [K in keyof M]: (...args: Parameters<M[K]>) => Promise<Awaited<ReturnType<M[K]>>>
}

export interface Child<M extends Methods> {
  readonly call: Remote<M>
  readonly pid: number
  /** Ends the process and waits until it is gone. */
  close(): Promise<void>
}

interface Request {
  readonly id: number
  readonly method: string
  readonly args: readonly unknown[]
}

interface Reply {
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}

const FLAGS = ['-C', 'lexidex-source', '--import', path.join(import.meta.dirname, 'strip-types.ts')]

/** Directory for CPU profiles of every child; null for none. */
let profiles: string | null = null

/** Has every child that is started from now on write a CPU profile into `directory` when it ends. */
export function profileChildren(directory: string): void {
  profiles = path.resolve(directory)
}

/**
 * Starts a module of this folder in a process of its own.
 *
 * @param file for example `live/raw.ts`; it calls `offer`
 */
export function startChild<M extends Methods>(file: string): Child<M> {
  const child = fork(path.join(import.meta.dirname, file), { execArgv: [...FLAGS, ...profileFlags(file)] })
  const waiting = new Map<number, { resolve(result: any): void; reject(error: Error): void }>()
  let calls = 0
  let failure: Error | null = null
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const fail = (error: Error) => {
    failure ??= error
    for (const { reject } of waiting.values()) reject(failure)
    waiting.clear()
  }
  child.on('message', ({ id, result, error }: Reply) => {
    const call = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) call?.resolve(result)
    else call?.reject(new Error(`${file}: ${error}`))
  })
  child.once('error', fail)
  child.once('exit', (code, signal) => fail(new Error(`${file} has ended (${signal ?? code})`)))

  const send = (method: string, args: readonly unknown[]) =>
    new Promise((resolve, reject) => {
      if (failure !== null) return reject(failure)
      const id = ++calls
      waiting.set(id, { resolve, reject })
      child.send({ id, method, args } satisfies Request)
    })
  return {
    pid: child.pid!,
    call: new Proxy({} as Remote<M>, {
      get:
        (_, method: string) =>
        (...args: unknown[]) =>
          send(method, args),
    }),
    async close() {
      if (isRunning(child)) child.disconnect()
      await exited
    },
  }
}

/** Answers the calls of the parent process, and ends with it. */
export function offer(methods: Methods): void {
  process.on('message', async ({ id, method, args }: Request) => {
    let reply: Reply
    try {
      reply = { id, result: await methods[method]!(...args) }
    } catch (error) {
      reply = { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
    }
    process.send!(reply)
  })
  process.once('disconnect', () => process.exit(0))
}

/** ms since 1970 with fractions; comparable between processes. */
export function preciseNow(): number {
  return performance.timeOrigin + performance.now()
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null && child.connected
}

function profileFlags(file: string): string[] {
  if (profiles === null) return []
  const name = `${path.basename(path.dirname(file))}-${path.basename(file, '.ts')}-${Date.now()}.cpuprofile`
  return ['--cpu-prof', `--cpu-prof-dir=${profiles}`, `--cpu-prof-name=${name}`]
}
