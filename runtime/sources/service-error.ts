import { LexidexError } from '../core/errors.ts'
import { lineOf } from '../core/line.ts'

/**
 * What an answer means for the caller:
 *
 * - `record-not-found`, `repo-not-found`: the host says so by name
 * - `inactive`: the host has the account, but it is deactivated, suspended or taken down
 * - `rate-limited`: ask again after `retryAfterMs`
 * - `incomplete`: there was a whole answer, but what it should hold is not all there; ask again later
 * - `too-large`: the answer is bigger than what is read; ask for less
 * - `transient`: the network, a timeout, a 5xx, or something between us and the host; ask again later
 * - `permanent`: the host refuses the request as it is
 */
export type ServiceErrorKind =
  | 'record-not-found'
  | 'repo-not-found'
  | 'inactive'
  | 'rate-limited'
  | 'incomplete'
  | 'too-large'
  | 'transient'
  | 'permanent'

const KIND_OF: Readonly<Record<string, ServiceErrorKind>> = {
  RecordNotFound: 'record-not-found',
  RepoNotFound: 'repo-not-found',
  RepoDeactivated: 'inactive',
  RepoSuspended: 'inactive',
  RepoTakendown: 'inactive',
  RateLimitExceeded: 'rate-limited',
}

/** A call to a PDS or relay that gave no result. */
export class ServiceError extends LexidexError {
  readonly kind: ServiceErrorKind
  /** The error's name as the host states it, for example `RepoDeactivated`; null where it states none. */
  readonly error: string | null
  /** ms to wait, where a host that limits its callers says so. */
  readonly retryAfterMs: number | null

  constructor(
    kind: ServiceErrorKind,
    message: string,
    options: { error?: string | null; retryAfterMs?: number | null; cause?: unknown } = {},
  ) {
    // Much of it is the host's own words.
    super(lineOf(message), options.cause === undefined ? {} : { cause: options.cause })
    this.name = 'ServiceError'
    this.kind = kind
    this.error = options.error ?? null
    this.retryAfterMs = options.retryAfterMs ?? null
  }

  /** An answer that does not have the shape that the method's lexicon gives it. */
  static unreadable(service: string, what: string): ServiceError {
    return new ServiceError('transient', `${service} gave ${what}`)
  }

  /** An answer of status 300 or more; `body` is null where it is no JSON object. */
  static of(host: string, status: number, body: Record<string, any> | null, retryAfterMs: number | null): ServiceError {
    const error = typeof body?.error === 'string' ? body.error : null
    const message = typeof body?.message === 'string' ? `: ${body.message}` : ''
    const text = `${host}: ${status} ${error ?? ''}`.trimEnd() + message
    return new ServiceError(kindOf(status, error), text, { error, retryAfterMs })
  }
}

function kindOf(status: number, error: string | null): ServiceErrorKind {
  if (status === 429) return 'rate-limited'
  if (error !== null && Object.hasOwn(KIND_OF, error)) return KIND_OF[error]!
  if (status === 501) return 'permanent'
  if (status >= 500 || status === 408 || status === 425) return 'transient'
  // A refusal in other words than XRPC's comes from a proxy or a firewall, whose mind may change.
  return error === null ? 'transient' : 'permanent'
}
