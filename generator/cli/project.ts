import { statSync } from 'node:fs'
import path from 'node:path'
import type { Command } from 'commander'
import { LexidexError } from '../../runtime/core/errors.ts'
import { displayD1, readD1 } from './d1.ts'

/** Where a command works: from `--root` and `--config`, both relative to the current directory. */
export interface Project {
  /** Absolute path. */
  readonly root: string
  /** Absolute path of the config file, where it was named. */
  readonly explicitConfig: string | undefined
  readonly verbose: boolean
}

/** Adds `--config`. */
export function withConfig(command: Command): Command {
  return command.option(
    '-c, --config <file>',
    'config file (default: lexidex.config.ts in the root, src/, src/lib/ or app/)',
  )
}

/** @throws LexidexError where there is no such directory */
export function projectOf(command: Command): Project {
  const {
    root,
    config,
    verbose = false,
  } = command.optsWithGlobals<{ root: string; config?: string; verbose?: boolean }>()
  const directory = path.resolve(root)
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    throw new LexidexError(`There is no directory ${root}.`, { hint: '--root names the directory of the project.' })
  }
  return { root: directory, explicitConfig: config === undefined ? undefined : path.resolve(config), verbose }
}

/** Whether a database is a server's, named by its URL, not a file. */
export function isUrl(database: string): boolean {
  return /^postgres(ql)?:\/\//.test(database)
}

/** A path as people read it: relative to the current directory where that is shorter. A URL without its password. */
export function display(file: string): string {
  const d1 = readD1(file)
  if (d1 !== null) return displayD1(d1)
  if (isUrl(file)) return file.replace(/\/\/[^@/]*@/, '//')
  const relative = path.relative(process.cwd(), file)
  return relative === '' ? '.' : relative.startsWith('..') ? file : relative
}
