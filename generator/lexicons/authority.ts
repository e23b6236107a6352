import { resolveTxt } from 'node:dns/promises'
import { NSID } from '@atproto/syntax'
import { isDid } from '../../runtime/core/at-uri.ts'
import { LexidexError, messageOf } from '../../runtime/core/errors.ts'
import type { TxtLookup } from '../../runtime/identity/handles.ts'

/** A name that has no record: nobody has claimed it, as far as DNS tells. */
const ABSENT = ['ENOTFOUND', 'ENODATA']

/** The domain whose owner publishes an NSID: `event.example.com` of `com.example.event.listRecords`. */
export function authorityOf(nsid: string): string {
  return NSID.parse(nsid).authority
}

/** The name of the TXT record that says who publishes the lexicons of an authority. */
export function txtName(authority: string): string {
  return `_lexicon.${authority}`
}

/**
 * The DID that publishes the lexicons of an authority, by its TXT record; null where it has none.
 *
 * @throws LexidexError where the record names no DID or several, or DNS does not answer
 */
export async function resolveAuthority(authority: string, txt: TxtLookup = resolveTxt): Promise<string | null> {
  const name = txtName(authority)
  let records: readonly (readonly string[])[]
  try {
    records = await txt(name)
  } catch (cause) {
    if (ABSENT.includes((cause as { code?: string }).code ?? '')) return null
    throw new LexidexError(`Cannot look up ${name}: ${messageOf(cause)}`, {
      hint: 'Check the connection and the name servers, and try again.',
      cause,
    })
  }
  const dids = records.map((parts) => parts.join('')).filter((text) => text.startsWith('did='))
  if (dids.length === 0) return null
  const did = dids[0]!.slice('did='.length)
  if (dids.length > 1 || !isDid(did)) {
    throw new LexidexError(`The TXT record ${name} ${dids.length > 1 ? 'names several DIDs' : 'names no DID'}.`, {
      hint: 'Its owner has to mend it: one `did=did:…`.',
    })
  }
  return did
}
