import { isDid, isHandle } from '../core/at-uri.ts'
import { LexidexError, messageOf } from '../core/errors.ts'
import { type Fetch, FetchError } from '../core/http.ts'
import { type Clock, systemClock } from '../core/time.ts'
import { createGuardedFetch } from './guarded-fetch.ts'

const TTL_MS = 60 * 60_000
const MAX_ENTRIES = 10_000

export interface Identity {
  readonly did: string
  /** As the DID document states it. Not verified: whether the handle leads back to the DID is not looked at yet. */
  readonly handle: string | null
  /** URL of the account's own PDS. */
  readonly pds: string
}

export interface Resolver {
  /**
   * The account's handle and PDS by its DID document, from a cache of one hour. Calls for one DID at the same time
   * share a request.
   *
   * @throws ResolveError
   */
  resolve(did: string): Promise<Identity>
  /** Drops what is cached of a DID, as after an identity event. */
  forget(did: string): void
  /** Closes idle connections. */
  close(): void
}

/** A DID document that cannot be had or used. */
export class ResolveError extends LexidexError {
  /** Whether asking again later is of no use. */
  readonly permanent: boolean

  constructor(permanent: boolean, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'ResolveError'
    this.permanent = permanent
  }
}

export interface ResolverOptions {
  /** URL of the PLC directory. The operator chose it, so its address may be any. */
  readonly plc: string
  /** Hosts that the address guard lets pass, as in `createGuardedFetch`. */
  readonly allowHosts?: readonly string[] | undefined
  /** Replaces how documents are fetched. */
  readonly fetch?: Fetch | undefined
  readonly clock?: Clock | undefined
}

/** Resolves `did:plc` by the directory and `did:web` by the host that it names. */
export function createResolver(options: ResolverOptions): Resolver {
  const { plc, allowHosts = [], clock = systemClock } = options
  const own = options.fetch === undefined ? [guard([...allowHosts, hostOf(plc)]), guard(allowHosts)] : []
  const [fetchPlc = options.fetch!, fetchWeb = options.fetch!] = own
  const cache = new Map<string, { identity: Identity; until: number }>()
  const running = new Map<string, Promise<Identity>>()

  async function fetchDocument(did: string): Promise<unknown> {
    const [url, fetch] = did.startsWith('did:plc:') ? [new URL(`/${did}`, plc).href, fetchPlc] : [webUrl(did), fetchWeb]
    let response: Response
    try {
      response = await fetch(url, { headers: { accept: 'application/did+ld+json, application/json' } })
    } catch (error) {
      const permanent = error instanceof FetchError && error.kind === 'refused'
      throw new ResolveError(permanent, `Cannot resolve ${did}: ${messageOf(error)}`, error)
    }
    if (!response.ok) {
      // 410: the directory keeps the DID, its owner has ended it.
      const permanent = response.status === 404 || response.status === 410
      throw new ResolveError(permanent, `Cannot resolve ${did}: ${response.status} from ${new URL(url).host}`)
    }
    try {
      return await response.json()
    } catch (cause) {
      throw new ResolveError(false, `The DID document of ${did} is not JSON`, cause)
    }
  }

  function remember(identity: Identity): void {
    cache.delete(identity.did)
    cache.set(identity.did, { identity, until: clock.now() + TTL_MS })
    // A Map keeps the order of insertion: the first is the oldest.
    if (cache.size > MAX_ENTRIES) cache.delete(cache.keys().next().value!)
  }

  return {
    async resolve(did) {
      const cached = cache.get(did)
      if (cached !== undefined && cached.until > clock.now()) return cached.identity
      const shared = running.get(did)
      if (shared !== undefined) return shared
      const started = fetchDocument(did).then((document) => readDocument(did, document))
      running.set(did, started)
      try {
        const identity = await started
        // Otherwise it was forgotten meanwhile, and may be out of date.
        if (running.get(did) === started) remember(identity)
        return identity
      } finally {
        if (running.get(did) === started) running.delete(did)
      }
    },
    forget(did) {
      cache.delete(did)
      running.delete(did)
    },
    close() {
      for (const fetch of own) fetch.close()
    },
  }
}

const guard = (allowHosts: readonly string[]) => createGuardedFetch({ allowHosts })

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
  const doc = document as { id?: unknown; alsoKnownAs?: unknown; service?: unknown } | null
  if (typeof doc !== 'object' || doc === null || doc.id !== did) {
    throw new ResolveError(false, `The DID document of ${did} is that of another, or none`)
  }
  const pds = list(doc.service).find(isPds)?.serviceEndpoint
  if (pds === undefined) throw new ResolveError(true, `The DID document of ${did} names no PDS`)
  const handle = list(doc.alsoKnownAs)
    .map((name) => (typeof name === 'string' && name.startsWith('at://') ? name.slice(5).toLowerCase() : ''))
    .find(isHandle)
  return { did, handle: handle ?? null, pds: new URL(pds).origin }
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
