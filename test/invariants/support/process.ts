/** A process that works on an index until it is killed. It says when it begins. */
import { createIndexer } from '../../../fixtures/apps/calendar/src/lexidex/index.ts'
import { silentLogger } from '../../../runtime/core/log.ts'
import { createD1Store } from '../../../runtime/storage/d1/index.ts'
import { createPostgresStore } from '../../../runtime/storage/postgres/index.ts'
import { createSqliteStore } from '../../../runtime/storage/sqlite/index.ts'
import type { Store } from '../../../runtime/storage/store.ts'
import { remoteD1 } from '../../storage/d1-remote.ts'
import { optionsFor, pause, type Services } from './index.ts'

export type Role = 'follow' | 'ingest' | 'backfill' | 'run' | 'refresh' | 'everything'

/** What such a process is told, as JSON. */
export interface Orders {
  /** Path or URL of the database. */
  readonly at: string
  readonly role: Role
  /** ms since 1970: it does nothing before then. */
  readonly from: number
  readonly network: Services
}

const { at, role, from, network } = JSON.parse(process.argv[2]!) as Orders
// Whoever has started it may be killed as well; it must not go on for ever then.
process.stdin.on('end', () => process.exit()).resume()
// Spins rather than sleeps, so that all processes begin in the same millisecond.
while (Date.now() < from) {}
const indexer = createIndexer(open(at), optionsFor(network))
await indexer.migrate()

function open(at: string): Store {
  const { protocol } = URL.canParse(at) ? new URL(at) : { protocol: 'file:' }
  const logger = silentLogger
  const stores: Record<string, () => Store> = {
    'file:': () => createSqliteStore(at, { logger }),
    'postgres:': () => createPostgresStore(at, { logger, connections: 4 }),
    'http:': () => createD1Store(remoteD1(at)),
  }
  return stores[protocol]!()
}

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
