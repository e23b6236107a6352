/** A number of permits; whoever asks for one more waits for its turn. */
export class Slots {
  #free: number
  readonly #queue: (() => void)[] = []

  constructor(total: number) {
    this.#free = total
  }

  /** @throws the signal's reason where it aborts first */
  async acquire(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    if (this.#free > 0) {
      this.#free--
      return
    }
    await new Promise<void>((resolve, reject) => {
      const granted = () => {
        signal?.removeEventListener('abort', aborted)
        resolve()
      }
      const aborted = () => {
        this.#queue.splice(this.#queue.indexOf(granted), 1)
        reject(signal!.reason)
      }
      this.#queue.push(granted)
      signal?.addEventListener('abort', aborted, { once: true })
    })
  }

  release(): void {
    const next = this.#queue.shift()
    if (next) next()
    else this.#free++
  }
}
