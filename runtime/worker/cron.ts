import { isSecret } from '../core/bearer.ts'
import type { CycleResult } from './cycle.ts'
import type { WorkerEnv } from './platform.ts'

const PATH = '/api/cron'

/**
 * `POST /api/cron`, for schedulers elsewhere: runs a cycle where the header `X-Cron-Secret` has what the secret
 * `CRON_SECRET` of the Worker has. Null for all other requests, and where there is no such secret.
 */
export async function answerCron(
  request: Request,
  env: WorkerEnv,
  cycle: () => Promise<CycleResult>,
): Promise<Response | null> {
  const { CRON_SECRET: secret } = env as Record<string, unknown>
  if (typeof secret !== 'string' || secret === '' || new URL(request.url).pathname !== PATH) return null
  if (request.method !== 'POST') {
    return Response.json({ error: 'MethodNotAllowed' }, { status: 405, headers: { allow: 'POST' } })
  }
  const given = request.headers.get('x-cron-secret')
  if (given === null || !(await isSecret(given, secret)))
    return Response.json({ error: 'Unauthorized' }, { status: 401 })
  return Response.json(await cycle())
}
