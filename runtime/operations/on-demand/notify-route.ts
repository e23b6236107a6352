import { parseAtUri } from '../../core/at-uri.ts'
import { checkBearer } from '../../core/bearer.ts'
import { invalidRequest, LexidexError, XrpcError } from '../../core/errors.ts'
import type { NotifyAccess, NotifyResult } from '../../core/notify.ts'
import type { Route, RouteRequest } from '../../core/route.ts'
import { ResolveError } from '../../identity/resolver.ts'
import { isJwt, verifyServiceAuth } from '../../identity/service-auth.ts'
import type { OperationContext } from '../context.ts'
import { findActor } from './actors.ts'
import { MAX_URIS } from './notify.ts'

export interface NotifyRouteOptions {
  readonly namespace: string
  readonly access: NotifyAccess
  readonly context: OperationContext
  readonly notify: (uris: readonly string[]) => Promise<NotifyResult>
}

/**
 * `POST {ns}.notifyOfUpdate`, for whom `access` lets; no route where that is nobody.
 *
 * @throws LexidexError where a secret is empty, or `serviceDid` is no DID
 */
export function notifyRoutes({ namespace, access, context, notify }: NotifyRouteOptions): readonly Route[] {
  const allowed = readAccess(access)
  if (allowed === null) return []
  const method = `${namespace}.notifyOfUpdate`

  /** @returns the account that asks, where it may speak for itself alone */
  async function authorize({ headers }: RouteRequest): Promise<string | null> {
    const { secret, serviceDid } = allowed!
    if (secret === undefined && serviceDid === undefined) return null
    if (secret !== undefined && (await checkBearer(headers, secret)) === 'ok') return null
    const token = /^Bearer +(\S+) *$/i.exec(headers.get('authorization') ?? '')?.[1]
    if (serviceDid === undefined || token === undefined || !isJwt(token)) throw unauthorized(allowed!)
    const { resolver, clock } = context
    return verifyServiceAuth(token, { audience: serviceDid, method, resolver, clock })
  }

  return [
    {
      method: 'POST',
      path: `/xrpc/${method}`,
      async answer(request) {
        const account = await authorize(request)
        const uris = readUris(await request.body())
        if (account !== null) await checkOwner(context, account, uris)
        return { status: 200, body: await notify(uris) }
      },
    },
  ]
}

interface Allowed {
  readonly secret?: string | undefined
  readonly serviceDid?: string | undefined
}

/** Nobody: null. Everybody: neither of the two. */
function readAccess(access: NotifyAccess): Allowed | null {
  if (access === undefined || access === false) return null
  if (access === true) return {}
  const allowed = typeof access === 'string' ? { secret: access } : access
  if (allowed.secret === undefined && allowed.serviceDid === undefined) return null
  if (allowed.secret?.trim() === '') {
    throw new LexidexError('The secret of `notify` is empty', {
      hint: 'Give it a secret, `true` to let everybody in, or `false` to switch it off.',
    })
  }
  if (allowed.serviceDid !== undefined && !/^did:[a-z]+:\S+$/.test(allowed.serviceDid)) {
    throw new LexidexError(`Not a DID: ${allowed.serviceDid}`, {
      hint: '`serviceDid` of `notify` is the DID of this service, for example did:web:index.example.com.',
    })
  }
  return allowed
}

function unauthorized({ secret, serviceDid }: Allowed): XrpcError {
  const ways = [
    ...(secret === undefined ? [] : ['the secret']),
    ...(serviceDid === undefined ? [] : [`a service auth token for ${serviceDid}`]),
  ]
  return new XrpcError(401, 'unauthorized', `Send ${ways.join(' or ')} as \`Authorization: Bearer …\`.`)
}

function readUris(body: string): readonly string[] {
  const { uri, uris = uri === undefined ? undefined : [uri] } = readObject(body)
  if (!Array.isArray(uris) || uris.length === 0 || !uris.every((item) => typeof item === 'string')) {
    throw invalidRequest('uri or uris required')
  }
  if (uris.length > MAX_URIS) throw invalidRequest(`max ${MAX_URIS} URIs per request`)
  return uris
}

function readObject(body: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    throw invalidRequest('uri or uris required')
  }
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

/** @throws XrpcError 403 where a URI is another account's */
async function checkOwner(context: OperationContext, account: string, uris: readonly string[]): Promise<void> {
  // What is no URI of a record has no owner; `notify` says what is wrong with it.
  const authorities = new Set(uris.flatMap((uri) => parseAtUri(uri)?.authority ?? []))
  for (const authority of authorities) {
    if (authority === account || (await ownerOf(context, authority)) === account) continue
    throw new XrpcError(403, 'Forbidden', `The token is of ${account} and says nothing about records of ${authority}.`)
  }
}

async function ownerOf(context: OperationContext, authority: string): Promise<string | undefined> {
  try {
    return (await findActor(context, authority))?.did
  } catch (error) {
    if (error instanceof ResolveError) return undefined
    throw error
  }
}
