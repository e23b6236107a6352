import { LexidexError } from '../core/errors.ts'

/** A database that lacks what the collections have. `what` says what is missing. */
export function misfit(what: string, cause?: unknown): LexidexError {
  return new LexidexError(`The database does not fit the collections: ${what}`, {
    hint: 'Run the migrations first (`migrate()`), those emitted together with these collections. Where that is done, the config has changed since the database was made: begin with an empty one, which is filled again.',
    cause,
  })
}
