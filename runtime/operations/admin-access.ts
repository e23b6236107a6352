import { checkBearer } from '../core/bearer.ts'
import { databaseUnavailable, isProgrammingError, LexidexError, messageOf, XrpcError } from '../core/errors.ts'
import type { Route, RouteRequest } from '../core/route.ts'
import type { OperationContext } from './context.ts'

/** Who may use the admin routes. */
export interface AdminAccess {
  /** Whoever sends it as a bearer token. Default: nobody. */
  readonly secret: string | undefined
  /** Whether programs of this machine, and pages that this index itself serves to its browsers, need no secret. */
  readonly development: boolean
}

/** Makes a route that only they can use. */
export type ForAdmins = (method: Route['method'], path: string, answer: Route['answer']) => Route

/**
 * 401 without a token, 403 with a wrong one, 503 where there is no secret, and while the database cannot be used.
 *
 * @throws LexidexError where the secret is empty
 */
export function adminsOnly(access: AdminAccess, { store }: OperationContext): ForAdmins {
  if (access.secret?.trim() === '') {
    throw new LexidexError('The secret of the admin routes is empty', {
      hint: 'Give `adminSecret` a secret, or leave it out to switch the routes off.',
    })
  }
  return (method, path, answer) => ({
    method,
    path,
    async answer(request) {
      await authorize(request, access)
      try {
        return await answer(request)
      } catch (error) {
        if (error instanceof XrpcError || isProgrammingError(error) || !store.isTransient(error)) throw error
        throw databaseUnavailable(messageOf(error))
      }
    },
  })
}

async function authorize({ headers }: RouteRequest, { secret, development }: AdminAccess): Promise<void> {
  if (development && isFromHere(headers)) return
  if (secret === undefined) {
    throw new XrpcError(503, 'AdminDisabled', 'The admin routes are off: this index was opened without `adminSecret`.')
  }
  const outcome = await checkBearer(headers, secret)
  if (outcome === 'missing') {
    throw new XrpcError(401, 'AuthenticationRequired', 'Send the admin secret as `Authorization: Bearer …`.')
  }
  if (outcome === 'wrong') throw new XrpcError(403, 'Forbidden', 'That is not the admin secret.')
}

/**
 * Whether a request to this machine by its own name comes from a page of the same origin, or from no page at all. The
 * pages of others can send requests here as well, and have their names lead here; browsers tell on them.
 */
function isFromHere(headers: RouteRequest['headers']): boolean {
  const host = (headers.get('host') ?? '').replace(/:\d+$/, '')
  if (!/^(localhost|127\.0\.0\.1|\[::1\])$/i.test(host)) return false
  const site = headers.get('sec-fetch-site')
  if (site !== null && site !== undefined) return site === 'same-origin' || site === 'none'
  const origin = headers.get('origin')
  return origin === null || origin === undefined || origin.replace(/^https?:\/\//, '') === headers.get('host')
}
