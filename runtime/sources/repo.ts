import { BytesWrapper, CidLinkWrapper, decode, encode } from '@atcute/cbor'
import { messageOf } from '../core/errors.ts'
import { Slots } from '../core/slots.ts'
import { isTid } from '../core/tid.ts'
import { sleep } from './backoff.ts'
import { type BlockId, cidText, idOf } from './block-id.ts'
import { CarReader } from './car.ts'
import { type Leaf, leaves } from './mst.ts'
import { readRecordBlock } from './record-block.ts'
import { RepoBlocks } from './repo-blocks.ts'
import { ServiceError, type XrpcClient } from './xrpc.ts'

/** Bytes of an archive. */
const MAX_ARCHIVE = 1_000_000_000
/** ms for an archive, and between two pieces of it. */
const MAX_MS = 15 * 60_000
const IDLE_MS = 30_000
/** Bytes held of one repo: its tree, and the records that are wanted. */
const MAX_HELD = 256_000_000
/** Repos of which more than this is held come one at a time, so that many accounts at once do not add up. */
const LARGE = 16_000_000
const largeRepos = new Slots(1)
/** Records of the tree that are looked at before others get their turn. */
const TURN = 5000

export interface RepoOptions {
  /** NSIDs of the collections whose records are wanted. */
  readonly collections: readonly string[]
  /** Bytes of the archive. Default 1 GB. */
  readonly maxBytes?: number | undefined
  /** Whether the account's key has made a signature of a commit. Default: not asked. */
  readonly verifySignature?: ((signed: Uint8Array, signature: Uint8Array) => boolean) | undefined
  readonly signal?: AbortSignal | undefined
}

/** A repo at one revision, complete in the collections that were asked for. */
export interface Repo {
  readonly did: string
  /** Revision of the commit. What is in no collection of this repo did not exist at that time. */
  readonly rev: string
  /** Version of the repo format. */
  readonly version: number
  /** CID of the commit. */
  readonly commit: string
  /** Records of one of the collections that were asked for, in the order of their keys. */
  records(collection: string): Generator<RepoRecord, void>
}

export interface RepoRecord {
  readonly collection: string
  readonly rkey: string
  readonly cid: string
  /**
   * The record as JSON, in the form and order that the PDS's own `listRecords` gives. Where its bytes cannot be read, a
   * string that says why: the record exists, and is for admission to refuse.
   */
  readonly value: unknown
}

/**
 * Fetches an account's whole repo from its PDS in one archive, and gives it to `use` once it has proved complete: the
 * commit is of this account, every node of the tree is there with its keys in order, and so is every record of the
 * wanted collections. Blocks are held only as long as `use` takes, and of other collections hardly any are.
 *
 * A record of a wanted collection that claims another type is told from a record of another collection only by the
 * tree; where there is one, the archive is fetched twice.
 *
 * @throws ServiceError: `incomplete` where something is missing or wrong, `too-large`, `repo-not-found`, `inactive`, …;
 * what `use` throws
 */
