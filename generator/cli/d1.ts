import type { Command } from 'commander'
import { LexidexError } from '../../runtime/core/errors.ts'

/** A D1 database, as the commands name it: by its binding in the project's Wrangler config. */
export interface D1Database {
  readonly binding: string
  /** The deployed one, not that of `wrangler dev`. */
  readonly isRemote: boolean
}

interface Options {
  readonly d1?: boolean
  readonly remote?: boolean
  readonly binding?: string
}

const LOCAL = 'd1:'
const REMOTE = 'd1+remote:'

/** Adds `--d1`, `--remote` and `--binding`; the database then takes the place of the file. */
export function withD1(command: Command): Command {
  return command
    .option('--d1', "D1 database of the project's Wrangler config instead")
    .option('--remote', 'with --d1: the deployed one, not that of `wrangler dev`')
    .option('--binding <name>', 'with --d1: its binding', 'DB')
    .hook('preAction', (_, action) => {
      const { d1 = false, remote = false, binding = 'DB' } = action.opts<Options>()
      if (d1) action.setOptionValue('db', `${remote ? REMOTE : LOCAL}${binding}`)
      else if (remote) throw new LexidexError('--remote is for D1 databases.', { hint: 'Add --d1.' })
    })
}

/** Null where the database is named in another way. */
export function readD1(database: string): D1Database | null {
  const match = /^(d1(?:\+remote)?:)(.+)$/.exec(database)
  return match === null ? null : { binding: match[2]!, isRemote: match[1] === REMOTE }
}

/** As people read it. */
export function displayD1({ binding, isRemote }: D1Database): string {
  return `D1 database ${binding} (${isRemote ? 'deployed' : 'local'})`
}
