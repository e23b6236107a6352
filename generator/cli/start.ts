import { readFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { LexidexError, messageOf } from '../../runtime/core/errors.ts'
import type { IndexerOptions } from '../../runtime/indexer.ts'
import { interruptSignal } from './interrupt.ts'
import { integer, withConcurrency, withDatabase } from './options.ts'
import { note, print } from './output.ts'
import { projectOf, withConfig } from './project.ts'
import { partsOf, ROLES, type Role, serves } from './roles.ts'

interface Options {
  readonly port: number
  readonly host: string
  readonly db: string
  readonly concurrency: number
  readonly ingest: boolean
  readonly backfill: boolean
  readonly role: Role
  readonly readFrom?: string
  readonly zstdDictionary?: string
  readonly explorer?: boolean
  readonly development?: boolean
}

/** `lexidex start` */
export function addStart(program: Command): void {
  withConcurrency(withDatabase(withConfig(program.command('start'))))
    .description('Migrate, backfill, follow the stream and serve, in one process or several.')
    .option('-p, --port <number>', 'port to serve on; 0 takes any', integer(0, 65_535), 3000)
    .option('--host <address>', 'address to serve on; 0.0.0.0 for every one', '127.0.0.1')
    .option('--explorer', 'show browsers a page of the index at /')
    .option('--zstd-dictionary <file>', 'follow the stream compressed, with the dictionary of its software')
    .addOption(
      new Option('--role <role>', 'what this process does, of several on one Postgres').choices(ROLES).default('all'),
    )
    .addOption(new Option('--read-from <url>', 'replica to serve from').env('DATABASE_READ_URL'))
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

On Postgres any number of processes share an index. Of those with --role ingest one follows the stream, and
another takes over when it ends or dies; those with --role backfill share the accounts to fetch; those with
--role serve serve, from a replica with --read-from or DATABASE_READ_URL. DATABASE_URL names the database.

Examples:
  $ lexidex start
  $ lexidex start --database postgres://app@localhost/index --role serve
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
      const index = await openIndex(
        project,
        options.db,
        {
          ...fromEnvironment(),
          zstdDictionary,
          explorer,
          development,
        },
        { readFrom: options.readFrom },
      )
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
    throw new LexidexError(`Cannot read the dictionary ${file}: ${messageOf(cause)}`, {
      hint: "Name the file of Jetstream's dictionary, or leave --zstd-dictionary out.",
      cause,
    })
  }
}

/** Runs until it is interrupted, or until a part fails: then the others end in good order, and it throws. */
async function runIndex({ indexer, serve }: OpenIndex, options: Options, interrupted: AbortSignal): Promise<void> {
  const failed = new AbortController()
  const signal = AbortSignal.any([interrupted, failed.signal])
  const { port, host, role } = options
  const work = await partsOf(indexer, { ...options, signal })
  const serving = serves(role) ? await serve(indexer, { port, host }) : null
  if (serving === null) print(`Started (${role})`)
  else {
    print(`Serving ${serving.url}${options.explorer ? ', with a page for browsers' : ''}`)
    process.send?.({ serving: serving.url })
  }
  const parts = [untilAborted(signal), ...work.map((begin) => begin())]
  const results = await Promise.allSettled(
    parts.map((part) =>
      part.catch((error) => {
        failed.abort()
        throw error
      }),
    ),
  )
  await serving?.close()
  const failure = results.find((result) => result.status === 'rejected')
  if (failure !== undefined) throw failure.reason
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
