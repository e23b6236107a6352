/** For Cloudflare Workers. */
import { databaseUnavailable, LexidexError } from '../core/errors.ts'
import type { Logger } from '../core/log.ts'
import type { Indexer, IndexerOptions } from '../indexer.ts'
import { isPassing } from '../storage/d1/errors.ts'
import { createD1Store, type D1Binding } from '../storage/d1/index.ts'
import type { Store } from '../storage/store.ts'
import { answerCron } from './cron.ts'
import { type CycleOptions, type CycleResult, runCycle } from './cycle.ts'
import type { ScheduledEvent, WorkerContext, WorkerEnv } from './platform.ts'

export type { CycleOptions, CycleResult } from './cycle.ts'
export type { ScheduledEvent, WorkerContext, WorkerEnv } from './platform.ts'

/** What the emitted `index.ts` exports. */
export type CreateIndexer = (store: Store, options?: IndexerOptions) => Indexer<any>

export interface WorkerOptions<Env> extends CycleOptions {
  /** Name of the D1 binding. Default `DB`. */
  readonly binding?: string | undefined
  /**
   * Options of the indexer. By default the secrets `LEXIDEX_ADMIN_SECRET` and `LEXIDEX_NOTIFY_SECRET` count, as they do
   * for `lexidex start`.
   */
  readonly indexer?: IndexerOptions | ((env: Env) => IndexerOptions) | undefined
  /** `migrations_table` of the Wrangler config, where it states one. */
  readonly migrationsTable?: string | undefined
  /** Applies migrations that are not applied yet, before anything else. Default true. */
  readonly migrate?: boolean | undefined
  /** Called once per isolate, when the database is ready. */
  readonly onInit?: ((indexer: Indexer<any>, env: Env) => void | Promise<void>) | undefined
}

/** The handlers of a Worker. Bound, so that they may be taken apart and put into handlers of one's own. */
export interface Worker<Env> {
  /** Serves the index. `POST /api/cron` with the header `X-Cron-Secret` runs a cycle, where there is a secret `CRON_SECRET`. */
  readonly fetch: (request: Request, env: Env, context: WorkerContext) => Promise<Response>
  /** Runs a cycle when a cron trigger fires. */
  readonly scheduled: (event: ScheduledEvent, env: Env, context: WorkerContext) => Promise<void>
  /** The same for callers of one's own. */
  readonly cycle: (env: Env, context: WorkerContext) => Promise<CycleResult>
}

/**
 * A Worker that serves an index on D1, and brings it up to date whenever a cron trigger fires.
 *
 * @example
 * import { createWorker } from 'lexidex/worker'
 * import { createIndexer } from './lexidex/index.js'
 *
 * export default createWorker(createIndexer)
 */
export function createWorker<Env extends WorkerEnv = WorkerEnv>(
  createIndexer: CreateIndexer,
  options: WorkerOptions<Env> = {},
): Worker<Env> {
  const { binding = 'DB' } = options
  /** One per isolate for requests: what it remembers of accounts and answers serves them all. */
  const serving = new WeakMap<Env, { indexer: Indexer<any>; ready: Promise<void> | null }>()

  function open(env: Env): Indexer<any> {
    const store = createD1Store(bindingOf(env, binding), { migrationsTable: options.migrationsTable })
    const own = typeof options.indexer === 'function' ? options.indexer(env) : options.indexer
    return createIndexer(store, { ...secretsOf(env), ...own })
  }

  async function prepare(indexer: Indexer<any>, env: Env): Promise<void> {
    if (options.migrate !== false) await indexer.migrate()
    await options.onInit?.(indexer, env)
  }

  /** Also keeps alive what requests wait for together, should the one that began it be given up. */
  async function opened(env: Env, context: WorkerContext): Promise<Indexer<any>> {
    let one = serving.get(env)
    if (one === undefined) {
      one = { indexer: open(env), ready: null }
      serving.set(env, one)
    }
    const { indexer } = one
    if (one.ready === null) {
      const state = one
      state.ready = prepare(indexer, env).catch((error) => {
        state.ready = null
        throw error
      })
      context.waitUntil(state.ready.catch(() => {}))
    }
    await one.ready
    return indexer
  }

  async function cycle(env: Env, context: WorkerContext): Promise<CycleResult> {
    // Its own, closed in the end: nothing of it outlives the cycle.
    const indexer = open(env)
    const run = async () => {
      try {
        await prepare(indexer, env)
        return await runCycle(indexer, { ...options, logger: loggerOf(env) })
      } finally {
        await indexer.close()
      }
    }
    const running = run()
    context.waitUntil(running.catch(() => {}))
    return running
  }

  function loggerOf(env: Env): Logger {
    const own = typeof options.indexer === 'function' ? options.indexer(env) : options.indexer
    return own?.logger ?? console
  }

  return {
    async fetch(request, env, context) {
      const cron = await answerCron(request, env, () => cycle(env, context))
      if (cron !== null) return cron
      let indexer: Indexer<any>
      try {
        indexer = await opened(env, context)
      } catch (error) {
        if (!isPassing(error)) throw error
        loggerOf(env).error('The database is not ready:', error)
        const { status, error: name, message } = databaseUnavailable()
        const headers = { 'access-control-allow-origin': '*', 'cache-control': 'no-store' }
        return Response.json({ error: name, message }, { status, headers })
      }
      const answer = indexer.fetch(request)
      // A request that is given up ends in good order: others may wait for what it fetches.
      context.waitUntil(answer.then(() => indexer.idle()))
      return answer
    },
    async scheduled(_event, env, context) {
      await cycle(env, context)
    },
    cycle,
  }
}

function bindingOf(env: WorkerEnv, name: string): D1Binding {
  const binding = (env as Record<string, unknown>)[name]
  if (typeof binding === 'object' && binding !== null && 'prepare' in binding) return binding as D1Binding
  throw new LexidexError(`There is no D1 binding ${name}`, {
    hint: `Add a database with "binding": "${name}" to \`d1_databases\` of the Wrangler config, or name it by \`binding\`.`,
  })
}

function secretsOf(env: WorkerEnv): IndexerOptions {
  const { LEXIDEX_NOTIFY_SECRET: notify, LEXIDEX_ADMIN_SECRET: adminSecret } = env as Record<string, unknown>
  return {
    ...(typeof notify === 'string' && notify !== '' ? { notify } : {}),
    ...(typeof adminSecret === 'string' && adminSecret !== '' ? { adminSecret } : {}),
  }
}
