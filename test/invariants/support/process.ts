/** A process that works on an index until it is killed. It says when it begins. */
import { openCalendar, pause, type Services } from './index.ts'

export type Role = 'follow' | 'ingest' | 'backfill' | 'run' | 'refresh' | 'everything'

/** What such a process is told, as JSON. */
export interface Orders {
  readonly path: string
  readonly role: Role
  /** ms since 1970: it does nothing before then. */
  readonly at: number
  readonly network: Services
}

const { path, role, at, network } = JSON.parse(process.argv[2]!) as Orders
// Whoever has started it may be killed as well; it must not go on for ever then.
process.stdin.on('end', () => process.exit()).resume()
// Spins rather than sleeps, so that all processes begin in the same millisecond.
while (Date.now() < at) {}
const indexer = await openCalendar(network, { path })

async function again(work: () => Promise<unknown>): Promise<never> {
  for (;;) await work()
}

async function run(): Promise<void> {
  try {
    await indexer.performBackfill({ force: 'catch_up' })
  } catch (error) {
    // The process that runs beside this one may be at it.
    if (!(error instanceof Error && error.name === 'BackfillInProgress')) throw error
    await pause(20)
  }
}

const WORK: Record<Exclude<Role, 'everything'>, () => Promise<unknown>> = {
  follow: () => indexer.runPersistent({ flushIntervalMs: 3, batchSize: 5 }),
  ingest: () => again(() => indexer.ingest({ timeoutMs: 200, quietMs: 50, batchSize: 5 })),
  backfill: () => again(() => indexer.discover().then(() => indexer.backfill())),
  run: () => again(run),
  refresh: () => again(() => indexer.refresh({ ignoreWindowMs: 0 })),
}

console.log('ready')
if (role === 'everything') await Promise.all([WORK.follow(), WORK.run(), WORK.refresh()])
else await WORK[role]()
