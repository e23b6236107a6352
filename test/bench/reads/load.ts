/** Asks a server as fast as it answers. */
import { Agent, get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import autocannon from 'autocannon'
import { offer } from '../rpc.ts'

const CONNECTIONS = 10

const methods = {
  /** Asks for the paths in turns, for `seconds`, as fast as answers come. */
  run(url: string, paths: readonly string[], seconds: number): Promise<Load> {
    return new Promise((resolve, reject) => {
      const requests = paths.map((path) => ({ path }))
      const latencies: number[] = []
      let bytes = 0
      let endedAt = 0
      const startedAt = performance.now()
      const load = autocannon({ url, connections: CONNECTIONS, duration: seconds + 60, requests }, (error) => {
        if (error !== null) return reject(error)
        const count = latencies.length
        if (count === 0) return reject(new Error(`${url}${paths[0]} gave no answer in ${seconds} s`))
        resolve({
          requests: count,
          perSecond: count / ((endedAt - startedAt) / 1000),
          ...percentiles(latencies),
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
  /** Asks for the paths in turns, `rate` times a second, whether answers come or not. */
  async steady(url: string, paths: readonly string[], seconds: number, rate: number): Promise<Latencies> {
    const agent = new Agent({ keepAlive: true })
    const answers: Promise<number>[] = []
    const startedAt = performance.now()
    for (let i = 0; i < seconds * rate; i++) {
      const dueAt = startedAt + (i * 1000) / rate
      await sleep(Math.max(0, dueAt - performance.now()))
      answers.push(ask(url + paths[i % paths.length], agent))
    }
    const latencies = await Promise.all(answers)
    agent.destroy()
    return percentiles(latencies)
  },
}

export interface Latencies {
  readonly p99Ms: number
  readonly maxMs: number
}

export interface Load extends Latencies {
  readonly requests: number
  readonly perSecond: number
  /** Mean size of an answer, its headers included. */
  readonly bytes: number
}

function percentiles(latencies: number[]): Latencies {
  latencies.sort((a, b) => a - b)
  return { p99Ms: latencies[Math.floor(latencies.length * 0.99)]!, maxMs: latencies.at(-1)! }
}

/** @returns ms until the whole answer was there */
function ask(url: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now()
    get(url, { agent }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${url} answered ${response.statusCode}`))
      response.resume()
      response.once('end', () => resolve(performance.now() - startedAt))
    }).once('error', reject)
  })
}

export type LoadGenerator = typeof methods

offer(methods)
