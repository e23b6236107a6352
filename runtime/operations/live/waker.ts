/** Lets one loop sleep until there is something to do. */
export class Waker {
  #woken = false
  #rouse: () => void = () => {}

  /** Ends the sleep, or the next one where nobody sleeps. */
  wake(): void {
    this.#woken = true
    this.#rouse()
  }

  /** Resolves when woken, after `ms`, or when the signal aborts. */
  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#woken && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms)
        this.#rouse = () => {
          clearTimeout(timer)
          resolve()
        }
        signal.addEventListener('abort', this.#rouse, { once: true })
      })
      signal.removeEventListener('abort', this.#rouse)
      this.#rouse = () => {}
    }
    this.#woken = false
  }
}
