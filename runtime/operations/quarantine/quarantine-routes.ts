import { parseAtUri } from '../../core/at-uri.ts'
import { invalidRequest, LexidexError } from '../../core/errors.ts'
import type { Route } from '../../core/route.ts'
import type { ForAdmins } from '../admin-access.ts'
import type { OperationContext } from '../context.ts'
import { listQuarantine, type QuarantinedRecord, type RetryQuarantineOptions, retryQuarantine } from './quarantine.ts'

/** Records of a page. */
const DEFAULT_LIMIT = 25
const MAX_LIMIT = 100

/** Longest record that is sent, in characters of JSON: a page of them has to stay within bounds. */
const LONGEST_RECORD = 100_000

export interface QuarantineRoutesOptions {
  readonly namespace: string
  readonly forAdmins: ForAdmins
  readonly context: OperationContext
  /** Resolves once the store can be written to. */
  ready(): Promise<void>
}

/**
 * Records that were refused, for operators:
 *
 * - `GET {ns}.admin.quarantine?collection=&uri=&limit=25&cursor=`: `{ records, cursor? }`, each with its reason, and with
 *   its text as `record`; null where that is longer than 100 000 characters.
 * - `POST {ns}.admin.quarantine/retry?uri=|collection=|all=true`: `{ retried, applied, stillRefused }`.
 */
export function quarantineRoutes({ namespace, forAdmins, context, ready }: QuarantineRoutesOptions): readonly Route[] {
  const path = `/xrpc/${namespace}.admin.quarantine`
  return [
    forAdmins('GET', path, async ({ params }) => {
      const limit = readLimit(params.get('limit'))
      const collection = params.get('collection') || undefined
      const uri = params.get('uri') || undefined
      const after = readCursor(params.get('cursor'))
      // One more than is asked for tells whether there are more.
      const rows = await named(() => listQuarantine(context, { collection, uri, after, limit: limit + 1 }))
      const records = rows.slice(0, limit).map(viewOf)
      return { status: 200, body: rows.length > limit ? { records, cursor: records.at(-1)!.uri } : { records } }
    }),
    forAdmins('POST', `${path}/retry`, async ({ params }) => {
      const which = whichOf(params)
      await ready()
      return { status: 200, body: await named(() => retryQuarantine(context, which)) }
    }),
  ]
}

function readLimit(text: string | null): number {
  if (text === null) return DEFAULT_LIMIT
  if (!/^[1-9]\d{0,5}$/.test(text)) throw invalidRequest('Parameter "limit" must be an integer from 1 to 100.')
  return Math.min(MAX_LIMIT, Number(text))
}

/** The last URI of the page before. */
function readCursor(text: string | null): string | undefined {
  if (text === null || text === '') return undefined
  if (parseAtUri(text) === null) throw invalidRequest('Parameter "cursor" must be the cursor of the page before.')
  return text
}

function whichOf(params: URLSearchParams): RetryQuarantineOptions {
  const uri = params.get('uri')
  const collection = params.get('collection')
  if (uri) {
    if (parseAtUri(uri) === null) throw invalidRequest('Parameter "uri" must be the at-uri of a record.')
    return { uri }
  }
  if (collection) return { collection }
  if (params.get('all') === 'true') return { all: true }
  throw invalidRequest('Say which records: "uri", "collection", or "all=true".')
}

/** An unknown collection is the caller's mistake. */
async function named<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof LexidexError)) throw error
    throw invalidRequest([`${error.message}.`, error.hint].filter(Boolean).join(' '))
  }
}

function viewOf({ record, quarantinedAt, ...rest }: QuarantinedRecord) {
  return {
    ...rest,
    quarantinedAt: new Date(quarantinedAt).toISOString(),
    record: record.length > LONGEST_RECORD ? null : record,
  }
}
