/**
 * Ends work that goes on when its owner closes. Each piece of work has a signal of its own: Workers let none pass from
 * one request to another.
 */
export class Closing {
  readonly #open = new Set<AbortController>()
  #isClosed = false

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Does the work with a signal that aborts when the owner closes. */
  async during<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController()
    if (this.#isClosed) controller.abort()
    this.#open.add(controller)
    try {
      return await work(controller.signal)
    } finally {
      this.#open.delete(controller)
    }
  }

  close(): void {
    this.#isClosed = true
    for (const controller of this.#open) controller.abort()
  }
}
