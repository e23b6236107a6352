import { readFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { LexidexError, messageOf } from '../../runtime/core/errors.ts'
import type { IndexerOptions } from '../../runtime/indexer.ts'
import type { PerformOptions, PrepareOptions } from '../../runtime/operations/runs/runs.ts'
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
  readonly zstdDictionary?: string
  readonly explorer?: boolean
  readonly development?: boolean
}

/** ms until another try to backfill, where another process is at it. */
const WAIT_MS = 5000

/** `lexidex start` */
export function addStart(program: Command): void {
  withConcurrency(withDatabase(withConfig(program.command('start'))))
    .description('Migrate, backfill, follow the stream and serve, in one process.')
    .option('-p, --port <number>', 'port to serve on; 0 takes any', integer(0, 65_535), 3000)
    .option('--host <address>', 'address to serve on; 0.0.0.0 for every one', '127.0.0.1')
    .option('--explorer', 'show browsers a page of the index at /')
    .option('--zstd-dictionary <file>', 'follow the stream compressed, with the dictionary of its software')
    .option('--no-ingest', 'do not follow the stream')
    .option('--no-backfill', 'do not fetch what exists already')
    // What `lexidex dev` starts.
    .addOption(new Option('--development').hideHelp())
    .addHelpText(
      'after',
      `
Serves at once, and fills the index meanwhile. Ctrl-C saves what was received and ends; the next start goes
on from there. A second Ctrl-C ends at once; nothing is lost then either.

LEXIDEX_NOTIFY_SECRET in the environment opens notifyOfUpdate to whoever sends it as a bearer token, whatever
\`notify\` of the config says. LEXIDEX_ADMIN_SECRET does the same for {namespace}.admin.backfill.

Examples:
  $ lexidex start
  $ lexidex start --port 8080 --host 0.0.0.0 --db data/index.sqlite
  $ lexidex start --no-ingest --no-backfill    # serves what is there`,
    )
    .action(async (options: Options, command: Command) => {
      const [{ openIndex }, { loadExplorer }] = await Promise.all([import('./indexer.ts'), import('./emitted.ts')])
      const interrupted = interruptSignal()
      const zstdDictionary = options.zstdDictionary === undefined ? undefined : readDictionary(options.zstdDictionary)
      const project = projectOf(command)
      const { development = false } = options
      if (development) await (await import('./dev-database.ts')).setAsideOutdated(project, options.db)
      const explorer = options.explorer ? await loadExplorer(project) : undefined
      const index = await openIndex(project, options.db, {
        ...fromEnvironment(),
        zstdDictionary,
        explorer,
        development,
      })
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
  const { LEXIDEX_NOTIFY_SECRET: notify, LEXIDEX_ADMIN_SECRET: adminSecret } = process.env
  return { ...(notify ? { notify } : {}), ...(adminSecret ? { adminSecret } : {}) }
}

function readDictionary(file: string): Uint8Array {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new LexidexError(`Cannot read the dictionary ${file}: ${messageOf(cause)}`, { cause })
  }
}

/** Runs until it is interrupted, or until a part fails: then the others end in good order, and it throws. */
async function runIndex({ indexer, serve }: OpenIndex, options: Options, interrupted: AbortSignal): Promise<void> {
  const failed = new AbortController()
  const signal = AbortSignal.any([interrupted, failed.signal])
  const { port, host, ingest, backfill, concurrency } = options
  // Before the stream is followed: its first event makes the position new.
  const decision = backfill ? await indexer.decideBackfill() : undefined
  const serving = await serve(indexer, { port, host })
  print(`Serving ${serving.url}${options.explorer ? ', with a page for browsers' : ''}`)
  process.send?.({ serving: serving.url })
  const parts = [untilAborted(signal)]
  if (ingest) parts.push(indexer.runPersistent({ signal, backfill }))
  else if (backfill) parts.push(indexer.keepHouse({ signal }))
  if (backfill) parts.push(backfillOnce(indexer, { concurrency, signal, decision }))
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

/** The history that is missing, where any is. What falls due later is fetched beside the stream. */
async function backfillOnce(
  indexer: OpenIndex['indexer'],
  options: PrepareOptions & PerformOptions & { readonly signal: AbortSignal },
): Promise<void> {
  const { backfillWhereDue } = await import('./indexer.ts')
  try {
    print(await backfillWhereDue(indexer, options))
  } catch (error) {
    if (!(error instanceof Error && error.name === 'BackfillInProgress')) throw error
    note('Another process backfills, or did until it crashed; waiting for it.')
    await sleep(WAIT_MS, options.signal)
    // What was decided does not hold any more.
    if (!options.signal.aborted) await backfillOnce(indexer, { ...options, decision: undefined })
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
