import { FetchError } from '../core/http.ts'

type Timer = ReturnType<typeof setTimeout>

/** Ends a request when its time is up or its caller gives up, and tells the two apart. */
export class Deadline {
  readonly #target: string
  readonly #caller: AbortSignal | undefined
  readonly #ending = new AbortController()
  readonly #whole: Timer
  #idle: Timer | undefined
  /** The time that was exceeded. */
  #exceededMs: number | null = null

  /**
   * @param maxMs for the whole request
   * @throws the signal's reason where it has aborted already
   */
  constructor(target: string, caller: AbortSignal | undefined, maxMs: number) {
    caller?.throwIfAborted()
    this.#target = target
    this.#caller = caller
    caller?.addEventListener('abort', this.#stop)
    this.#whole = this.#timer(maxMs)
  }

  /** For the request. */
  get signal(): AbortSignal {
    return this.#ending.signal
  }

  /** Gives the next piece of the answer `ms`, on top of the limit for the whole. */
  expect(ms: number): void {
    this.pause()
    this.#idle = this.#timer(ms)
  }

  /** Expects no piece until the next `expect`. */
  pause(): void {
    clearTimeout(this.#idle)
  }

  end(): void {
    this.pause()
    clearTimeout(this.#whole)
    this.#caller?.removeEventListener('abort', this.#stop)
  }

  /**
   * What `error` came of.
   *
   * @throws the caller's reason, where it gave up
   */
  explain(error: unknown): FetchError {
    this.#caller?.throwIfAborted()
    const ms = this.#exceededMs
    if (ms !== null) return new FetchError('timeout', `${this.#target}: no answer in ${ms} ms`)
    if (error instanceof FetchError) return error
    return new FetchError('network', `${this.#target}: ${reasonOf(error)}`, { cause: error })
  }

  readonly #stop = () => this.#ending.abort()

  #timer(ms: number): Timer {
    return setTimeout(() => {
      this.#exceededMs ??= ms
      this.#stop()
    }, ms)
  }
}

/** Failed attempts at several addresses come as an error without a message of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  return error instanceof Error ? error.message || String((error as NodeJS.ErrnoException).code) : String(error)
}
