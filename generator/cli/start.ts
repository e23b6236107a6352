import type { Command } from 'commander'
import type { IndexerOptions } from '../../runtime/indexer.ts'
import { interruptSignal } from './interrupt.ts'
import { integer, withConcurrency, withDatabase } from './options.ts'
import { note, print } from './output.ts'
import { projectOf, withConfig } from './project.ts'

interface Options {
  readonly port: number
  readonly host: string
  readonly db: string
  readonly concurrency: number
  readonly ingest: boolean
  readonly backfill: boolean
}

/** How often accounts whose listing failed are looked at again; each has its own delay on top. */
const RETRY_MS = 60_000

/** `lexidex start` */
export function addStart(program: Command): void {
  withConcurrency(withDatabase(withConfig(program.command('start'))))
    .description('Migrate, backfill, follow the stream and serve, in one process.')
    .option('-p, --port <number>', 'port to serve on; 0 takes any', integer(0, 65_535), 3000)
    .option('--host <address>', 'address to serve on; 0.0.0.0 for every one', '127.0.0.1')
    .option('--no-ingest', 'do not follow the stream')
    .option('--no-backfill', 'do not fetch what exists already')
    .addHelpText(
      'after',
      `
Serves at once, and fills the index meanwhile. Ctrl-C saves what was received and ends; the next start goes
on from there. A second Ctrl-C ends at once; nothing is lost then either.

LEXIDEX_NOTIFY_SECRET in the environment opens notifyOfUpdate to whoever sends it as a bearer token, whatever
\`notify\` of the config says.

Examples:
  $ lexidex start
  $ lexidex start --port 8080 --host 0.0.0.0 --db data/index.sqlite
  $ lexidex start --no-ingest --no-backfill    # serves what is there`,
    )
    .action(async (options: Options, command: Command) => {
      const { openIndex } = await import('./indexer.ts')
      const interrupted = interruptSignal()
      const index = await openIndex(projectOf(command), options.db, fromEnvironment())
      try {
        await runIndex(index, options, interrupted)
      } finally {
        await index.indexer.close()
      }
      note('Stopped.')
    })
}

type OpenIndex = import('./indexer.ts').OpenIndex

/** Secrets are not arguments, which every user of the machine can see. */
function fromEnvironment(): IndexerOptions {
  const { LEXIDEX_NOTIFY_SECRET: notify } = process.env
  return notify ? { notify } : {}
}

/** Runs until it is interrupted, or until a part fails: then the others end in good order, and it throws. */
async function runIndex({ indexer, serve }: OpenIndex, options: Options, interrupted: AbortSignal): Promise<void> {
  const failed = new AbortController()
  const signal = AbortSignal.any([interrupted, failed.signal])
  const serving = await serve(indexer, { port: options.port, host: options.host })
  print(`Serving ${serving.url}`)
  const parts = [untilAborted(signal)]
  if (options.ingest) parts.push(indexer.runPersistent({ signal }))
  if (options.backfill) parts.push(keepBackfilling(indexer, options.concurrency, signal))
  const results = await Promise.allSettled(
    parts.map((part) =>
      part.catch((error) => {
        failed.abort()
        throw error
      }),
    ),
  )
  await serving.close()
  const failure = results.find((result) => result.status === 'rejected')
  if (failure !== undefined) throw failure.reason
}

/** Everything once, then whatever falls due: accounts that are new to the stream, and those that failed. */
async function keepBackfilling(indexer: OpenIndex['indexer'], concurrency: number, signal: AbortSignal): Promise<void> {
  const { backfillWithProgress } = await import('./indexer.ts')
  print(await backfillWithProgress(indexer, { concurrency, signal }))
  while (!signal.aborted) {
    await sleep(RETRY_MS, signal)
    if (!signal.aborted) await indexer.backfill({ concurrency, signal })
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** Resolves after `ms`, or as soon as the signal is aborted. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        resolve()
      },
      { once: true },
    )
  })
}
