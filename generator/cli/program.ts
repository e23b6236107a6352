import { existsSync, readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { addBackfill } from './backfill.ts'
import { addCheck } from './check.ts'
import { addDev } from './dev.ts'
import { addGenerate } from './generate.ts'
import { addInit } from './init.ts'
import { addLexicons } from './lexicons.ts'
import { ExitCode, printError, Reported } from './output.ts'
import { addQuarantine } from './quarantine.ts'
import { addRefresh } from './refresh.ts'
import { addRepartition } from './repartition.ts'
import { addStart } from './start.ts'
import { addStatus } from './status.ts'

/**
 * Runs the command line.
 *
 * @param argv as Node gives it
 * @returns the exit code: 0 done, 1 a problem, 2 wrong usage
 */
export async function run(argv: readonly string[]): Promise<number> {
  const program = createProgram()
  try {
    await program.parseAsync(argv)
    return ExitCode.done
  } catch (error) {
    // Commander has written its own message.
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.done : ExitCode.usage
    if (!(error instanceof Reported)) printError(error, { verbose: program.opts().verbose === true })
    return ExitCode.problem
  }
}

function createProgram(): Command {
  const program = new Command('lexidex')
    .description('Turns AT Protocol lexicons and a collections config into a typed indexer.')
    .version(version(), '-V, --version')
    .option('--root <directory>', 'directory of the project', '.')
    .option('--verbose', 'show stack traces of errors')
    .showHelpAfterError('(`--help` shows what there is)')
    .exitOverride()
  // Subcommands take over `exitOverride` and the help settings only where they are added after them.
  for (const add of [
    addInit,
    addGenerate,
    addCheck,
    addDev,
    addStart,
    addBackfill,
    addRefresh,
    addStatus,
    addQuarantine,
    addRepartition,
    addLexicons,
  ])
    add(program)
  return program.addHelpText(
    'after',
    `
A new project:
  $ npx lexidex init        # writes lexidex.config.ts
  $ npx lexidex generate    # after every change of config or lexicons; commit the result
  $ npx lexidex dev         # all of it on your machine, with a page to look at the index, anew on every change
  $ npx lexidex start       # backfills, follows the stream and serves on one port

\`lexidex <command> --help\` has examples of each command.`,
  )
}

/** Of the package: two levels up from the source, three from `dist/`. */
function version(): string {
  const candidates = ['../../package.json', '../../../package.json'].map((up) => new URL(up, import.meta.url))
  return JSON.parse(readFileSync(candidates.find((url) => existsSync(url))!, 'utf8')).version
}
