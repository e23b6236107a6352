import { platform } from '#platform'
import { isDid, isHandle } from '../core/at-uri.ts'
import { messageOf } from '../core/errors.ts'
import { type Fetch, FetchError } from '../core/http.ts'
import { createAllowList } from './allow-list.ts'
import { ResolveError } from './resolve-error.ts'

/** TXT records of a name, each in its parts. Rejects as `dns.promises.resolveTxt` does, with a `code`. */
export type TxtLookup = (name: string) => Promise<readonly (readonly string[])[]>

export interface HandleOptions {
  /** For `/.well-known/atproto-did`, and for PDSes in `allowHosts`. */
  readonly fetch: Fetch
  /** Hosts that the operator vouches for. A PDS among them is believed about handles. */
  readonly allowHosts: readonly string[]
  /** Default: the system's name servers. */
  readonly txt?: TxtLookup | undefined
}

/**
 * The DID that a handle leads to, and null where it leads nowhere. `pds` is the host that may know it.
 *
 * @throws ResolveError where it cannot be told for the moment
 */
export type ResolveHandle = (handle: string, pds?: string) => Promise<string | null>

/** Names that never lead anywhere on the public internet. @see https://atproto.com/specs/handle */
const RESERVED = /\.(alt|arpa|example|internal|invalid|local|localhost|onion|test)$/

/**
 * Asks in this order, and takes the first DID that is named:
 *
 * 1. the TXT record `_atproto.<handle>`: `did=…`, where it is the only one of its kind;
 * 2. `https://<handle>/.well-known/atproto-did`;
 * 3. `com.atproto.identity.resolveHandle` of the account's own PDS, where that is in `allowHosts`: development and
 *    private networks have handles that the internet does not know. The PDS of a stranger is never asked, since it
 *    could claim any handle for its accounts.
 *
 * Names that the internet cannot know (`.test`, `.internal`, …) go to the third at once.
 */
export function createHandleResolver({
  fetch,
  allowHosts,
  txt = platform.createTxtLookup(),
}: HandleOptions): ResolveHandle {
  const allowed = createAllowList(allowHosts)
  const vouchedFor = (pds: string | undefined): pds is string =>
    pds !== undefined && URL.canParse(pds) && allowed.has(new URL(pds))

  return async (name, pds) => {
    const handle = name.toLowerCase()
    if (!isHandle(handle)) return null
    const ways: (() => Promise<string | null>)[] = []
    if (!RESERVED.test(handle))
      ways.push(
        () => byTxt(handle, txt),
        () => byWellKnown(handle, fetch),
      )
    if (vouchedFor(pds)) ways.push(() => byPds(handle, pds, fetch))
    let failure: unknown = null
    for (const way of ways) {
      try {
        const did = await way()
        if (did !== null) return did
      } catch (error) {
        failure ??= error
      }
    }
    if (failure === null) return null
    throw new ResolveError(false, `Cannot resolve the handle ${handle}: ${messageOf(failure)}`, { cause: failure })
  }
}

/** Codes of answers that say "there is none", beside those of name servers that do not answer. */
const NO_RECORD = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME'])

async function byTxt(handle: string, txt: TxtLookup): Promise<string | null> {
  let records: readonly (readonly string[])[]
  try {
    records = await txt(`_atproto.${handle}`)
  } catch (error) {
    if (NO_RECORD.has(String((error as NodeJS.ErrnoException).code))) return null
    throw error
  }
  const dids = records.map((parts) => parts.join('')).filter((text) => text.startsWith('did='))
  // Two of them contradict each other, and neither counts.
  return dids.length === 1 ? didOf(dids[0]!.slice('did='.length)) : null
}

async function byWellKnown(handle: string, fetch: Fetch): Promise<string | null> {
  let response: Response
  try {
    response = await fetch(`https://${handle}/.well-known/atproto-did`, { headers: { accept: 'text/plain' } })
  } catch (error) {
    if (saysNothing(error)) return null
    throw error
  }
  if (response.status >= 500 || response.status === 429) throw new Error(`${response.status} from ${handle}`)
  return response.ok ? didOf((await response.text()).trim()) : null
}

/** A host that our rules refuse, that sends a flood, or that has no address names no DID. */
function saysNothing(error: unknown): boolean {
  if (!(error instanceof FetchError)) return false
  if (error.kind === 'refused' || error.kind === 'too-large') return true
  return (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOTFOUND'
}

async function byPds(handle: string, pds: string, fetch: Fetch): Promise<string | null> {
  const url = new URL('/xrpc/com.atproto.identity.resolveHandle', pds)
  url.searchParams.set('handle', handle)
  const response = await fetch(url.href, { headers: { accept: 'application/json' } })
  if (response.status >= 500 || response.status === 429) throw new Error(`${response.status} from ${url.host}`)
  if (!response.ok) return null
  const body = (await response.json()) as { did?: unknown } | null
  return typeof body?.did === 'string' ? didOf(body.did) : null
}

function didOf(text: string): string | null {
  return isDid(text) ? text : null
}
