import { LexResolver } from '@atproto/lex-resolver'
import type { LexiconDoc } from '@atproto/lexicon'
import { isValidNsid } from '@atproto/syntax'
import { LexidexError, messageOf } from '../../runtime/core/errors.ts'
import { FetchError } from '../../runtime/core/http.ts'
import { createGuardedFetch, type GuardedFetch } from '../../runtime/identity/guarded-fetch.ts'
import type { TxtLookup } from '../../runtime/identity/handles.ts'
import { readLexicon } from '../input/document.ts'
import { authorityOf, resolveAuthority, txtName } from './authority.ts'
import { cidOf } from './documents.ts'

/** A document as it is published. */
export interface Published {
  readonly doc: LexiconDoc
  /** `at://` URI of its record, or the URL of the service that serves it. */
  readonly uri: string
  readonly cid: string
}

export interface ServedLexicons {
  /** URL of the method `{ns}.lexicons`. */
  readonly url: string
  readonly published: readonly Published[]
  /** What the service serves besides, and has no say in: NSIDs outside of its namespace, and what is no lexicon. */
  readonly refused: readonly string[]
}

/** Where lexicons come from. */
export interface Upstream {
  /**
   * The document of an NSID, from the account that its authority names. The proof that the record is that account's
   * is verified.
   *
   * @throws LexidexError where it is not published, or cannot be reached
   */
  byName(nsid: string): Promise<Published>
  /**
   * The documents that a service serves as `{ns}.lexicons`.
   *
   * @param url of the service, or of that method
   * @param namespace where the service does not say it itself
   * @throws LexidexError where it serves none
   */
  byService(url: string, namespace?: string): Promise<ServedLexicons>
  /** Closes idle connections. */
  close(): void
}

export interface UpstreamOptions {
  /** URL of the PLC directory. */
  readonly plc: string
  /** Hosts that may be fetched from over http and at private addresses, as in the config. */
  readonly allowHosts: readonly string[]
  /** Default: the system's name servers. */
  readonly txt?: TxtLookup | undefined
  readonly signal?: AbortSignal | undefined
}

export function createUpstream({ plc, allowHosts, txt, signal }: UpstreamOptions): Upstream {
  const fetch = createGuardedFetch({ allowHosts: [...allowHosts, new URL(plc).host] })
  const resolver = new LexResolver({
    fetch: standardFetch(fetch),
    plcDirectoryUrl: plc,
    hooks: { onResolveAuthority: async ({ nsid }) => publisherOf(nsid.toString(), txt) },
  })

  return {
    async byName(nsid) {
      try {
        const { uri, cid, lexicon } = await resolver.get(nsid, { noCache: true, ...(signal && { signal }) })
        return { doc: checked(lexicon, nsid), uri: uri.toString(), cid: cid.toString() }
      } catch (error) {
        signal?.throwIfAborted()
        throw error instanceof LexidexError ? error : unresolved(nsid, error)
      }
    },
    async byService(url, namespace) {
      const method = await methodUrl(fetch, url, namespace, signal)
      const answer = (await getJson(fetch, method.url, signal)) as { lexicons?: unknown } | null
      if (!Array.isArray(answer?.lexicons)) {
        throw new LexidexError(`${method.url} answers with no list of lexicons.`, {
          hint: 'Give the URL of an index that serves `{namespace}.lexicons`, and --namespace where it is another.',
        })
      }
      const published: Published[] = []
      const refused: string[] = []
      for (const value of answer.lexicons) {
        const reading = readLexicon(JSON.stringify(value), method.url)
        if (reading.kind !== 'document') refused.push(`${value?.id ?? 'one without an id'}: not a valid lexicon`)
        else if (!reading.doc.id.startsWith(`${method.namespace}.`)) refused.push(`${reading.doc.id}: of others`)
        else published.push({ doc: reading.doc, uri: method.url, cid: await cidOf(reading.doc) })
      }
      return { url: method.url, published, refused }
    },
    close: () => fetch.close(),
  }
}

