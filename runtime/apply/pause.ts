/** Lets the event loop do everything else first. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    // Cloudflare Workers have no setImmediate.
    if (typeof setImmediate === 'function') setImmediate(resolve)
    else setTimeout(resolve, 0)
  })
}

/** A wait that someone else can cut short. */
export class Pause {
  #wake: (() => void) | null = null

  /** Resolves after `ms`, or at the next `end()`. */
  async for(ms: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      timer = setTimeout(resolve, ms)
    })
    clearTimeout(timer)
    this.#wake = null
  }

  end(): void {
    this.#wake?.()
  }
}