export async function fetchRepo<T>(
  xrpc: Pick<XrpcClient, 'download'>,
  pds: string,
  did: string,
  options: RepoOptions,
  use: (repo: Repo) => Promise<T>,
): Promise<T> {
  const { collections, signal, maxBytes = MAX_ARCHIVE } = options
  let isLarge = false

  const download = <R>(read: (body: AsyncIterable<Uint8Array>) => Promise<R>) =>
    xrpc.download(pds, 'com.atproto.sync.getRepo', { did }, read, {
      accept: 'application/vnd.ipld.car',
      signal,
      maxBytes,
      idleMs: IDLE_MS,
      maxMs: MAX_MS,
    })

  /** @returns the archive's first root */
  async function fill(
    blocks: RepoBlocks,
    body: AsyncIterable<Uint8Array>,
    only?: ReadonlySet<BlockId>,
  ): Promise<BlockId> {
    let root: BlockId | undefined
    const reader = new CarReader({
      roots: (roots) => {
        root = roots[0]
      },
      block: (cid, bytes) => blocks.add(cid, bytes, only),
    })
    for await (const piece of body) {
      asIncomplete(pds, did, () => reader.push(piece))
      if (blocks.size > MAX_HELD) throw new ServiceError('too-large', `${pds}: the repo of ${did} is too large to hold`)
      if (blocks.size > LARGE && !isLarge) {
        await largeRepos.acquire(signal)
        isLarge = true
      }
    }
    asIncomplete(pds, did, () => reader.end())
    if (root === undefined) throw incomplete(pds, did, 'the archive has no root')
    return root
  }

  try {
    const { blocks, root } = await download(async (body) => {
      const blocks = new RepoBlocks(collections)
      return { blocks, root: await fill(blocks, body) }
    })
    const { data, ...head } = asIncomplete(pds, did, () => readCommit(blocks.read(root), did, options))
    const { wanted, missing } = await walk(blocks, data, collections).catch((error) => {
      throw incomplete(pds, did, messageOf(error))
    })
    // The second archive may be of a later rev; a CID means the same in both.
    if (missing.size > 0 && blocks.dropped > 0) await download((body) => fill(blocks, body, new Set(missing.keys())))
    for (const [id, key] of missing) {
      if (!blocks.has(id)) throw incomplete(pds, did, `record ${key} is missing`)
    }
    return await use({
      ...head,
      commit: cidText(root),
      *records(collection) {
        for (const leaf of wanted.get(collection) ?? []) yield readRecord(blocks, leaf)
      },
    })
  } finally {
    if (isLarge) largeRepos.release()
  }
}

/** Walks the whole tree. @returns the records of each collection; the keys of those that are not there */
async function walk(
  blocks: RepoBlocks,
  root: BlockId,
  collections: readonly string[],
): Promise<{ wanted: ReadonlyMap<string, readonly Leaf[]>; missing: ReadonlyMap<BlockId, string> }> {
  const wanted = new Map<string, Leaf[]>(collections.map((collection) => [collection, []]))
  const missing = new Map<BlockId, string>()
  let seen = 0
  for (const leaf of leaves(blocks.read, root)) {
    const { key, id } = leaf
    const records = wanted.get(key.slice(0, key.indexOf('/')))
    records?.push(leaf)
    if (records !== undefined && !blocks.has(id)) missing.set(id, key)
    if (++seen % TURN === 0) await sleep(0)
  }
  return { wanted, missing }
}

function readCommit(bytes: Uint8Array, did: string, { verifySignature }: RepoOptions) {
  const commit: Partial<Record<'did' | 'rev' | 'version' | 'data' | 'sig', unknown>> | null = decode(bytes)
  const { rev, version, data } = commit ?? {}
  if (!(data instanceof CidLinkWrapper) || typeof rev !== 'string' || typeof version !== 'number' || !isTid(rev)) {
    throw new Error('its root is no commit')
  }
  if (commit?.did !== did) throw new Error(`it is the repo of ${String(commit?.did)}`)
  if (verifySignature !== undefined) {
    const { sig, ...unsigned } = commit
    const isSigned = sig instanceof BytesWrapper && verifySignature(encode(unsigned), sig.buf)
    if (!isSigned) throw new Error('its commit is not signed by the key of the account')
  }
  return { did, rev, version, data: idOf(data) }
}

function readRecord(blocks: RepoBlocks, { key, id }: Leaf): RepoRecord {
  const slash = key.indexOf('/')
  const [collection, rkey] = [key.slice(0, slash), key.slice(slash + 1)]
  let value: unknown
  try {
    value = readRecordBlock(blocks.read(id))
  } catch (error) {
    value = `The record could not be read: ${messageOf(error)}`
  }
  return { collection, rkey, cid: cidText(id), value }
}

function asIncomplete<T>(pds: string, did: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw incomplete(pds, did, messageOf(error))
  }
}

function incomplete(pds: string, did: string, why: string): ServiceError {
  return new ServiceError('incomplete', `${pds}: the archive of ${did} is incomplete: ${why}`)
}
