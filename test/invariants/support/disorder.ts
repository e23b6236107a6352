import { expect } from 'vitest'
import { type JetstreamFrame, type Network, PROFILE } from '../../../fixtures/network/index.ts'
import { createRandom, type Random } from '../../../fixtures/network/random.ts'
import { type CalendarIndexer, eventually } from './index.ts'

const GARBAGE = ['no JSON', '{}', '{"kind":"commit"}', '[]', '{"did":"did:plc:x","time_us":"soon","kind":"account"}']

/**
 * A stream that delivers out of order and more than once. What it holds back is shared by all who follow, and comes at
 * the latest at the end, so that every frame reaches somebody.
 */
export class Disorder {
  readonly #network: Network
  readonly #random: Random
  readonly #held: JetstreamFrame[] = []
  /** All that was ever held back: what is sent late into a connection that is broken is lost to it. */
  readonly #late: JetstreamFrame[] = []
  #over = false

  constructor(network: Network, seed: number) {
    this.#network = network
    this.#random = createRandom(seed)
    network.faults.frames = (frame) => this.#deliver(frame)
  }

  #deliver(frame: JetstreamFrame): readonly (JetstreamFrame | string)[] {
    const random = this.#random
    if (this.#over) return frame === this.#network.log.at(-1) ? [...shuffled(this.#late, random), frame] : [frame]
    // Of accounts that are not known yet nothing is remembered, deletions of their profiles neither: of those only the
    // order that a stream has can be put right.
    if (frame.kind === 'commit' && frame.commit.collection === PROFILE) return [frame]
    switch (random.weighted({ pass: 8, hold: 5, twice: 2, earlier: 2, release: 4, garbage: 1 })) {
      case 'pass':
        return [frame]
      case 'hold':
        this.#held.push(frame)
        this.#late.push(frame)
        return []
      case 'twice':
        return [frame, frame]
      case 'earlier':
        return [frame, ...this.#earlier(frame)]
      case 'release': {
        const some = this.#held.splice(0, random.int(this.#held.length + 1))
        return shuffled([frame, ...some], random)
      }
      case 'garbage':
        return [random.pick(GARBAGE), frame]
    }
  }

  #earlier(frame: JetstreamFrame): readonly JetstreamFrame[] {
    const before = this.#network.log.filter(
      (other) => other.time_us < frame.time_us && other.kind === 'commit' && other.commit.collection !== PROFILE,
    )
    return before.length === 0 ? [] : [this.#random.pick(before)]
  }

  /** Delivers whatever is missing, and waits until `indexer`'s database has it. Somebody must follow. */
  async end(indexer: CalendarIndexer): Promise<void> {
    this.#over = true
    this.#network.identity(this.#network.accounts[0]!.did)
    const last = this.#network.log.at(-1)!.time_us
    await eventually(async () => {
      const row = await indexer.db.selectFrom('lexidex_cursor').select('cursor').executeTakeFirst()
      expect(Number(row?.cursor)).toBeGreaterThanOrEqual(last)
    })
    delete this.#network.faults.frames
  }
}

export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const list = [...items]
  for (let i = list.length - 1; i > 0; i--) {
    const j = random.int(i + 1)
    const item = list[i]!
    list[i] = list[j]!
    list[j] = item
  }
  return list
}
