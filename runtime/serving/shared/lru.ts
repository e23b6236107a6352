/** A map that forgets what was not asked for the longest, once it holds `capacity` entries. */
export class Lru<V> {
  readonly #entries = new Map<string, V>()
  readonly #capacity: number

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#entries.size
  }

  /** The entry of `key`; made by `make` where there is none. */
  get(key: string, make: () => V): V {
    const known = this.#entries.get(key)
    if (known !== undefined) {
      // A map iterates in order of insertion: the first entry is the oldest.
      this.#entries.delete(key)
      this.#entries.set(key, known)
      return known
    }
    const made = make()
    if (this.#entries.size >= this.#capacity) this.#entries.delete(this.#entries.keys().next().value!)
    this.#entries.set(key, made)
    return made
  }
}
