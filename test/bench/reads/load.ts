/** Asks a server as fast as it answers. */
import autocannon from 'autocannon'
import { offer } from '../rpc.ts'

const CONNECTIONS = 10

const methods = {
  /** Asks for the paths in turns, for `seconds`: as fast as answers come, or at most `rate` times a second. */
  run(url: string, paths: readonly string[], seconds: number, rate?: number): Promise<Load> {
    return new Promise((resolve, reject) => {
      const requests = paths.map((path) => ({ path }))
      const latencies: number[] = []
      let bytes = 0
      let endedAt = 0
      const startedAt = performance.now()
      const options = { url, connections: CONNECTIONS, duration: seconds + 60, requests }
      const load = autocannon(rate === undefined ? options : { ...options, overallRate: rate }, (error) => {
        if (error !== null) return reject(error)
        latencies.sort((a, b) => a - b)
        const count = latencies.length
        if (count === 0) return reject(new Error(`${url}${paths[0]} gave no answer in ${seconds} s`))
        resolve({
          requests: count,
          perSecond: count / ((endedAt - startedAt) / 1000),
          p99Ms: latencies[Math.floor(count * 0.99)]!,
          maxMs: latencies.at(-1)!,
          bytes: Math.round(bytes / count),
        })
      })
      load.on('response', (_client, status, size, ms) => {
        if (endedAt > 0) return
        if (status !== 200) {
          load.stop()
          return reject(new Error(`${url}${paths[0]} answered ${status}`))
        }
        latencies.push(ms)
        bytes += size
        if (performance.now() - startedAt < seconds * 1000) return
        endedAt = performance.now()
        load.stop()
      })
      load.on('reqError', reject)
    })
  },
}

export interface Load {
  readonly requests: number
  readonly perSecond: number
  readonly p99Ms: number
  readonly maxMs: number
  /** Mean size of an answer, its headers included. */
  readonly bytes: number
}

export type LoadGenerator = typeof methods

offer(methods)
