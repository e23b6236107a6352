/** A Worker of the calendar app whose network is the one that a test made. */
import { createIndexer } from '../../fixtures/apps/calendar/src/lexidex/index.ts'
import { explorer } from '../../runtime/explorer/index.ts'
import { createWorker } from '../../runtime/worker/index.ts'

interface Env {
  readonly DB: unknown
  /** `IndexerOptions` and `CycleOptions` as JSON. */
  readonly OPTIONS: string
}

export default {
  fetch: (request: Request, env: Env, context: any) => workerOf(env).fetch(request, env, context),
  scheduled: (event: any, env: Env, context: any) => workerOf(env).scheduled(event, env, context),
}

let made: ReturnType<typeof createWorker<Env>> | null = null

function workerOf(env: Env) {
  made ??= createWorker<Env>(createIndexer, {
    ...JSON.parse(env.OPTIONS).cycle,
    indexer: { ...JSON.parse(env.OPTIONS).indexer, explorer },
  })
  return made
}
