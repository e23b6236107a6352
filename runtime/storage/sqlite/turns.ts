import type { MaybePromise } from '../store.ts'

/**
 * Who may use the writing connection. Work is done in the order in which it was asked for; while a transaction is open,
 * which spans many calls, all work but its own waits.
 */
export class Turns {
  #owner: number | null = null
  readonly #waiting: (() => void)[] = []

  /** Does the work at once, or when its turn has come. `transaction` is the number of the one that it belongs to. */
  take<T>(transaction: number | null, work: () => T): MaybePromise<T> {
    if (this.#owner === null || this.#owner === transaction) return work()
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => {
        try {
          resolve(work())
        } catch (error) {
          reject(error)
        }
      })
    })
  }

  /** From within the work that opened a transaction. */
  open(transaction: number): void {
    this.#owner = transaction
  }

  /** From within the work that ended it. */
  end(): void {
    this.#owner = null
    while (this.#owner === null) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      next()
    }
  }
}
