/** An error with a sentence on what to do about it. */
export class LexidexError extends Error {
  /** What the reader can do. */
  readonly hint: string | undefined

  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'LexidexError'
    this.hint = options.hint
  }
}

/**
 * An error as XRPC states it: an HTTP status and `{error, message}`.
 *
 * @see https://atproto.com/specs/xrpc#error-responses
 */
export class XrpcError extends Error {
  readonly status: number
  /** Name of the error, for example `InvalidRequest`. */
  readonly error: string

  constructor(status: number, error: string, message: string) {
    super(message)
    this.name = 'XrpcError'
    this.status = status
    this.error = error
  }
}

/** 400 `InvalidRequest`. */
export function invalidRequest(message: string): XrpcError {
  return new XrpcError(400, 'InvalidRequest', message)
}

/** What was thrown, as one line of text. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Whether an error is a mistake in the code, not something that the network, a host or the database did. */
export function isProgrammingError(error: unknown): boolean {
  return error instanceof TypeError || error instanceof ReferenceError || error instanceof SyntaxError
}

/** Told to whoever asks while the database cannot be used. Clients try again. */
export function databaseUnavailable(why?: string): XrpcError {
  const reason = why === undefined ? '; ask again' : `: ${why}`
  return new XrpcError(503, 'DatabaseUnavailable', `The database cannot be used for the moment${reason}`)
}
