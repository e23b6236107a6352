/**
 * Invariant 4: absence is deletion only with proof: `RecordNotFound` by a PDS that has the account, or a complete repo at
 * a known rev. No failure, no gap in a listing and no archive that is cut short, old or somebody else's deletes anything.
 */
import { describe, expect, test } from 'vitest'
import {
  type Archive,
  carOf,
  EVENT,
  type HttpFault,
  type Network,
  PROFILE,
  type Reply,
  RSVP,
} from '../../fixtures/network/index.ts'
import { createRandom, type Random } from '../../fixtures/network/random.ts'
import type { TestDatabase } from '../storage/databases.ts'
import { kinds, scaled, withDatabase } from './support/databases.ts'
import { type CalendarIndexer, type MovableClock, movableClock, openCalendar, presentNetwork } from './support/index.ts'
import { eachSeed, patience } from './support/settings.ts'
import { expectRecount, truth, visible } from './support/visible.ts'

const LIST = 'com.atproto.repo.listRecords'
const GET_RECORD = 'com.atproto.repo.getRecord'
const GET_REPO = 'com.atproto.sync.getRepo'
const LATEST = 'com.atproto.sync.getLatestCommit'
const STATUS = 'com.atproto.sync.getRepoStatus'
const HOURS = 3_600_000

const xrpcError = (status: number, error: string): Reply => ({ status, body: { error, message: 'who knows' } })
const car = (archive: Archive): Reply => ({
  body: carOf(archive),
  headers: { 'content-type': 'application/vnd.ipld.car' },
})

/** An index of everything, that nothing follows from then on: what is deleted is not heard of. */
class Setting {
  readonly network: Network
  readonly indexer: CalendarIndexer
  readonly clock: MovableClock
  /** Repos as they were at first. */
  readonly old: ReadonlyMap<string, Archive>

  constructor(network: Network, indexer: CalendarIndexer, clock: MovableClock) {
    this.network = network
    this.indexer = indexer
    this.clock = clock
    this.old = new Map(network.accounts.map(({ did }) => [did, network.archive(did)]))
  }

  async stored(): Promise<string[]> {
    const tables = ['event', 'rsvp', 'profile'] as const
    const rows = await Promise.all(tables.map((table) => this.indexer.db.selectFrom(table).select('uri').execute()))
    return rows.flat().map(({ uri }) => uri)
  }

  /** Deletes an event that is in the index. */
  remove(): string {
    const [record] = this.network.records(EVENT)
    this.network.delete(record!.did, EVENT, record!.rkey)
    return record!.uri
  }

  /** Every record that exists is still in the index, where it was. */
  async expectNothingLost(before: readonly string[]): Promise<void> {
    const held = new Set([EVENT, RSVP, PROFILE].flatMap((nsid) => this.network.records(nsid)).map(({ uri }) => uri))
    const now = new Set(await this.stored())
    expect(before.filter((uri) => held.has(uri) && !now.has(uri))).toEqual([])
  }

  /** One comparison with a network that tells the truth finds what is gone, and another nothing more. */
  async expectCured(): Promise<void> {
    const { network, indexer } = this
    network.faults.pds = network.faults.plc = undefined as never
    await indexer.refresh({ ignoreWindowMs: 0 })
    const { found: _, ...seen } = await visible(indexer)
    expect(seen).toEqual(truth(network))
    await expectRecount(indexer)
    const { total } = await indexer.refresh({ ignoreWindowMs: 0 })
    expect(total).toMatchObject({ missing: 0, staleUpdates: 0, deleted: 0 })
  }
}

async function settingIn(one: TestDatabase, use: (setting: Setting) => Promise<void>): Promise<void> {
  await withDatabase(one, async (database) => {
    const network = await presentNetwork({ accounts: 6, events: scaled(one, 30), rsvps: scaled(one, 120) })
    const clock = movableClock()
    const indexer = await openCalendar(network, { clock, database })
    try {
      await indexer.backfillAll()
      await indexer.checkAccounts()
      await use(new Setting(network, indexer, clock))
    } finally {
      await indexer.close()
      await network.close()
    }
  })
}

const LIES: Readonly<Record<string, (random: Random, setting: Setting) => HttpFault>> = {
  [GET_RECORD]: (random) =>
    random.pick<HttpFault>([
      () => xrpcError(400, 'RepoNotFound'),
      () => xrpcError(400, 'InvalidRequest'),
      () => xrpcError(404, 'NotFound'),
      () => ({ status: 404, body: 'Not Found' }),
      () => ({ status: 410, body: '' }),
      () => ({ body: {} }),
      () => ({ body: { uri: 'at://nobody/at/all', cid: 7 } }),
      () => 'hangup',
    ]),
  [LIST]: (random) =>
    random.pick<HttpFault>([
      () => ({ body: { records: [] } }),
      async (_request, answer) => {
        const { records } = (await answer()).body as { records: unknown[] }
        return { body: { records: records.filter(() => random.chance(0.5)) } }
      },
      () => xrpcError(400, 'InvalidRequest'),
      () => xrpcError(404, 'NotFound'),
      () => ({ body: '<html>' }),
    ]),
  [GET_REPO]:
    (random, { network, old }) =>
    async (request, answer) => {
      const did = request.params.get('did')!
      const whole = network.archive(did)
      const without = (kind: string) => {
        const candidates = whole.blocks.filter((block) => block.kind === kind)
        const missing = random.pick(candidates)
        return car({ ...whole, blocks: whole.blocks.filter((block) => block !== missing) })
      }
      const honest = await answer()
      return random.pick<() => Reply | 'hangup'>([
        () => car(old.get(did)!),
        () => car(old.get(random.pick(network.accounts).did)!),
        () => without('record'),
        () => without('node'),
        () => without('commit'),
        () => car({ ...whole, blocks: whole.blocks.slice(0, 1) }),
        () => {
          const bytes = honest.body as Uint8Array
          return { ...honest, body: bytes.subarray(0, random.int(bytes.length)) }
        },
        () => ({ ...honest, body: '' }),
        () => xrpcError(400, 'InvalidRequest'),
        () => xrpcError(501, 'MethodNotImplemented'),
        () => ({ body: '<html>' }),
      ])()
    },
  [LATEST]: (random) =>
    random.pick<HttpFault>([
      // Not `RepoNotFound`: of the account as a whole that is what its own host has to say.
      () => xrpcError(400, 'RepoDeactivated'),
      () => ({ body: { cid: 'bafy', rev: '2222222222222' } }),
      () => ({ body: { rev: 'later' } }),
    ]),
  [STATUS]: (random) =>
    random.pick<HttpFault>([
      () => ({ body: { did: 'x', active: false } }),
      () => ({ body: { did: 'x', active: false, status: 'desynchronized' } }),
      () => ({ body: { did: 'x', active: false, status: 'something new' } }),
      () => ({ body: { active: 'no' } }),
      () => xrpcError(404, 'NotFound'),
      () => xrpcError(400, 'InvalidRequest'),
      () => 'hangup',
    ]),
}