async function publisherOf(nsid: string, txt: TxtLookup | undefined): Promise<`did:${string}:${string}`> {
  const authority = authorityOf(nsid)
  const did = await resolveAuthority(authority, txt)
  if (did !== null) return did as `did:${string}:${string}`
  throw new LexidexError(`${nsid} is not published: there is no TXT record ${txtName(authority)}.`, {
    hint: 'Correct the name, or copy the document into the directory by hand.',
  })
}

/** The resolver has held it to its own idea of a lexicon; `generate` has another. */
function checked(lexicon: unknown, nsid: string): LexiconDoc {
  const reading = readLexicon(JSON.stringify(lexicon), `${nsid}.json`)
  if (reading.kind === 'document') return reading.doc
  throw new LexidexError(`${nsid} cannot be used: ${reading.kind === 'problem' ? reading.message : 'not a lexicon'}`, {
    hint: 'Its owner has to mend it; a corrected copy in the directory is used as it is.',
  })
}

function unresolved(nsid: string, error: unknown): LexidexError {
  const chain: Error[] = []
  for (let at = error; at instanceof Error; at = at.cause) chain.push(at)
  const reasons = chain.map(({ message }) => message.replace(` (${nsid})`, ''))
  if (reasons.some((reason) => /record not found|could not locate record/i.test(reason))) {
    return new LexidexError(`${nsid} is not published: its authority's account has no such record.`, {
      hint: 'Correct the name, or ask its owner to publish it.',
      cause: error,
    })
  }
  const isRefused = chain.some((at) => at instanceof FetchError && at.kind === 'refused')
  return new LexidexError([...new Set([reasons[0] ?? messageOf(error), reasons.at(-1)])].join(': '), {
    hint: isRefused
      ? 'If the host is your own, name it in `allowHosts` of the config, or by --allow-host.'
      : 'Try again later, or ask its owner.',
    cause: error,
  })
}

/** A service says its namespace at `/`, unless its URL does. */
async function methodUrl(fetch: GuardedFetch, url: string, namespace: string | undefined, signal?: AbortSignal) {
  if (!URL.canParse(url)) throw new LexidexError(`Not a URL: ${url}`, { hint: 'Such as https://index.example.com.' })
  const stated = /^(.*)\/xrpc\/([^/?]+)\.lexicons$/.exec(url)
  const base = (stated?.[1] ?? url).replace(/\/+$/, '')
  const found =
    namespace ?? stated?.[2] ?? (await getJson(fetch, `${base}/`, signal).then(namespaceOf, () => undefined))
  if (found === undefined || !isValidNsid(`${found}.lexicons`)) {
    throw new LexidexError(`${base} does not say what its namespace is.`, {
      hint: 'Name it by --namespace, such as --namespace com.example.',
    })
  }
  return { url: `${base}/xrpc/${found}.lexicons`, namespace: found }
}

function namespaceOf(overview: unknown): string | undefined {
  const { namespace } = (overview ?? {}) as { namespace?: unknown }
  return typeof namespace === 'string' ? namespace : undefined
}

async function getJson(fetch: GuardedFetch, url: string, signal: AbortSignal | undefined): Promise<unknown> {
  const response = await fetch(url, { signal, headers: { accept: 'application/json' } })
  if (!response.ok) throw new LexidexError(`${url} answers ${response.status}.`, { hint: 'Check the URL.' })
  try {
    return await response.json()
  } catch (cause) {
    throw new LexidexError(`${url} does not answer with JSON.`, { hint: 'Check the URL.', cause })
  }
}

/** The guarded fetch as the SDK calls it. It only ever GETs. */
function standardFetch(guarded: GuardedFetch): typeof globalThis.fetch {
  return async (input, init) => {
    const request = new Request(input, init)
    return guarded(request.url, { signal: request.signal, headers: Object.fromEntries(request.headers) })
  }
}
