import { LexidexError } from './errors.ts'

export interface FetchOptions {
  readonly signal?: AbortSignal | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** A GET request whose whole body has arrived when it resolves. Statuses of 400 and above are answers, not errors. */
export type Fetch = (url: string, options?: FetchOptions) => Promise<Response>

export interface StreamOptions extends FetchOptions {
  /** Bytes of the body. */
  readonly maxBytes: number
  /** ms without a byte. */
  readonly idleMs: number
  /** ms for the whole, however steadily it comes. */
  readonly maxMs: number
}

export interface StreamedAnswer {
  readonly status: number
  readonly headers: Headers
  /** Pieces as they arrive. It has to be read or returned from, for the connection to be let go. Throws `FetchError`. */
  readonly body: AsyncGenerator<Uint8Array, void>
}

/** A GET request for a body that is too long to be held. Statuses of 400 and above are answers, not errors. */
export type FetchStream = (url: string, options: StreamOptions) => Promise<StreamedAnswer>

/**
 * Why there is no answer:
 * `refused` by our own rules (the address, too many redirects), so that asking again is of no use;
 * `too-large`; `timeout`; `network` for all else.
 */
export type FetchErrorKind = 'refused' | 'too-large' | 'timeout' | 'network'

export class FetchError extends LexidexError {
  readonly kind: FetchErrorKind

  constructor(kind: FetchErrorKind, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options)
    this.name = 'FetchError'
    this.kind = kind
  }
}
