import { isDid, isHandle } from '../core/at-uri.ts'
import { LexidexError, messageOf } from '../core/errors.ts'
import { type Fetch, FetchError } from '../core/http.ts'
import { type Clock, systemClock } from '../core/time.ts'
import { createGuardedFetch } from './guarded-fetch.ts'
import { createHandleResolver, type TxtLookup } from './handles.ts'
import { Lookups } from './lookups.ts'
import { ResolveError } from './resolve-error.ts'

export { ResolveError } from './resolve-error.ts'

const TTL_MS = 60 * 60_000
/** For what is not there: long enough that asking again and again costs nothing, short enough to be mended. */
const ABSENT_TTL_MS = 60_000
/** Real ones have some kilobytes. */
const MAX_DOCUMENT_BYTES = 500_000
const MAX_WELL_KNOWN_BYTES = 4096
const WELL_KNOWN_TIMEOUT_MS = 5000

export interface Identity {
  readonly did: string
  /** As the DID document states it, not verified: anybody may state any handle. See `Resolver.resolveHandle`. */
  readonly handle: string | null
  /** URL of the account's own PDS. */
  readonly pds: string
  /** What the account's commits and tokens are signed with; null where the document states none. */
  readonly signingKey: SigningKey | null
}

/** A public key as a DID document states it. */
export interface SigningKey {
  /** `Multikey`, or one of the types that older documents have. */
  readonly type: string
  /** The key, as the type has it. */
  readonly multibase: string
}

export interface ResolveOptions {
  /** Asks anew, whatever is cached. Default false. */
  readonly fresh?: boolean | undefined
}

export interface HandleOptions extends ResolveOptions {
  /** URL of the PDS that is said to have the account. It is asked only where it is in `allowHosts`. */
  readonly pds?: string | undefined
}

export interface Resolver {
  /**
   * The account's handle and PDS by its DID document, from a cache: one hour, one minute for what does not exist.
   * Calls for one DID at the same time share a request.
   *
   * @throws ResolveError
   */
  resolve(did: string, options?: ResolveOptions): Promise<Identity>
  /**
   * The DID that the owner of a handle's domain names; null where there is none. A handle is an account's own where
   * this leads to the DID, and the DID's document to the handle. Cached as documents are.
   *
   * @throws ResolveError where it cannot be told for the moment
   */
  resolveHandle(handle: string, options?: HandleOptions): Promise<string | null>
  /** Drops what is cached of a DID, as after an identity event. */
  forget(did: string): void
  /** Closes idle connections. */
  close(): void
}

export interface ResolverOptions {
  /** URL of the PLC directory. The operator chose it, so its address may be any. */
  readonly plc: string
  /** Hosts that the address guard lets pass, as in `createGuardedFetch`. PDSes among them are believed about handles. */
  readonly allowHosts?: readonly string[] | undefined
  /** Replaces how documents are fetched. */
  readonly fetch?: Fetch | undefined
  /** Replaces how TXT records are looked up. Default: the system's name servers. */
  readonly txt?: TxtLookup | undefined
  readonly clock?: Clock | undefined
}

/**
 * Resolves `did:plc` by the directory, `did:web` by the host that it names, and handles as `createHandleResolver`
 * says. All of them lead to hosts that strangers chose, so all requests but those to the directory are guarded.
 */
export function createResolver(options: ResolverOptions): Resolver {
  const { plc, allowHosts = [], clock = systemClock } = options
  const own = options.fetch === undefined ? guardedFetches(plc, allowHosts) : []
  const [fetchPlc = options.fetch!, fetchWeb = options.fetch!, fetchHandle = options.fetch!] = own
  const askHandle = createHandleResolver({ fetch: fetchHandle, allowHosts, txt: options.txt })
  const failureTtlMs = (error: unknown) => (error instanceof ResolveError && error.permanent ? ABSENT_TTL_MS : 0)
  const identities = new Lookups<Identity>({ clock, ttlMs: TTL_MS, failureTtlMs })
  const handles = new Lookups<string>({ clock, ttlMs: TTL_MS, failureTtlMs })

  async function fetchIdentity(did: string): Promise<Identity> {
    const [url, fetch] = did.startsWith('did:plc:') ? [plcUrl(plc, did), fetchPlc] : [webUrl(did), fetchWeb]
    let response: Response
    try {
      response = await fetch(url, { headers: { accept: 'application/did+ld+json, application/json' } })
    } catch (cause) {
      const permanent = cause instanceof FetchError && cause.kind === 'refused'
      throw new ResolveError(permanent, `Cannot resolve ${did}: ${messageOf(cause)}`, { cause })
    }
    const { status } = response
    if (!response.ok) {
      // 410: the directory keeps the DID, its owner has ended it.
      const permanent = status === 404 || status === 410
      throw new ResolveError(permanent, `Cannot resolve ${did}: ${status} from ${new URL(url).host}`, { status })
    }
    try {
      return readDocument(did, await response.json())
    } catch (cause) {
      if (cause instanceof ResolveError) throw cause
      throw new ResolveError(false, `The DID document of ${did} is not JSON`, { cause })
    }
  }

  async function fetchHandleOwner(handle: string, pds: string | undefined): Promise<string> {
    const did = await askHandle(handle, pds)
    // An error, so that it is kept as short as other absences.
    if (did === null) throw new ResolveError(true, `The handle ${handle} leads nowhere`)
    return did
  }

  return {
    resolve(did, { fresh = false } = {}) {
      const load = () => fetchIdentity(did)
      return fresh ? identities.fresh(did, load) : identities.get(did, load)
    },
    async resolveHandle(handle, { fresh = false, pds } = {}) {
      const load = () => fetchHandleOwner(handle, pds)
      // Answers of a PDS hold for it alone.
      const key = `${handle.toLowerCase()} ${pds ?? ''}`
      try {
        return await (fresh ? handles.fresh(key, load) : handles.get(key, load))
      } catch (error) {
        if (error instanceof ResolveError && error.permanent) return null
        throw error
      }
    },
    forget: (did) => identities.forget(did),
    close() {
      for (const fetch of own) fetch.close()
    },
  }
}

