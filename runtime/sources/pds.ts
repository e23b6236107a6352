import { parseAtUri } from '../core/at-uri.ts'
import { isTid } from '../core/tid.ts'
import { nextCursor } from './next-cursor.ts'
import { ServiceError, type XrpcClient, type XrpcOptions, type XrpcParams } from './xrpc.ts'

/** Records per page, and what is asked for instead after an answer that was too large to read. */
const LIMITS = [100, 25, 5, 1]
/** A listing of more pages than this (five million records) has no end. */
const MAX_PAGES = 50_000
/** So many pages in a row without a record have no end either. */
const MAX_EMPTY = 1000

export interface ListedRecord {
  readonly rkey: string
  readonly cid: string
  /** The record as parsed JSON. */
  readonly value: unknown
}

export interface RecordPage {
  readonly records: readonly ListedRecord[]
  /** Entries that are no records of this account and collection, as JSON text. */
  readonly strays: readonly string[]
  /** Where the next page begins; null after the last one. */
  readonly cursor: string | null
}

/** What a host says of an account that it has, or had. */
export interface RepoStatus {
  readonly active: boolean
  /** `deactivated`, `suspended`, `takendown`, `deleted`, … where the host gives a reason. */
  readonly status: string | null
}

export interface PdsClient {
  /**
   * A host that does not know this method is asked for the latest commit instead, whose errors say the same.
   *
   * @throws ServiceError `repo-not-found`, …; never `inactive`
   */
  getRepoStatus(pds: string, did: string, options?: XrpcOptions): Promise<RepoStatus>
  /** @throws ServiceError `repo-not-found`, `inactive`, … */
  getLatestCommit(pds: string, did: string, options?: XrpcOptions): Promise<{ cid: string; rev: string }>
  /**
   * NSIDs of the collections that an account has records in.
   *
   * @throws ServiceError `repo-not-found`, `inactive`, …
   */
  getCollections(pds: string, did: string, options?: XrpcOptions): Promise<readonly string[]>
  /** @throws ServiceError `record-not-found`, `repo-not-found`, … */
  getRecord(
    pds: string,
    record: { did: string; collection: string; rkey: string },
    options?: XrpcOptions,
  ): Promise<ListedRecord>
  /**
   * Pages of one account's records in one collection, to the listing's true end. Pages may be empty.
   *
   * @param listing.cursor where an earlier walk stopped; null to begin
   * @throws ServiceError where a page cannot be had, and where the listing leads in a circle or has no end
   */
  listRecords(
    pds: string,
    listing: { did: string; collection: string; cursor?: string | null | undefined },
    options?: XrpcOptions,
  ): AsyncGenerator<RecordPage, void>
}

/** Reads accounts at their own PDS. */
export function createPdsClient(xrpc: Pick<XrpcClient, 'get'>): PdsClient {
  async function page(pds: string, params: XrpcParams, options?: XrpcOptions): Promise<Record<string, any>> {
    for (const limit of LIMITS) {
      try {
        return await xrpc.get(pds, 'com.atproto.repo.listRecords', { ...params, limit }, options)
      } catch (error) {
        if (!(error instanceof ServiceError && error.kind === 'too-large')) throw error
        if (limit === LIMITS.at(-1)) throw new ServiceError('permanent', error.message, { cause: error })
      }
    }
    throw new Error('unreachable')
  }

  async function latestCommit(pds: string, did: string, options?: XrpcOptions): Promise<{ cid: string; rev: string }> {
    const { cid, rev } = await xrpc.get(pds, 'com.atproto.sync.getLatestCommit', { did }, options)
    if (typeof cid !== 'string' || typeof rev !== 'string' || !isTid(rev)) {
      throw ServiceError.unreadable(pds, `a latest commit of ${did} without cid or rev`)
    }
    return { cid, rev }
  }

  async function repoStatus(pds: string, did: string, options?: XrpcOptions): Promise<RepoStatus> {
    const body = await xrpc.get(pds, 'com.atproto.sync.getRepoStatus', { did }, options)
    if (typeof body.active !== 'boolean') throw ServiceError.unreadable(pds, `a status of ${did} without active`)
    return { active: body.active, status: typeof body.status === 'string' ? body.status : null }
  }

  return {
    async getRepoStatus(pds, did, options) {
      try {
        return await repoStatus(pds, did, options).catch(async (error) => {
          if (!(error instanceof ServiceError && error.kind === 'permanent')) throw error
          await latestCommit(pds, did, options)
          return { active: true, status: null }
        })
      } catch (error) {
        if (!(error instanceof ServiceError && error.kind === 'inactive')) throw error
        return { active: false, status: INACTIVE[error.error ?? ''] ?? null }
      }
    },

    getLatestCommit: latestCommit,

    async getCollections(pds, did, options) {
      const { collections } = await xrpc.get(pds, 'com.atproto.repo.describeRepo', { repo: did }, options)
      if (!Array.isArray(collections)) throw ServiceError.unreadable(pds, `a description of ${did} without collections`)
      return collections.filter((nsid) => typeof nsid === 'string')
    },

    async getRecord(pds, { did, collection, rkey }, options) {
      const params = { repo: did, collection, rkey }
      const { cid, value } = await xrpc.get(pds, 'com.atproto.repo.getRecord', params, options)
      if (typeof cid !== 'string' || value === undefined) {
        throw ServiceError.unreadable(pds, `at://${did}/${collection}/${rkey} without cid or value`)
      }
      return { rkey, cid, value }
    },

    async *listRecords(pds, { did, collection, ...listing }, options) {
      let cursor = listing.cursor ?? null
      const visited = new Set(cursor === null ? [] : [cursor])
      let empty = 0
      for (;;) {
        const params = { repo: did, collection, ...(cursor === null ? {} : { cursor }) }
        const body = await page(pds, params, options)
        if (!Array.isArray(body.records)) throw ServiceError.unreadable(pds, 'a page without records')
        cursor = nextCursor(pds, body)
        empty = body.records.length === 0 ? empty + 1 : 0
        yield { ...sortOut(body.records, did, collection), cursor }
        if (cursor === null) return
        const what = `the listing of ${did} ${collection}`
        if (visited.has(cursor)) throw ServiceError.unreadable(pds, `cursor ${cursor} again in ${what}`)
        if (visited.add(cursor).size > MAX_PAGES || empty > MAX_EMPTY) {
          throw new ServiceError('permanent', `${pds}: ${what} has no end`)
        }
      }
    },
  }
}

/** Account statuses by the error that stands for them. */
const INACTIVE: Readonly<Record<string, string>> = {
  RepoDeactivated: 'deactivated',
  RepoSuspended: 'suspended',
  RepoTakendown: 'takendown',
}

/** A host may name any URI in its answers; only records of the account that was asked for are taken. */
function sortOut(entries: readonly any[], did: string, collection: string): Omit<RecordPage, 'cursor'> {
  const records: ListedRecord[] = []
  const strays: string[] = []
  for (const entry of entries) {
    const uri = typeof entry?.uri === 'string' ? parseAtUri(entry.uri) : null
    const own = uri !== null && uri.authority === did && uri.collection === collection
    if (own && typeof entry.cid === 'string' && entry.value !== undefined) {
      records.push({ rkey: uri.rkey, cid: entry.cid, value: entry.value })
    } else {
      strays.push(JSON.stringify(entry))
    }
  }
  return { records, strays }
}
