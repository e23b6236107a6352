import { type Command, InvalidArgumentError } from 'commander'

/** Adds `--db`. */
export function withDatabase(command: Command): Command {
  return command.option('--db <file>', 'SQLite database; made where it is missing', 'lexidex.sqlite')
}

/** Adds `--db`, for commands that look at what is there. */
export function withExistingDatabase(command: Command): Command {
  return command.option('--db <file>', 'SQLite database', 'lexidex.sqlite')
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
