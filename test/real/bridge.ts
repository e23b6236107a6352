import { once } from 'node:events'
import type { Cid } from '@atproto/lex-data'
import { lexToJson } from '@atproto/lex-json'
import { cborToLexRecord, readCar } from '@atproto/repo'
import { Frame } from '@atproto/xrpc-server'
import { WebSocket } from 'ws'
import type { JetstreamFrame, UnstampedFrame } from '../../fixtures/network/frames.ts'
import { limitOf, required, routes, serveHttp } from '../../fixtures/network/http.ts'
import { startJetstream } from '../../fixtures/network/jetstream.ts'

export interface Bridge {
  /** `ws://127.0.0.1:<port>`: Jetstream v1 at `/subscribe`, replaying from memory. */
  readonly jetstream: string
  /** `http://127.0.0.1:<port>`: `com.atproto.sync.listReposByCollection`, asked of the PDS on every call. */
  readonly relay: string
  /** Every frame so far. */
  readonly log: readonly JetstreamFrame[]
  /** Cuts every Jetstream socket without a close frame. */
  dropConnections(): void
  close(): Promise<void>
}

/**
 * Follows the firehose of a PDS from its beginning, and offers what a public Jetstream and a relay offer of it.
 * A firehose message that it cannot read ends in an unhandled rejection, which fails the test run and says why.
 *
 * @param pdsUrl `http://…`
 */
export async function startBridge(pdsUrl: string): Promise<Bridge> {
  const jetstream = await startJetstream()
  const relay = await serveHttp(
    0,
    routes({
      'com.atproto.sync.listReposByCollection': async (_method, params) => ({
        body: await listReposByCollection(pdsUrl, params),
      }),
    }),
  )
  let lastUs = 0
  const emit = (frame: UnstampedFrame) => {
    lastUs = Math.max(lastUs + 1, Date.now() * 1000)
    jetstream.emit(frame, lastUs)
  }

  const firehose = new WebSocket(`${pdsUrl.replace('http', 'ws')}/xrpc/com.atproto.sync.subscribeRepos?cursor=0`)
  // Decoding is asynchronous, and the order must hold.
  let decoded = Promise.resolve()
  firehose.on('message', (data: Buffer) => {
    decoded = decoded.then(async () => {
      for (const frame of await toJetstream(data)) emit(frame)
    })
  })
  await once(firehose, 'open')

  return {
    jetstream: jetstream.url,
    relay: relay.url,
    log: jetstream.log,
    dropConnections: () => jetstream.dropConnections(),
    async close() {
      firehose.terminate()
      await decoded
      await Promise.all([jetstream.close(), relay.close()])
    },
  }
}

/** The frames of one firehose message: one for each operation of a commit, none for a `#sync`. */
async function toJetstream(data: Uint8Array): Promise<UnstampedFrame[]> {
  const message = Frame.fromBytes(data)
  if (!message.isMessage()) throw new Error(`The firehose ended with an error: ${JSON.stringify(message.body)}`)
  switch (message.type) {
    case '#commit':
      return commitFrames(message.body as unknown as FirehoseCommit)
    case '#identity': {
      const { did, handle, seq, time } = message.body as unknown as FirehoseIdentity
      return [{ did, kind: 'identity', identity: { did, ...(handle === undefined ? {} : { handle }), seq, time } }]
    }
    case '#account': {
      const { did, active, seq, status, time } = message.body as unknown as FirehoseAccount
      const account = { active, did, seq, ...(status === undefined ? {} : { status }), time }
      return [{ did, kind: 'account', account }]
    }
    default:
      return []
  }
}

async function commitFrames({ repo: did, rev, ops, blocks }: FirehoseCommit): Promise<UnstampedFrame[]> {
  const { blocks: found } = await readCar(blocks)
  return ops.map(({ action: operation, path, cid }) => {
    const [collection, rkey] = path.split('/') as [string, string]
    const commit = { rev, operation, collection, rkey }
    if (operation === 'delete' || !cid) return { did, kind: 'commit', commit }
    const block = found.get(cid)
    if (!block) throw new Error(`The commit ${rev} of ${did} lacks the block of ${path}`)
    return {
      did,
      kind: 'commit',
      commit: { ...commit, record: lexToJson(cborToLexRecord(block)), cid: cid.toString() },
    }
  })
}

/** One page of the PDS's repos without those that lack the collection: it may be empty and still have a cursor. */
async function listReposByCollection(pdsUrl: string, params: URLSearchParams) {
  const collection = required(params, 'collection')
  const page = new URLSearchParams({ limit: String(limitOf(params, 500, 1000)) })
  const from = params.get('cursor')
  if (from !== null) page.set('cursor', from)
  const { repos, cursor } = await query<RepoPage>(pdsUrl, 'com.atproto.sync.listRepos', page)
  const active = repos.filter((repo) => repo.active).map(({ did }) => did)
  const described = await Promise.all(
    active.map((repo) => query<RepoView>(pdsUrl, 'com.atproto.repo.describeRepo', new URLSearchParams({ repo }))),
  )
  const having = described.filter(({ collections }) => collections.includes(collection))
  return { repos: having.map(({ did }) => ({ did })), ...(cursor === undefined ? {} : { cursor }) }
}

async function query<T>(pdsUrl: string, method: string, params: URLSearchParams): Promise<T> {
  const response = await fetch(`${pdsUrl}/xrpc/${method}?${params}`)
  if (!response.ok) throw new Error(`${method} of the PDS: ${response.status} ${await response.text()}`)
  return (await response.json()) as T
}

interface RepoPage {
  cursor?: string
  repos: { did: string; active: boolean }[]
}

interface RepoView {
  did: string
  collections: string[]
}

/** The parts of `com.atproto.sync.subscribeRepos` that Jetstream passes on. */
interface FirehoseCommit {
  repo: string
  rev: string
  /** A CAR with the records that were written. */
  blocks: Uint8Array
  ops: { action: 'create' | 'update' | 'delete'; path: string; cid: Cid | null }[]
}

interface FirehoseIdentity {
  did: string
  handle?: string
  seq: number
  time: string
}

interface FirehoseAccount {
  did: string
  active: boolean
  status?: string
  seq: number
  time: string
}
