import { type ChildProcess, spawn } from 'node:child_process'
import { note } from './output.ts'
import type { Project } from './project.ts'

/** What `lexidex dev` runs beside generating. A project that is served in another way has another one. */
export interface DevServer {
  /**
   * Starts it; where it runs, it saves and ends first. Modules cannot be loaded anew within a process.
   *
   * @returns whether it serves; else it has said why not
   */
  restart(): Promise<boolean>
  /** Lets it save and end. */
  stop(): Promise<void>
}

export interface DevServerOptions {
  readonly port: number
  readonly host: string
  readonly db: string
  readonly concurrency: number
  readonly ingest: boolean
  readonly backfill: boolean
}

/** `lexidex start`, in a process of its own. */
export class ProcessServer implements DevServer {
  readonly #project: Project
  readonly #options: DevServerOptions
  /** Stays what it was at first, so that pages that are open find it again. */
  #port: number
  #child: ChildProcess | null = null

  constructor(project: Project, options: DevServerOptions) {
    this.#project = project
    this.#options = options
    this.#port = options.port
    // A second Ctrl-C ends everything at once.
    process.on('exit', () => this.#child?.kill('SIGKILL'))
  }

  async restart(): Promise<boolean> {
    await this.stop()
    const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, ...this.#arguments()], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // Ctrl-C in the terminal is for this process, which passes it on once.
      detached: process.platform !== 'win32',
    })
    this.#child = child
    const serving = new Promise<boolean>((resolve) => {
      child.once('message', ({ serving: url }: { serving: string }) => {
        this.#port = Number(new URL(url).port)
        resolve(true)
      })
      child.once('error', () => resolve(false))
      child.once('exit', (code) => {
        resolve(false)
        if (this.#child !== child) return
        this.#child = null
        note(`The index ended (${code ?? 'killed'}).`)
      })
    })
    return serving
  }

  async stop(): Promise<void> {
    const child = this.#child
    if (child === null) return
    this.#child = null
    const ended = new Promise((resolve) => child.once('exit', resolve))
    // It takes that for Ctrl-C.
    if (child.connected) child.disconnect()
    await ended
  }

  #arguments(): string[] {
    const { root, explicitConfig, verbose } = this.#project
    const { host, db, concurrency, ingest, backfill } = this.#options
    return [
      ...['--root', root, ...(verbose ? ['--verbose'] : [])],
      ...['start', '--development', '--explorer', '--port', String(this.#port), '--host', host],
      ...['--db', db, '--concurrency', String(concurrency)],
      ...(explicitConfig === undefined ? [] : ['--config', explicitConfig]),
      ...(ingest ? [] : ['--no-ingest']),
      ...(backfill ? [] : ['--no-backfill']),
    ]
  }
}
