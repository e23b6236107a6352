import { type Command, InvalidArgumentError, Option } from 'commander'
import { LexidexError } from '../../runtime/core/errors.ts'
import { isUrl } from './project.ts'

/** Adds `--db` and `--database`. */
export function withDatabase(command: Command): Command {
  return withUrl(command.option('--db <file>', 'SQLite database; made where it is missing', 'lexidex.sqlite'))
}

/** Adds `--db` and `--database`, for commands that look at what is there. */
export function withExistingDatabase(command: Command): Command {
  return withUrl(command.option('--db <file>', 'SQLite database', 'lexidex.sqlite'))
}

/** The URL takes the place of the file, unless one is named. */
function withUrl(command: Command): Command {
  const url = new Option('--database <url>', 'Postgres database instead, postgres://…').env('DATABASE_URL')
  return command.addOption(url).hook('preAction', (_, action) => {
    const { database } = action.opts<{ database?: string }>()
    if (database === undefined || action.getOptionValueSource('db') === 'cli') return
    if (!isUrl(database)) {
      throw new LexidexError('The database is not one of Postgres.', {
        hint: 'Name it with --database postgres://… or DATABASE_URL, or a file of SQLite with --db.',
      })
    }
    action.setOptionValue('db', database)
  })
}

/** Adds `--concurrency`. */
export function withConcurrency(command: Command): Command {
  return command.option('--concurrency <n>', 'accounts that are fetched at a time', integer(1, 1000), 100)
}

/** Parses a whole number within bounds. */
export function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= min && value <= max) return value
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`)
  }
}
