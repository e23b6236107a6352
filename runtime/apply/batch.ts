import type { AccountEvent, IdentityEvent, Position, SyncEvent } from '../core/events.ts'
import type { ApplyBatch, Operation } from '../core/operation.ts'
import type { ApplyResult } from '../storage/store.ts'

/** Events that are not records: they ask for something to be looked up, and of known accounts that is noted. */
export type HintEvent = AccountEvent | IdentityEvent | SyncEvent

/** Most text in one batch, in UTF-16 code units: a transaction of huge records stays bounded as well. */
const MAX_TEXT = 8_000_000

/** What one transaction will hold, while it fills and waits. */
export class PendingBatch {
  readonly operations: Operation[] = []
  /** Latest of each source. */
  readonly positions = new Map<string, Position>()
  /** Those that its checks came from. */
  readonly hints: HintEvent[] = []
  /** What the store was given, where it was. */
  handed: { readonly content: ApplyBatch; readonly result: Promise<ApplyResult> } | null = null
  /** Resolves when it is durable, or given up because the applier closes. */
  readonly done: Promise<void>
  durable = false
  #settle: () => void = () => {}
  #text = 0

  constructor() {
    this.done = new Promise((resolve) => {
      this.#settle = resolve
    })
  }

  get isEmpty(): boolean {
    return this.operations.length === 0 && this.positions.size === 0
  }

  /** Length of the records, in UTF-16 code units. */
  get text(): number {
    return this.#text
  }

  add(operation: Operation): void {
    this.operations.push(operation)
    if (operation.op === 'put' || operation.op === 'quarantine') this.#text += operation.record.length
  }

  /** Takes over a later batch, which is done when this one is. */
  join(next: PendingBatch): void {
    for (const operation of next.operations) this.add(operation)
    for (const [source, position] of next.positions) this.positions.set(source, position)
    void this.done.then(() => next.settle(this.durable))
  }

  isFull(batchSize: number): boolean {
    return this.operations.length >= batchSize || this.#text >= MAX_TEXT
  }

  settle(durable: boolean): void {
    this.durable = durable
    this.#settle()
  }
}
