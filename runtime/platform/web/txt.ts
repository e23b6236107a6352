import { messageOf } from '../../core/errors.ts'

/** DNS over HTTPS with answers in JSON. */
const RESOLVER = 'https://cloudflare-dns.com/dns-query'
const TIMEOUT_MS = 5000
/** Type of TXT records. */
const TXT = 16
const NO_ERROR = 0
const NO_SUCH_NAME = 3

/**
 * TXT records of a name, each in its parts.
 *
 * @see https://developers.cloudflare.com/1.1.1.1/encryption/dns-over-https/make-api-requests/dns-json/
 */
export async function lookUpTxt(name: string): Promise<readonly (readonly string[])[]> {
  const url = new URL(RESOLVER)
  url.searchParams.set('name', name)
  url.searchParams.set('type', 'TXT')
  const { Status, Answer = [] } = await ask(url)
  if (Status === NO_SUCH_NAME) throw noRecord('ENOTFOUND', name)
  if (Status !== NO_ERROR) throw new Error(`TXT records of ${name}: the name servers answer with code ${Status}`)
  const records = Answer.filter(({ type }) => type === TXT).map(({ data }) => partsOf(data))
  if (records.length === 0) throw noRecord('ENODATA', name)
  return records
}

interface DnsAnswer {
  readonly Status: number
  readonly Answer?: readonly { readonly type: number; readonly data: string }[]
}

async function ask(url: URL): Promise<DnsAnswer> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const response = await fetch(url, { headers: { accept: 'application/dns-json' }, signal })
    if (!response.ok) throw new Error(`status ${response.status}`)
    return (await response.json()) as DnsAnswer
  } catch (cause) {
    throw new Error(`DNS over HTTPS does not answer: ${messageOf(cause)}`, { cause })
  }
}

/** Parts come in quotes, with a backslash in front of quotes and backslashes of theirs. */
export function partsOf(data: string): readonly string[] {
  const quoted = data.match(/"(?:[^"\\]|\\.)*"/gs)
  if (quoted === null) return [data]
  return quoted.map((part) => part.slice(1, -1).replace(/\\(.)/gs, '$1'))
}

function noRecord(code: 'ENOTFOUND' | 'ENODATA', name: string): Error {
  return Object.assign(new Error(`${name} has no TXT record`), { code })
}
