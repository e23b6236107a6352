/** What is measured in workerd, by us and by hand. */
import { app, createIndexer } from '../../../fixtures/apps/calendar/src/lexidex/index.ts'
import type { CommitFrame } from '../../../fixtures/network/frames.ts'
import { createAdmission } from '../../../runtime/admission/admit.ts'
import type { Operation } from '../../../runtime/core/operation.ts'
import type { IndexerOptions } from '../../../runtime/indexer.ts'
import { createD1Store, type D1Binding } from '../../../runtime/storage/d1/index.ts'
import { type Account, backfillByHand } from './by-hand.ts'
import { answerBare, applyRaw, type RawBatch } from './raw.ts'

interface Env {
  readonly OURS: D1Binding
  readonly RAW: D1Binding
}

export interface Task {
  readonly kind: 'migrate' | 'apply' | 'applyRaw' | 'read' | 'readBare' | 'backfill' | 'backfillByHand'
  readonly frames?: readonly CommitFrame[]
  readonly batch?: RawBatch
  /** Path, or name of the bare answer. */
  readonly what?: string
  readonly times?: number
  readonly atOnce?: number
  /** Whether answers are kept from one request to the next. */
  readonly isKept?: boolean
  readonly network?: IndexerOptions
  readonly accounts?: readonly Account[]
}

/** Accounts that a backfill fetches at a time. */
const AT_ONCE = 20

let indexer: ReturnType<typeof createIndexer> | null = null
/** The same, without answers that are kept. */
let fresh: ReturnType<typeof createIndexer> | null = null
const admission = createAdmission({ collections: app.collections, schemas: app.schemas })

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    return Response.json((await perform((await request.json()) as Task, env)) ?? null)
  },
}

async function perform({ kind, ...task }: Task, env: Env): Promise<unknown> {
  indexer ??= createIndexer(createD1Store(env.OURS), { onDemand: false, ...task.network })
  fresh ??= createIndexer(createD1Store(env.OURS), { onDemand: false, cache: false, ...task.network })
  switch (kind) {
    case 'migrate': {
      await createD1Store(env.RAW).migrate(app.migrations.sqlite!)
      return indexer.migrate()
    }
    case 'apply': {
      const operations = task.frames!.map(admit).filter((operation) => operation !== null)
      return indexer.store.apply({
        operations,
        positions: [{ source: 'bench', epoch: '', cursor: '1' }],
        now: Date.now(),
      })
    }
    case 'applyRaw':
      return applyRaw(env.RAW, task.batch!)
    case 'read':
      return repeat(task, async () => {
        const response = await (task.isKept ? indexer! : fresh!).fetch(new Request(`http://bench${task.what}`))
        if (!response.ok) throw new Error(await response.text())
        return response.text()
      })
    case 'readBare':
      return repeat(task, () => answerBare(env.OURS, task.what!))
    case 'backfillByHand':
      return { records: await backfillByHand(env.RAW, task.accounts!, AT_ONCE) }
    case 'backfill': {
      const own = createIndexer(createD1Store(env.OURS), task.network)
      const { backfilled } = await own.backfillAll({ concurrency: AT_ONCE })
      return { records: backfilled.records, failed: backfilled.failed + backfilled.retrying }
    }
  }
}

function admit({ did, commit }: CommitFrame): Operation | null {
  const { collection, rkey, rev } = commit
  const admitted = admission.admit(
    commit.operation === 'delete'
      ? { kind: 'delete', did, collection, rkey, rev }
      : { kind: 'put', did, collection, rkey, rev, cid: commit.cid!, record: commit.record },
  )
  return admitted === null || admitted.op === 'reject' ? null : admitted
}

/** So many answers, some at once; gives the bytes of one. */
async function repeat({ times = 1, atOnce = 1 }: Omit<Task, 'kind'>, answer: () => Promise<string>): Promise<unknown> {
  let left = times
  let bytes = 0
  const work = async () => {
    while (left-- > 0) bytes = (await answer()).length
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return { bytes }
}
