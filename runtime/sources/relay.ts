import { isDid } from '../core/at-uri.ts'
import { nextCursor } from './next-cursor.ts'
import { ServiceError, type XrpcClient } from './xrpc.ts'

const PAGE = 1000

export interface RepoPage {
  readonly dids: readonly string[]
  /** Where the next page begins; null after the last one. */
  readonly cursor: string | null
}

/**
 * DIDs of the accounts that have records of `collection`, as far as the relay knows, page by page to the end.
 *
 * @param cursor where an earlier walk stopped; null to begin
 * @throws ServiceError where a page cannot be had, or the relay leads in a circle
 */
export async function* listReposByCollection(
  xrpc: Pick<XrpcClient, 'get'>,
  relay: string,
  collection: string,
  options: { cursor?: string | null | undefined; signal?: AbortSignal | undefined } = {},
): AsyncGenerator<RepoPage, void> {
  const { signal } = options
  let cursor = options.cursor ?? null
  const visited = new Set(cursor === null ? [] : [cursor])
  do {
    const params = { collection, limit: PAGE, ...(cursor === null ? {} : { cursor }) }
    const body = await xrpc.get(relay, 'com.atproto.sync.listReposByCollection', params, { signal })
    if (!Array.isArray(body.repos)) throw ServiceError.unreadable(relay, 'a page without repos')
    const dids = body.repos.map((repo: { did?: unknown } | null) => repo?.did)
    cursor = nextCursor(relay, body)
    if (cursor !== null && visited.has(cursor)) throw ServiceError.unreadable(relay, `cursor ${cursor} comes again`)
    if (cursor !== null) visited.add(cursor)
    yield { dids: dids.filter((did): did is string => typeof did === 'string' && isDid(did)), cursor }
  } while (cursor !== null)
}
