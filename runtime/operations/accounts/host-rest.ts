import { dropOldest } from '../../core/oldest.ts'
import { ServiceError } from '../../sources/xrpc.ts'

/** Failures in a row until a host is left alone. */
const FAILURES = 3
const REST_MS = 60_000
/** Failing hosts that are remembered: strangers make as many as they like. */
const MAX_HOSTS = 10_000

/** Leaves hosts alone that do not answer, so that what is asked of them does not hold up the rest. */
export class HostRest {
  readonly #hosts = new Map<string, { failures: number; until: number }>()

  /** @throws ServiceError `transient`, without asking, while the host is left alone */
  async ask<T>(host: string, work: () => Promise<T>): Promise<T> {
    const state = this.#hosts.get(host)
    if (state !== undefined && state.until > performance.now()) {
      throw new ServiceError('transient', `${host} was left alone after ${state.failures} failures in a row`)
    }
    try {
      const result = await work()
      this.#hosts.delete(host)
      return result
    } catch (error) {
      if (error instanceof ServiceError && error.kind === 'transient') this.#failed(host)
      throw error
    }
  }

  #failed(host: string): void {
    const failures = (this.#hosts.get(host)?.failures ?? 0) + 1
    this.#hosts.delete(host)
    this.#hosts.set(host, { failures, until: failures < FAILURES ? 0 : performance.now() + REST_MS })
    dropOldest(this.#hosts, MAX_HOSTS)
  }
}
