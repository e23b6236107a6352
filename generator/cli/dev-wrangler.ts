import { type ChildProcess, spawn } from 'node:child_process'
import type { Command } from 'commander'
import { messageOf } from '../../runtime/core/errors.ts'
import { confirm } from './confirm.ts'
import { type CronMatch, readCron } from './cron.ts'
import type { DevServer } from './dev-server.ts'
import { integer } from './options.ts'
import { note, print } from './output.ts'
import type { Project } from './project.ts'
import { readWranglerConfig, type WranglerConfig, wranglerBin } from './wrangler.ts'

/** Options of `lexidex dev` in a Wrangler project. */
export interface WranglerOptions {
  readonly port: number
  readonly host: string
  readonly concurrency: number
  readonly binding: string
  readonly cron?: string
  readonly staleAfter: number
  readonly ignoreWindow: number
  readonly yes?: boolean
  readonly ingest: boolean
  readonly backfill: boolean
}

const FIRST_FIRE_MS = 3000
const MINUTE_MS = 60_000
/** Port of `wrangler dev`. */
export const WRANGLER_PORT = 8787

/** Adds what only a Wrangler project has to `lexidex dev`. */
export function withWrangler(command: Command): Command {
  return command
    .option('--binding <name>', 'in a Wrangler project: the D1 binding', 'DB')
    .option(
      '--cron <expression>',
      "in a Wrangler project: when to fire (default: the config's trigger, or every minute)",
    )
    .option(
      '--stale-after <minutes>',
      'in a Wrangler project: age of the stream to offer a refresh',
      integer(1, 1e6),
      60,
    )
    .option('--ignore-window <seconds>', 'of that refresh: rows as new as this are not stale', integer(0, 1e9), 60)
    .option('--yes', 'in a Wrangler project: take what is offered')
}

/**
 * `wrangler dev`, which bundles anew by itself. Wrangler fires no cron triggers on one's own machine, so they are fired
 * from here.
 */
export class WranglerServer implements DevServer {
  readonly #project: Project
  readonly #options: WranglerOptions
  #child: ChildProcess | null = null
  #timer: NodeJS.Timeout | undefined

  constructor(project: Project, options: WranglerOptions) {
    this.#project = project
    this.#options = options
    process.on('exit', () => this.#child?.kill('SIGKILL'))
  }

  async restart(): Promise<boolean> {
    if (this.#child !== null) return true
    const config = await readWranglerConfig(this.#project.root)
    const fires = readCron(this.#options.cron ?? config.crons[0] ?? '* * * * *')
    await offer(this.#project, this.#options)
    const url = await this.#start(config)
    if (url === null) return false
    print(`Serving ${url}`)
    if (this.#options.ingest) this.#fireFrom(url, fires)
    return true
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer)
    const child = this.#child
    if (child === null) return
    this.#child = null
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await ended
  }

  /** Where it serves, or null where it ended before. */
  #start(config: WranglerConfig): Promise<string | null> {
    const { port, host } = this.#options
    const bin = wranglerBin(this.#project.root)
    const args = ['dev', '--config', config.file, '--test-scheduled', '--port', String(port), '--ip', host]
    const child = spawn(process.execPath, [bin, ...args, '--show-interactive-dev-session', 'false'], {
      cwd: this.#project.root,
      stdio: ['ignore', 'pipe', 'inherit'],
      // Ctrl-C in the terminal is for this process, which passes it on once.
      detached: process.platform !== 'win32',
    })
    this.#child = child
    return new Promise((resolve) => {
      child.stdout!.on('data', (data: Buffer) => {
        process.stdout.write(data)
        const ready = /Ready on (https?:\/\/[^\s]+)/.exec(data.toString())
        if (ready !== null) resolve(ready[1]!.replace(/\/$/, ''))
      })
      child.once('error', () => resolve(null))
      child.once('exit', (code) => {
        resolve(null)
        clearTimeout(this.#timer)
        if (this.#child !== child) return
        this.#child = null
        note(`Wrangler ended (${code ?? 'killed'}).`)
      })
    })
  }

  /** Soon, and then whenever the trigger would. A cycle that takes longer than that is not fired over. */
  #fireFrom(url: string, fires: CronMatch): void {
    const next = () => {
      this.#timer = setTimeout(
        async () => {
          if (fires(new Date())) await fire(url)
          if (this.#child !== null) next()
        },
        MINUTE_MS - (Date.now() % MINUTE_MS),
      )
    }
    this.#timer = setTimeout(async () => {
      await fire(url)
      if (this.#child !== null) next()
    }, FIRST_FIRE_MS)
  }
}

async function fire(url: string): Promise<void> {
  try {
    const response = await fetch(`${url}/__scheduled?cron=*+*+*+*+*`)
    if (!response.ok) note(`The cron trigger failed: ${response.status} ${await response.text()}`)
  } catch (error) {
    note(`The cron trigger could not be fired: ${messageOf(error)}`)
  }
}

/** Looks at the local database, and offers what it seems to need: no history, or one that the stream has left behind. */
async function offer(project: Project, options: WranglerOptions): Promise<void> {
  if (!options.backfill) return
  const { backfillWithProgress, openIndex, refreshWithProgress } = await import('./indexer.ts')
  const { indexer } = await openIndex(project, `d1:${options.binding}`)
  // Never aborted: Ctrl-C also ends the local database, and Miniflare the process with it. The next time goes on from there.
  const signal = new AbortController().signal
  const { concurrency, ignoreWindow, staleAfter, yes = false } = options
  const agrees = async (question: string) => yes || (await confirm(question))
  try {
    const { backfill, cursor } = await indexer.status()
    const isEmpty = !backfill.some(({ completed }) => completed > 0)
    const age = cursor === null ? Infinity : cursor.seconds_ago / 60
    if (isEmpty) {
      if (!(await agrees('The local database has no history yet. Backfill it?'))) {
        note('The local database has no history yet: `lexidex backfill --d1` fetches it.')
      } else print(await backfillWithProgress(indexer, { concurrency, signal }))
    } else if (age > staleAfter) {
      const since = cursor === null ? 'was never read' : `was left ${Math.round(age)} minutes ago`
      if (!(await agrees(`The stream ${since}. Refresh what is there?`))) {
        note(`The stream ${since}: \`lexidex refresh --d1\` finds what was missed.`)
      } else {
        const { formatRefresh } = await import('../../runtime/operations/refresh/refresh-report.ts')
        print(
          formatRefresh(
            await refreshWithProgress(indexer, { concurrency, ignoreWindowMs: ignoreWindow * 1000, signal }),
          ),
        )
      }
    }
  } finally {
    await indexer.close()
  }
}
