import { dropOldest } from '../core/oldest.ts'
import type { Clock } from '../core/time.ts'

const MAX_ENTRIES = 10_000

export interface LookupsOptions {
  readonly clock: Clock
  /** ms that an answer is kept. */
  readonly ttlMs: number
  /** ms that a failure is kept, by its error; 0 where it is not. */
  readonly failureTtlMs: (error: unknown) => number
}

type Outcome<V> = { readonly value: V } | { readonly error: unknown }

/** Answers by key, remembered for a time. Calls for one key at the same time share a request. */
export class Lookups<V> {
  readonly #options: LookupsOptions
  readonly #known = new Map<string, { outcome: Outcome<V>; until: number }>()
  readonly #running = new Map<string, Promise<V>>()

  constructor(options: LookupsOptions) {
    this.#options = options
  }

  async get(key: string, load: () => Promise<V>): Promise<V> {
    const known = this.#known.get(key)
    if (known !== undefined && known.until > this.#options.clock.now()) {
      if ('error' in known.outcome) throw known.outcome.error
      return known.outcome.value
    }
    return this.#running.get(key) ?? this.fresh(key, load)
  }

  /** Asks, whatever is known, and remembers the answer. */
  async fresh(key: string, load: () => Promise<V>): Promise<V> {
    const started = load()
    this.#running.set(key, started)
    try {
      const value = await started
      this.#remember(key, started, { value }, this.#options.ttlMs)
      return value
    } catch (error) {
      this.#remember(key, started, { error }, this.#options.failureTtlMs(error))
      throw error
    } finally {
      if (this.#running.get(key) === started) this.#running.delete(key)
    }
  }

  /** Drops what is known of a key, and what is being asked will not be remembered. */
  forget(key: string): void {
    this.#known.delete(key)
    this.#running.delete(key)
  }

  #remember(key: string, asked: Promise<V>, outcome: Outcome<V>, ttlMs: number): void {
    // Forgotten or asked anew meanwhile: this answer may be out of date.
    if (this.#running.get(key) !== asked) return
    this.#known.delete(key)
    if (ttlMs > 0) this.#known.set(key, { outcome, until: this.#options.clock.now() + ttlMs })
    dropOldest(this.#known, MAX_ENTRIES)
  }
}
