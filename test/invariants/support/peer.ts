import { join } from 'node:path'
import { afterEach, beforeEach, expect } from 'vitest'
import { EVENT, type Network, type NetworkOptions, type RecordValue, RSVP } from '../../../fixtures/network/index.ts'
import { makeTid } from '../../../runtime/core/tid.ts'
import {
  type CalendarIndexer,
  emptyNetwork,
  eventually,
  type OpenOptions,
  openCalendar,
  readUpTo,
  temporaryFolder,
} from './index.ts'

export const CID = 'bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'

/** A network whose accounts have written nothing, and an index of it in a file. */
export class Peer {
  network!: Network
  indexer!: CalendarIndexer
  following: Promise<void> | null = null
  readonly abort = new AbortController()
  readonly folder: string
  readonly path: string
  readonly #remove: () => void
  #lastRev = 0

  constructor() {
    const { folder, remove } = temporaryFolder()
    this.folder = folder
    this.path = join(folder, 'index.sqlite')
    this.#remove = remove
  }

  async open(networkOptions: NetworkOptions = {}, options: OpenOptions = {}): Promise<void> {
    this.network = await emptyNetwork(networkOptions)
    this.indexer = await openCalendar(this.network, { path: this.path, ...options })
    await readUpTo(this.network, this.indexer, 1)
  }

  follow(): void {
    this.following = this.indexer.runPersistent({ signal: this.abort.signal, flushIntervalMs: 5 })
  }

  /** How far the stream has been applied, in µs. */
  async cursor(): Promise<number> {
    const row = await this.indexer.db.selectFrom('lexidex_cursor').select('cursor').executeTakeFirstOrThrow()
    return Number(row.cursor)
  }

  async caughtUp(): Promise<void> {
    await eventually(async () => expect(await this.cursor()).toBeGreaterThanOrEqual(this.network.log.at(-1)!.time_us))
  }

  async count(table: 'event' | 'rsvp' | 'profile'): Promise<number> {
    const row = await this.indexer.db
      .selectFrom(table)
      .select((eb) => eb.fn.countAll<number>().as('n'))
      .executeTakeFirstOrThrow()
    return row.n
  }

  /** Puts a record on the stream that no host has, and whatever it holds. */
  emit(did: string, rkey: string, record: unknown, collection = EVENT): void {
    const rev = makeTid(Date.now() * 1000 + this.#lastRev++, 1)
    this.network.emit({ did, kind: 'commit', commit: { rev, operation: 'create', collection, rkey, record, cid: CID } })
  }

  async close(): Promise<void> {
    this.abort.abort()
    await this.following
    await this.indexer?.close()
    await this.network.close()
    this.#remove()
  }
}

/** A peer for each test of the file that calls this. */
export function freshPeer(): () => Peer {
  let peer: Peer
  beforeEach(() => {
    peer = new Peer()
  })
  afterEach(() => peer.close())
  return () => peer
}

export const soup = (name = 'Soup', more: RecordValue = {}): RecordValue => ({
  $type: EVENT,
  name,
  createdAt: new Date().toISOString(),
  ...more,
})

export const going = (event: string): RecordValue => ({
  $type: RSVP,
  subject: { uri: event, cid: CID },
  status: `${RSVP}#going`,
})
