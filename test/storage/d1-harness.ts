import { Miniflare } from 'miniflare'
import type { D1Binding } from '../../runtime/storage/d1/binding.ts'
import { createD1Store, type D1Store } from '../../runtime/storage/d1/index.ts'
import { checkLimits } from './d1-limits.ts'
import { REMOTE_WORKER } from './d1-remote.ts'
import type { Database } from './harness.ts'

export interface D1Database extends Database {
  readonly binding: D1Binding
  connect(): Promise<D1Store>
}

/** Databases that one workerd holds, which takes a second to start: bindings of it are handed out one after another. */
const AT_ONCE = 100

/** Databases in a workerd of their own, each empty. */
export class D1Server {
  #miniflare: Miniflare | null = null
  #url: URL | null = null
  #used = AT_ONCE

  readonly open = async (): Promise<D1Database> => {
    if (this.#used === AT_ONCE) await this.#start()
    const name = `DB${this.#used++}`
    const binding = limited((await this.#miniflare!.getD1Database(name)) as unknown as D1Binding)
    return {
      binding,
      dialect: 'sqlite',
      at: new URL(name, this.#url!).href,
      skips: {
        'a batch and a transaction of `db` do not become one': 'D1 has no transactions that span several calls',
      },
      connect: async () => createD1Store(binding),
      drop: async () => {},
    }
  }

  async close(): Promise<void> {
    await this.#miniflare?.dispose()
    this.#miniflare = null
    this.#used = AT_ONCE
  }

  async #start(): Promise<void> {
    await this.close()
    const names = Array.from({ length: AT_ONCE }, (_, i) => `DB${i}`)
    this.#miniflare = new Miniflare({
      modules: true,
      script: REMOTE_WORKER,
      compatibilityDate: '2026-07-01',
      d1Databases: Object.fromEntries(names.map((name) => [name, name])),
    })
    this.#used = 0
    this.#url = await this.#miniflare.ready
  }
}

/** With the limits that only the deployed D1 has. */
function limited(binding: D1Binding): D1Binding {
  return {
    prepare(sql) {
      checkLimits(sql)
      return binding.prepare(sql)
    },
    batch: (statements) => binding.batch(statements),
  }
}
