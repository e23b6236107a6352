/** As much of autocannon as the benchmarks use; it has no types of its own. */
declare module 'autocannon' {
  import type { EventEmitter } from 'node:events'

  interface Options {
    readonly url: string
    readonly connections: number
    /** s */
    readonly duration: number
    /** Asked in turns by every connection. */
    readonly requests: readonly { readonly path: string }[]
  }

  interface Instance extends EventEmitter {
    stop(): void
    on(event: 'response', listener: (client: unknown, status: number, bytes: number, ms: number) => void): this
    on(event: 'reqError', listener: (error: Error) => void): this
  }

  export default function autocannon(options: Options, done: (error: Error | null) => void): Instance
}
