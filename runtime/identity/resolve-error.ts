import { LexidexError } from '../core/errors.ts'
import { lineOf } from '../core/line.ts'

/** A DID document or handle that cannot be had or used. */
export class ResolveError extends LexidexError {
  /** Whether asking again later is of no use. */
  readonly permanent: boolean
  /** HTTP status of the answer, where it was that. */
  readonly status: number | null

  constructor(permanent: boolean, message: string, options: { cause?: unknown; status?: number } = {}) {
    // What hosts and directories say is part of it.
    super(lineOf(message), options.cause === undefined ? {} : { cause: options.cause })
    this.name = 'ResolveError'
    this.permanent = permanent
    this.status = options.status ?? null
  }
}