/** For the directory, for `did:web` and for handles. */
function guardedFetches(plc: string, allowHosts: readonly string[]) {
  return [
    createGuardedFetch({ allowHosts: [...allowHosts, hostOf(plc)], maxBytes: MAX_DOCUMENT_BYTES }),
    createGuardedFetch({ allowHosts, maxBytes: MAX_DOCUMENT_BYTES }),
    createGuardedFetch({ allowHosts, maxBytes: MAX_WELL_KNOWN_BYTES, timeoutMs: WELL_KNOWN_TIMEOUT_MS }),
  ]
}

function plcUrl(plc: string, did: string): string {
  if (!/^did:plc:[a-z2-7]{24}$/.test(did)) throw new ResolveError(true, `Cannot resolve ${did}: not a DID of PLC`)
  return new URL(`/${did}`, plc).href
}

function hostOf(url: string): string {
  if (!URL.canParse(url)) throw new LexidexError(`Not the URL of a PLC directory: ${url}`)
  return new URL(url).host
}

/** `did:web:host` or `did:web:host%3Aport`; atproto does not allow paths in it. */
function webUrl(did: string): string {
  const match = /^did:web:([a-z0-9.-]+)(?:%3A(\d{1,5}))?$/i.exec(did)
  if (!isDid(did) || match === null) {
    throw new ResolveError(true, `Cannot resolve ${did}: only did:plc and did:web with a plain host are known`)
  }
  const [, host, port] = match
  // For development alone; the guard refuses it unless `allowHosts` has it.
  const scheme = host!.toLowerCase() === 'localhost' ? 'http' : 'https'
  return `${scheme}://${host}${port === undefined ? '' : `:${port}`}/.well-known/did.json`
}

function readDocument(did: string, document: unknown): Identity {
  const doc = document as Partial<Record<'id' | 'alsoKnownAs' | 'service' | 'verificationMethod', unknown>> | null
  if (typeof doc !== 'object' || doc === null || doc.id !== did) {
    throw new ResolveError(false, `The DID document of ${did} is that of another, or none`)
  }
  const pds = list(doc.service).find(isPds)?.serviceEndpoint
  if (pds === undefined) throw new ResolveError(true, `The DID document of ${did} names no PDS`)
  const handle = list(doc.alsoKnownAs)
    .map((name) => (typeof name === 'string' && name.startsWith('at://') ? name.slice(5).toLowerCase() : ''))
    .find(isHandle)
  const key = list(doc.verificationMethod).find((method) => isSigningKey(method, did))
  const signingKey = key === undefined ? null : { type: key.type, multibase: key.publicKeyMultibase }
  return { did, handle: handle ?? null, pds: new URL(pds).origin, signingKey }
}

function isSigningKey(method: any, did: string): method is { type: string; publicKeyMultibase: string } {
  return (
    (method?.id === '#atproto' || method?.id === `${did}#atproto`) &&
    typeof method.type === 'string' &&
    typeof method.publicKeyMultibase === 'string'
  )
}

function isPds(service: any): service is { serviceEndpoint: string } {
  return (
    typeof service?.id === 'string' &&
    service.id.endsWith('#atproto_pds') &&
    service.type === 'AtprotoPersonalDataServer' &&
    typeof service.serviceEndpoint === 'string' &&
    /^https?:\/\//.test(service.serviceEndpoint) &&
    URL.canParse(service.serviceEndpoint)
  )
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
