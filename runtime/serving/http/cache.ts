import type { App } from '../../app.ts'
import type { MaybePromise, Store, Versions } from '../../storage/store.ts'
import type { Answered } from '../shared/answer.ts'
import { fingerprint } from '../shared/cursor.ts'
import { KEPT_HEADERS, type ServedRequest, type ServedResponse } from './messages.ts'
import { hasTag } from './tags.ts'

export interface CacheOptions {
  /** Most memory for answers, in bytes. Default 64 MB; 0 keeps none, and sends tags all the same. */
  readonly maxBytes?: number | undefined
}

const DEFAULT_BYTES = 64 * 1024 * 1024
const MAX_ENTRIES = 20_000
/** What an entry takes besides its body and URL, about. */
const OVERHEAD = 500
/** URLs that are remembered as asked for. A power of two. */
const REMEMBERED = 8192

interface Entry {
  readonly body: Uint8Array
  readonly headers: Readonly<Record<string, string>>
  readonly reads: readonly string[]
  /** Of the tables that were read, in the same order. */
  readonly versions: readonly number[]
  readonly size: number
}

/** What was known before an answer was put together. */
export interface Before {
  readonly response: ServedResponse | null
  readonly versions: Versions | null
}

/**
 * Whole answers, kept in memory until something is written to a table that they were read from, by whatever process.
 * The versions of tables are asked for with each request: there is no time in which an answer is stale.
 *
 * An answer is kept from the second time on that its URL is asked for: what is asked for once takes no room.
 */
export class AnswerCache {
  readonly #store: Store
  readonly #maxBytes: number
  /** In front of every tag: what makes the same rows another answer. */
  readonly #app: string
  /** The one that was used last is the last one. */
  readonly #entries = new Map<string, Entry>()
  readonly #asked = new Uint32Array(REMEMBERED)
  readonly #encoder = new TextEncoder()
  #bytes = 0

  constructor(store: Store, app: Pick<App, 'lexicons'>, { maxBytes = DEFAULT_BYTES }: CacheOptions = {}) {
    this.#store = store
    this.#maxBytes = maxBytes
    this.#app = fingerprint(JSON.stringify(app.lexicons)).toString(36)
  }

  /** Bytes that are taken, about. */
  get bytes(): number {
    return this.#bytes
  }

  /** Looks for an answer that still holds. Call it before anything is read for a new one. */
  before(request: ServedRequest): MaybePromise<Before> {
    const versions = this.#store.versions?.() ?? null
    return versions instanceof Promise
      ? versions.then((read) => this.#before(request, read))
      : this.#before(request, versions)
  }

  #before(request: ServedRequest, versions: Versions | null): Before {
    const entry = this.#entries.get(request.url)
    if (entry === undefined || versions === null) return { response: null, versions }
    if (!entry.reads.every((table, i) => versions.get(table) === entry.versions[i])) {
      this.#drop(request.url, entry)
      return { response: null, versions }
    }
    // A map keeps the order of insertion: the first entry is the one to go.
    this.#entries.delete(request.url)
    this.#entries.set(request.url, entry)
    return { response: conditional(request, entry), versions }
  }

  /** The response of a new answer, which is kept where that is worth it. */
  after(request: ServedRequest, { versions }: Before, { body, reads }: Answered): ServedResponse | null {
    const read = reads === null ? null : versionsOf(reads, versions)
    if (read === null) return null
    const etag = `W/"${[this.#app, ...read.map((version) => version.toString(36))].join('.')}"`
    const headers = { ...KEPT_HEADERS, etag }
    if (this.#maxBytes > 0 && this.#wasAsked(request.url)) {
      const bytes = typeof body === 'string' ? this.#encoder.encode(body) : body
      this.#keep(request.url, headers, bytes, reads!, read)
      return conditional(request, { headers, body: bytes })
    }
    return conditional(request, { headers, body })
  }

  #wasAsked(url: string): boolean {
    const hash = fingerprint(url)
    const place = hash & (REMEMBERED - 1)
    if (this.#asked[place] === hash) return true
    this.#asked[place] = hash
    return false
  }

  #keep(
    url: string,
    headers: Entry['headers'],
    body: Uint8Array,
    reads: readonly string[],
    versions: readonly number[],
  ): void {
    const size = body.byteLength + 2 * url.length + OVERHEAD
    // One answer must not push out all others.
    if (size > this.#maxBytes / 8) return
    const before = this.#entries.get(url)
    if (before !== undefined) this.#drop(url, before)
    this.#entries.set(url, { body, headers, reads, versions, size })
    this.#bytes += size
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes <= this.#maxBytes && this.#entries.size <= MAX_ENTRIES) break
      this.#drop(oldest, entry)
    }
  }

  #drop(url: string, { size }: Entry): void {
    this.#entries.delete(url)
    this.#bytes -= size
  }
}

/** Null where there is no telling about one of them. */
function versionsOf(reads: readonly string[], versions: Versions | null): number[] | null {
  const found: number[] = []
  for (const table of reads) {
    const version = versions?.get(table)
    if (version === undefined) return null
    found.push(version)
  }
  return found
}

/** 304 where the client has the same. */
function conditional(
  request: ServedRequest,
  { headers, body }: Pick<ServedResponse, 'headers' | 'body'>,
): ServedResponse {
  const wanted = request.headers.get('if-none-match')
  if (wanted && hasTag(wanted, headers.etag!)) return { status: 304, headers: notModified(headers), body: '' }
  return { status: 200, headers, body }
}

function notModified({ 'content-type': _, ...headers }: Readonly<Record<string, string>>): Record<string, string> {
  return headers
}
