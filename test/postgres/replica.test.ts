/** A replica that lists are read from: a real standby, which is held up and lost. */
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { app } from '../../fixtures/apps/calendar/src/lexidex/index.ts'
import { silentLogger } from '../../runtime/core/log.ts'
import { createIndexer, type Indexer } from '../../runtime/indexer.ts'
import { createPostgresStore, type PostgresStore } from '../../runtime/storage/postgres/index.ts'
import { eventually } from '../invariants/support/index.ts'
import { batchOf, put } from '../storage/app.ts'
import { startReplica } from './replica.ts'
import { type PostgresServer, startPostgres } from './server.ts'

const event = app.collections.find(({ name }) => name === 'event')!

// Files of another owner are made by root, and belong to whoever runs the tests elsewhere.
describe.skipIf(process.platform === 'win32')(
  'a replica (not on Windows, where owners of files are no numbers)',
  () => {
    let primary: PostgresServer
    let replica: PostgresServer
    let standby: pg.Client
    let road: Road
    beforeAll(async () => {
      primary = await startPostgres()
      replica = await startReplica(primary)
      standby = new pg.Client(replica.url)
      standby.on('error', () => {})
      await standby.connect()
      road = await Road.to(replica.url)
    })
    afterAll(async () => {
      await standby?.end().catch(() => {})
      road?.close()
      await replica?.stop()
      await primary?.stop()
    })

    /** Of a process that serves from the replica. */
    let store: PostgresStore
    let indexer: Indexer<unknown>
    /** Another process, which takes records in. */
    let writer: PostgresStore
    let said: string[] = []
    let rev = 0

    beforeEach(async () => {
      await resume()
      await road.open()
      said = []
      const note = (text: unknown) => said.push(String(text))
      const logger = { ...silentLogger, log: note, warn: note }
      store = createPostgresStore(primary.url, { readFrom: road.url, logger })
      indexer = createIndexer(app, store, { logger: silentLogger, onDemand: false })
      writer = createPostgresStore(primary.url, { logger: silentLogger })
      await writer.migrate(app.migrations.postgres!)
      await writer.use(app.collections)
      await indexer.migrate()
      await inStep()
    })
    afterEach(async () => {
      await resume()
      await indexer.close()
      await writer.close()
    })

    const pause = () => standby.query('SELECT pg_wal_replay_pause()')
    const resume = () => standby.query('SELECT pg_wal_replay_resume()')

    /** Until the replica has all that was written. */
    async function inStep(): Promise<void> {
      const { rows } = await writer.pool.query('SELECT pg_current_wal_insert_lsn() AS position')
      await eventually(async () => {
        const has = await standby.query('SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS has', [rows[0].position])
        expect(has.rows[0].has).toBe(true)
      })
    }

    const write = async (by: PostgresStore, rkey: string) => {
      const result = await by.apply(batchOf(put({ collection: event, rkey, rev: ++rev, record: { name: rkey } })))
      expect(result.puts).toBe(1)
    }

    const list = (headers: Record<string, string> = {}) =>
      indexer.fetch(new Request('http://index/xrpc/com.example.event.listRecords?limit=200', { headers }))
    async function listed(): Promise<string[]> {
      const response = await list()
      expect(response.status).toBe(200)
      const { records } = (await response.json()) as { records: { rkey: string }[] }
      return records.map(({ rkey }) => rkey)
    }

    test('is what lists are read from, and nothing is written there', async () => {
      await pause()
      await write(writer, 'elsewhere')
      expect(await listed()).not.toContain('elsewhere')
      expect(await writer.prepare('SELECT rkey FROM event').all([])).toContainEqual({ rkey: 'elsewhere' })
      await resume()
      await eventually(async () => expect(await listed()).toContain('elsewhere'))
      expect((await standby.query('SELECT pg_is_in_recovery() AS standby')).rows).toEqual([{ standby: true }])
    })

    test('that is behind keeps nobody from reading what this process has written', async () => {
      await pause()
      await write(store, 'own')
      expect(await listed()).toContain('own')
      await write(writer, 'after own')
      expect(await listed()).toContain('after own')
      await resume()
      await inStep()
      // From then on it is the replica again.
      await eventually(async () => {
        await listed()
        expect((await list()).headers.get('etag')).not.toBeNull()
      })
      await pause()
      await write(writer, 'unseen')
      expect(await listed()).not.toContain('unseen')
      await write(store, 'own again')
      expect(await listed()).toEqual(expect.arrayContaining(['own again', 'unseen']))
    })

    test('says itself how new its answers are: one is kept for as long as the replica has nothing newer', async () => {
      await write(writer, 'first')
      await inStep()
      const etag = (await list()).headers.get('etag')!
      expect((await list({ 'if-none-match': etag })).status).toBe(304)
      await pause()
      await write(writer, 'second')
      expect((await list({ 'if-none-match': etag })).status).toBe(304)
      expect(await listed()).not.toContain('second')
      await resume()
      await inStep()
      expect((await list({ 'if-none-match': etag })).status).toBe(200)
      expect(await listed()).toContain('second')
    })

    test('and what is read while it is behind is not kept for later', async () => {
      await listed()
      await pause()
      await write(store, 'mine')
      for (let i = 0; i < 3; i++) {
        const response = await list()
        expect(response.headers.get('etag')).toBeNull()
        await response.text()
      }
      await write(writer, 'another')
      expect(await listed()).toContain('another')
    })

    test('that lacks a table, because it is behind a migration, is passed over for that', async () => {
      await pause()
      await writer.pool.query('CREATE TABLE later AS SELECT 1 AS one')
      expect(await store.prepare('SELECT one FROM later').all([])).toEqual([{ one: 1 }])
      expect(said).toEqual([])
      await writer.pool.query('DROP TABLE later')
    })

    test('that is lost is told of once, and the database that is written to answers until it is back', async () => {
      await write(writer, 'before')
      await inStep()
      expect(await listed()).toContain('before')
      await pause()
      road.block()
      await write(writer, 'meanwhile')
      const lists = await Promise.all([listed(), listed(), listed()])
      for (const rkeys of lists) expect(rkeys).toContain('meanwhile')
      expect(await listed()).toContain('meanwhile')
      expect(said.filter((text) => text.startsWith('The replica cannot be read'))).toHaveLength(1)

      await road.open()
      await eventually(async () => {
        expect(await listed()).not.toContain('meanwhile')
      }, 30_000)
      expect(said.at(-1)).toBe('The replica is read again')
    })

    test('that ends takes no request with it', async () => {
      const doomed = await startReplica(primary)
      const serving = createPostgresStore(primary.url, { readFrom: doomed.url, logger: silentLogger })
      const own = createIndexer(app, serving, { logger: silentLogger, onDemand: false })
      try {
        await own.migrate()
        let stopped = false
        const stopping = doomed.stop().then(() => {
          stopped = true
        })
        for (let n = 0; !stopped || n < 20; n++) {
          const answers = Array.from({ length: 5 }, (_, i) =>
            own.fetch(new Request(`http://index/xrpc/com.example.event.listRecords?limit=${1 + ((n + i) % 100)}`)),
          )
          for (const { status } of await Promise.all(answers)) expect(status).toBe(200)
        }
        await stopping
      } finally {
        await own.close()
      }
    })
  },
)

/** The way to a server, which can be cut. */
class Road {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #port = 0
  readonly #to: URL

  private constructor(to: URL) {
    this.#to = to
    this.#server = createServer((from) => {
      const on = createConnection(Number(to.port), to.hostname)
      for (const socket of [from, on]) {
        this.#sockets.add(socket)
        socket.on('error', () => {})
        socket.on('close', () => {
          this.#sockets.delete(socket)
          from.destroy()
          on.destroy()
        })
      }
      from.pipe(on)
      on.pipe(from)
    })
  }

  static async to(url: string): Promise<Road> {
    const road = new Road(new URL(url))
    await road.open()
    return road
  }

  get url(): string {
    return Object.assign(new URL(this.#to), { port: String(this.#port) }).href
  }

  async open(): Promise<void> {
    if (this.#server.listening) return
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve))
    this.#port = (this.#server.address() as { port: number }).port
  }

  /** Cuts what goes on, and lets nobody through. */
  block(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  close(): void {
    this.block()
  }
}
