import { XrpcError } from '../../core/errors.ts'
import type { Route, RouteAnswer } from '../../core/route.ts'
import type { Store } from '../../storage/store.ts'
import type { CustomDef } from '../define.ts'
import { readQuery, refuseOthers } from '../params/params.ts'
import { ownParams } from './own-params.ts'

/** A query of the config that answers by itself. */
export function customRoute(store: Store, { nsid, query }: CustomDef): Route {
  const own = ownParams(query.params)
  return {
    method: 'GET',
    path: `/xrpc/${nsid}`,
    async answer({ params, headers, caller }) {
      const raw = readQuery(params.toString())
      if (own.shape !== null) refuseOthers(raw, own.shape)
      const context = { db: store.db, params: own.read(raw), headers, caller }
      return answerOf(await callUserCode(() => query.handler(context)))
    },
  }
}

/**
 * What user code gives.
 *
 * @throws XrpcError where it throws something like one: an error with a `status` from 400 to 499 and a name in `error`
 */
export async function callUserCode<R>(call: () => R | Promise<R>): Promise<R> {
  try {
    return await call()
  } catch (thrown) {
    throw asXrpcError(thrown) ?? thrown
  }
}

// Not `instanceof` alone: the config may have its own copy of this package, or another package's errors.
function asXrpcError(thrown: unknown): XrpcError | null {
  if (!(thrown instanceof Error) || !('status' in thrown) || !('error' in thrown)) return null
  const { status, error, message } = thrown
  const isFault = typeof status === 'number' && Number.isInteger(status) && status >= 400 && status < 500
  return isFault && typeof error === 'string' ? new XrpcError(status, error, message) : null
}

async function answerOf(result: unknown): Promise<RouteAnswer> {
  if (!(result instanceof Response)) return { status: 200, body: result ?? null }
  const content = new Uint8Array(await result.arrayBuffer())
  return { status: result.status, headers: Object.fromEntries(result.headers), content }
}
