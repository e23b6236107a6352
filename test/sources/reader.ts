import { EVENT } from '../../fixtures/network/index.ts'
import type { Position, SourceItem } from '../../runtime/core/events.ts'
import { createJetstream, type JetstreamOptions } from '../../runtime/sources/jetstream.ts'

/** Reads items in the background until it is stopped. */
export class StreamReader {
  readonly items: SourceItem[] = []
  readonly source: ReturnType<typeof createJetstream>
  readonly #abort = new AbortController()
  readonly #done: Promise<void>
  /** While set, the consumer is busy. */
  gate: Promise<void> | null = null

  constructor(urls: readonly string[], from: Position | null = null, options: Partial<JetstreamOptions> = {}) {
    this.source = createJetstream({ urls, collections: [EVENT], reconnectMs: 20, ...options })
    this.#done = this.#read(from)
  }

  async #read(from: Position | null): Promise<void> {
    for await (const items of this.source.items({ signal: this.#abort.signal, from })) {
      this.items.push(...items)
      if (this.gate !== null) await this.gate
    }
  }

  get events() {
    return this.items.flatMap(({ event }) => event ?? [])
  }

  /** `rkey`s of puts and deletes, in order of arrival. */
  get rkeys(): readonly string[] {
    return this.events.flatMap((event) => ('rkey' in event ? event.rkey : []))
  }

  get position(): Position {
    return this.items.findLast(({ position }) => position !== null)!.position!
  }

  async until(condition: () => boolean): Promise<void> {
    for (let i = 0; !condition(); i++) {
      if (i > 1500) throw new Error(`Not in time; ${this.items.length} items, ${JSON.stringify(this.source.stats())}`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    await this.#done
  }
}
