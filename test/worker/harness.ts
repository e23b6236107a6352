import { Miniflare } from 'miniflare'
import type { Network } from '../../fixtures/network/index.ts'
import type { IndexerOptions } from '../../runtime/indexer.ts'
import type { D1Binding } from '../../runtime/storage/d1/index.ts'
import type { CycleOptions } from '../../runtime/worker/index.ts'
import { bundleWorker } from './bundle.ts'

export interface RunningWorker {
  readonly miniflare: Miniflare
  readonly binding: D1Binding
  /** Answers of the Worker. */
  get(
    path: string,
    init?: { method?: string; headers?: Record<string, string>; body?: string },
  ): Promise<{ status: number; body: any }>
  /** Fires the cron trigger, and waits until it has ended. */
  cycle(): Promise<string>
  stop(): Promise<void>
}

interface Scheduled {
  scheduled(event: { cron: string }): Promise<{ outcome: string }>
}

let code: Promise<string> | null = null

/** A Worker of the calendar app in workerd, without any compatibility with Node. */
export async function startWorker(
  network: Network,
  options: { indexer?: IndexerOptions; cycle?: CycleOptions; secrets?: Record<string, string> } = {},
): Promise<RunningWorker> {
  code ??= bundleWorker('test/worker/entry.ts').then((bundle) => bundle.code)
  const indexer: IndexerOptions = {
    jetstreams: [network.jetstream],
    relays: [network.relay],
    plc: network.plc,
    allowHosts: network.pds.map((url) => new URL(url).host),
    ...options.indexer,
  }
  const miniflare = new Miniflare({
    modules: true,
    script: await code,
    compatibilityDate: '2026-07-01',
    d1Databases: { DB: 'index' },
    bindings: { OPTIONS: JSON.stringify({ indexer, cycle: options.cycle }), ...options.secrets },
  })
  await miniflare.ready
  const worker = (await miniflare.getWorker()) as unknown as Scheduled
  return {
    miniflare,
    binding: (await miniflare.getD1Database('DB')) as unknown as D1Binding,
    async get(path, init) {
      const response = await miniflare.dispatchFetch(`http://index.test${path}`, init)
      return { status: response.status, body: await response.json() }
    },
    async cycle() {
      const { outcome } = await worker.scheduled({ cron: '* * * * *' })
      return outcome
    },
    stop: () => miniflare.dispose(),
  }
}
