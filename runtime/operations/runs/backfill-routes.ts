import { invalidRequest, XrpcError } from '../../core/errors.ts'
import type { Route, RouteRequest } from '../../core/route.ts'
import type { ForAdmins } from '../admin-access.ts'
import type { OperationContext } from '../context.ts'
import type { StartedBackfill } from './background-backfills.ts'
import { type BackfillKind, findRun, listRunErrors, type RunRow } from './run-rows.ts'
import { BackfillInProgress } from './runs.ts'

export interface BackfillRoutesOptions {
  readonly namespace: string
  readonly forAdmins: ForAdmins
  readonly context: OperationContext
  readonly start: (force?: BackfillKind) => Promise<StartedBackfill>
}

/**
 * What an operator may ask for:
 *
 * - `POST {ns}.admin.backfill?force=catch_up|full_sync`: 202 where one was started, 200 where none is due, 409 where one
 *   goes on.
 * - `GET {ns}.admin.backfill/{id}` or `?id=`: how a run is. 400, 404.
 * - `GET {ns}.admin.backfill/{id}/errors`: the first 1000 of its errors, oldest first.
 */
export function backfillRoutes({ namespace, forAdmins, context, start }: BackfillRoutesOptions): readonly Route[] {
  const path = `/xrpc/${namespace}.admin.backfill`

  const run = (request: RouteRequest) => readRun(context, request)

  return [
    forAdmins('POST', path, async ({ params }) => {
      const started = await start(readForce(params.get('force'))).catch(inProgress)
      if (started.type === 'not_needed') return { status: 200, body: { message: started.message } }
      return { status: 202, body: started }
    }),
    forAdmins('GET', path, async (request) => ({ status: 200, body: viewOf(await run(request)) })),
    forAdmins('GET', `${path}/{id}`, async (request) => ({ status: 200, body: viewOf(await run(request)) })),
    forAdmins('GET', `${path}/{id}/errors`, async (request) => {
      const { id } = await run(request)
      const errors = (await listRunErrors(context, id)).map((error) => ({
        id: String(error.id),
        did: error.did,
        collection: error.collection,
        errorMessage: error.message,
        createdAt: iso(error.created_at),
      }))
      return { status: 200, body: { errors } }
    }),
  ]
}

/** What is not known is as good as nothing. */
function readForce(force: string | null): BackfillKind | undefined {
  return force === 'catch_up' || force === 'full_sync' ? force : undefined
}

async function readRun(context: OperationContext, { params }: RouteRequest): Promise<RunRow> {
  const id = params.get('id') ?? ''
  if (!/^[1-9]\d{0,14}$/.test(id)) throw invalidRequest('Invalid backfill ID')
  const run = await findRun(context, Number(id))
  if (run === null) throw new XrpcError(404, 'NotFound', 'Backfill not found')
  return run
}

function viewOf(run: RunRow) {
  return {
    id: String(run.id),
    status: run.status,
    type: run.kind,
    didsTotal: run.dids_total,
    didsProcessed: run.dids_processed,
    recordsIndexed: run.records,
    errorCount: run.error_count,
    startedAt: iso(run.started_at),
    completedAt: run.completed_at === null ? null : iso(run.completed_at),
    errorMessage: run.error_message,
  }
}

function inProgress(error: unknown): never {
  throw error instanceof BackfillInProgress ? new XrpcError(409, 'BackfillInProgress', error.message) : error
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
