import path from 'node:path'
import type { Command } from 'commander'
import type { GenerateResult } from '../generate.ts'
import { type DevServer, type DevServerOptions, ProcessServer } from './dev-server.ts'
import { WRANGLER_PORT, type WranglerOptions, WranglerServer, withWrangler } from './dev-wrangler.ts'
import { interruptSignal } from './interrupt.ts'
import { integer, withConcurrency, withDatabase } from './options.ts'
import { Reported } from './output.ts'
import { type Project, projectOf, withConfig } from './project.ts'
import { findWranglerConfig } from './wrangler.ts'

/** `lexidex dev` */
export function addDev(program: Command): void {
  withWrangler(withConcurrency(withDatabase(withConfig(program.command('dev')))))
    .description('Generate, fill the index and serve it with a page to look at it; again on every change.')
    .option('-p, --port <number>', 'port to serve on; 0 takes any', integer(0, 65_535), 3000)
    .option('--host <address>', 'address to serve on', '127.0.0.1')
    .option('--no-ingest', 'do not follow the stream')
    .option('--no-backfill', 'do not fetch what exists already')
    .addHelpText(
      'after',
      `
Open the address that it prints in a browser. After a change of the config, of files beside it or of a lexicon
it generates, and starts the index anew where that made a difference. A database with other tables than the
config now asks for is kept as {file}.old, and a new one is filled.

In a directory with a Wrangler config it runs \`wrangler dev\` instead, on port 8787, and fires its cron trigger:
after 3 s, and then as the trigger says. Before, it offers to fetch the history where there is none, or what was
missed while the stream was left.

On your own machine the page may also show and retry what was refused; nobody else can.
Ctrl-C saves what was received and ends.

Examples:
  $ lexidex dev
  $ lexidex dev --port 8080 --no-backfill
  $ lexidex dev --yes --stale-after 120    # in a Wrangler project`,
    )
    .action(async (options: DevServerOptions & WranglerOptions, command: Command) => {
      const project = projectOf(command)
      await develop(project, serverOf(project, options, command))
    })
}

/** By Wrangler, where the project has it; else by Node. */
function serverOf(project: Project, options: DevServerOptions & WranglerOptions, command: Command): DevServer {
  if (findWranglerConfig(project.root) === null) return new ProcessServer(project, options)
  const port = command.getOptionValueSource('port') === 'default' ? WRANGLER_PORT : options.port
  return new WranglerServer(project, { ...options, port })
}

/** Until it is interrupted, or the server cannot be started even once. */
async function develop(project: Project, server: DevServer): Promise<void> {
  // Loaded here, so that `--help` need not wait for it.
  const [{ findConfig }, { watch }, { generateAndTell }] = await Promise.all([
    import('../input/load.ts'),
    import('./watch.ts'),
    import('./generate.ts'),
  ])
  const { root, explicitConfig, verbose } = project
  const over = new AbortController()
  const signal = AbortSignal.any([interruptSignal(), over.signal])
  let served = false
  let failed = false

  const once = async (configPath: string) => {
    const result = await generateAndTell(root, configPath)
    if (signal.aborted || (served && !concernsServer(result, configPath))) return
    const serves = await server.restart()
    served ||= serves
    if (served || signal.aborted) return
    failed = true
    over.abort()
  }
  await watch(root, () => findConfig(root, explicitConfig), once, { verbose, signal })
  await server.stop()
  if (failed) throw new Reported()
}

/** Whether what was generated is other code than before, or runs code of the config's, which may be other code. */
function concernsServer({ drift, files }: GenerateResult, configPath: string): boolean {
  const changes = drift.missing.length + drift.stale.length + drift.extra.length
  const config = path.basename(configPath).replace(/\.(m?)ts$/, '.$1js')
  return changes > 0 || files.some(({ content }) => content.includes(`/${config}'`))
}