/** Asks for all sorts of things from hosts that lie. */
async function checkLies(setting: Setting, random: Random): Promise<void> {
  const { network, indexer, clock } = setting
  // Some of it is gone for good.
  for (const { did, collection, rkey } of network.records(EVENT).filter(() => random.chance(0.2))) {
    network.delete(did, collection, rkey)
  }
  network.drift(10)
  const before = await setting.stored()
  network.faults.pds = (request, answer) => {
    const lie = LIES[request.method]
    return lie === undefined || random.chance(0.3) ? undefined : lie(random, setting)(request, answer)
  }
  network.faults.plc = () => (random.chance(0.1) ? { status: 404, body: { message: 'not registered' } } : undefined)
  const work = [
    () => indexer.notify(Array.from({ length: 10 }, () => random.pick(before))),
    () => indexer.refresh({ ignoreWindowMs: 0 }),
    () => indexer.performBackfill({ force: 'catch_up' }),
    () => indexer.backfill({ retryFailed: true }),
    () => {
      clock.advance(25 * HOURS)
      return indexer.checkAccounts()
    },
  ]
  for (let i = 0; i < 6; i++) {
    await random.pick(work)()
    await setting.expectNothingLost(before)
  }
  // What the accounts are called by now is put right as well.
  network.faults.pds = network.faults.plc = undefined as never
  clock.advance(49 * HOURS)
  await indexer.checkAccounts()
  await setting.expectCured()
}

describe.each(kinds)('$name', (one) => {
  const withSetting = (use: (setting: Setting) => Promise<void>) => settingIn(one, use)

  test(
    'whatever hosts say instead of the truth, no record that exists is removed',
    () => eachSeed(6 * one.share, (seed) => withSetting((setting) => checkLies(setting, createRandom(seed))), 6),
    patience(60_000),
  )

  describe('proof', () => {
    test('is what the PDS says of the very record', () =>
      withSetting(async (setting) => {
        const uri = setting.remove()
        expect(await setting.indexer.notify(uri)).toEqual({ indexed: 0, deleted: 1 })
        expect(await setting.stored()).not.toContain(uri)
        await expectRecount(setting.indexer)
      }))

    test('is not what a PDS says of a record whose account it has lost', () =>
      withSetting(async (setting) => {
        const uri = setting.remove()
        setting.network.faults.pds = ({ method }) => (method === LATEST ? xrpcError(400, 'RepoNotFound') : undefined)
        const { deleted, errors } = await setting.indexer.notify(uri)
        expect([deleted, errors?.length]).toEqual([0, 1])
        expect(await setting.stored()).toContain(uri)
      }))

    test('is a complete repo of a rev that is known', () =>
      withSetting(async (setting) => {
        const uri = setting.remove()
        const { total } = await setting.indexer.refresh({ ignoreWindowMs: 0 })
        expect(total.deleted).toBe(1)
        expect(await setting.stored()).not.toContain(uri)
        await setting.expectCured()
      }))

    test('is no listing', () =>
      withSetting(async (setting) => {
        const uri = setting.remove()
        setting.network.faults.pds = ({ method }) =>
          method === GET_REPO ? xrpcError(501, 'MethodNotImplemented') : undefined
        expect((await setting.indexer.refresh({ ignoreWindowMs: 0 })).total.deleted).toBe(0)
        expect(await setting.stored()).toContain(uri)
        await setting.expectCured()
      }))

    test('is not what the host says that an account has left', () =>
      withSetting(async (setting) => {
        const { network, indexer, clock } = setting
        const before = await setting.stored()
        const { did, pds } = network.accounts[0]!
        network.move(did, network.pds.find((url) => url !== pds)!)
        network.faults.pds = ({ host, params }) =>
          host === pds && [params.get('did'), params.get('repo')].includes(did)
            ? xrpcError(400, 'RepoNotFound')
            : undefined
        clock.advance(25 * HOURS)
        await indexer.checkAccounts()
        await indexer.performBackfill({ force: 'catch_up' })
        await indexer.notify(before.filter((uri) => uri.includes(did)).slice(0, 20))
        expect((await setting.stored()).sort()).toEqual(before.sort())
      }))
  })
})
