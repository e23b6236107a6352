/**
 * Whatever of the stream was lost, doubled or out of order: after a refresh the index holds what the network holds, and
 * still does when the stream is replayed.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  EVENT,
  type JetstreamFrame,
  type Network,
  PROFILE,
  RSVP,
  startNetwork,
} from '../../../fixtures/network/index.ts'
import { databases, withDatabase } from '../../invariants/support/databases.ts'
import { cases } from '../../invariants/support/settings.ts'
import type { Database } from '../../storage/harness.ts'
import { type CalendarIndexer, COLLECTIONS, deliver, indexed, openIndexer } from '../support.ts'

interface Step {
  readonly account: number
  readonly write: 'event' | 'rsvp' | 'profile' | 'delete'
  readonly key: number
  /** What becomes of the write's event on the stream. */
  readonly fate: 'delivered' | 'doubled' | 'swapped' | 'lost'
}

const step: fc.Arbitrary<Step> = fc.record({
  account: fc.nat({ max: 2 }),
  write: fc.constantFrom('event', 'event', 'rsvp', 'rsvp', 'profile', 'delete', 'delete'),
  key: fc.nat({ max: 3 }),
  fate: fc.constantFrom('delivered', 'delivered', 'doubled', 'swapped', 'lost', 'lost'),
})

const STATUSES = ['going', 'interested', 'notgoing']

function write(network: Network, { account, write, key }: Step, n: number): void {
  const { did } = network.accounts[account]!
  const rkey = `k${key}`
  const createdAt = '2026-01-16T09:00:00Z'
  switch (write) {
    case 'event':
      network.put(did, EVENT, rkey, { $type: EVENT, name: `Soup ${n}`, createdAt })
      return
    case 'rsvp': {
      const subject = { uri: `at://${network.accounts[n % 3]!.did}/${EVENT}/k${(n + key) % 4}`, cid: 'bafy' }
      network.put(did, RSVP, rkey, { $type: RSVP, subject, status: `${RSVP}#${STATUSES[n % 3]}` })
      return
    }
    case 'profile':
      network.put(did, PROFILE, 'self', { $type: PROFILE, displayName: `Name ${n}` })
      return
    case 'delete': {
      const mine = [EVENT, RSVP, PROFILE].flatMap((nsid) => network.records(nsid)).filter((one) => one.did === did)
      const found = mine[n % Math.max(1, mine.length)]
      if (found) network.delete(did, found.collection, found.rkey)
    }
  }
}

async function expectNetwork(indexer: CalendarIndexer, network: Network): Promise<void> {
  for (const table of ['event', 'rsvp', 'profile'] as const) {
    const held = network.records(COLLECTIONS[table]).map(({ uri, cid }) => `${uri} ${cid}`)
    expect(await indexed(indexer, table), table).toEqual(held.sort())
  }
  const going = network.records(RSVP).filter(({ value }) => value.status === `${RSVP}#going`)
  const counts = await indexer.db.selectFrom('event').select(['uri', 'rsvps_going_count']).execute()
  for (const { uri, rsvps_going_count } of counts) {
    expect(rsvps_going_count).toBe(going.filter(({ value }) => (value.subject as { uri: string }).uri === uri).length)
  }
}

async function checkRounds(database: Database, rounds: readonly (readonly Step[])[]): Promise<void> {
  const network = await startNetwork({ accounts: 3, events: 2, rsvps: 4, profiles: 1, statuses: 0, pdsCount: 1 })
  const indexer = await openIndexer(network, { database })
  const dids = network.accounts.map(({ did }) => did)
  let n = 0
  try {
    for (const steps of rounds) {
      const swapped: JetstreamFrame[] = []
      for (const one of steps) {
        const from = network.log.length
        write(network, one, n++)
        const frames = network.log.slice(from)
        if (one.fate === 'swapped') swapped.unshift(...frames)
        if (one.fate === 'delivered') await deliver(indexer, frames)
        if (one.fate === 'doubled') await deliver(indexer, [...frames, ...frames])
      }
      await deliver(indexer, swapped)
      const { usersFailed, usersPartial } = await indexer.refresh({ dids, ignoreWindowMs: 0 })
      expect([usersFailed, usersPartial]).toEqual([0, 0])
      await expectNetwork(indexer, network)
      const again = await indexer.refresh({ dids, ignoreWindowMs: 0 })
      expect(again).toMatchObject({ usersSkipped: 3, total: { missing: 0, staleUpdates: 0, deleted: 0 } })
    }
    // All of it once more, what never arrived among it, in the worst of orders.
    for (const frames of [network.log, [...network.log].reverse()]) {
      await deliver(indexer, frames)
      await expectNetwork(indexer, network)
    }
  } finally {
    await indexer.close()
    await network.close()
  }
}

test.each(databases)('on $name, refresh makes the index what the network is, whatever the stream did', async (one) => {
  const rounds = fc.array(fc.array(step, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(rounds, (all) => withDatabase(one, (database) => checkRounds(database, all))),
    { ...cases(25 * one.share), endOnFailure: false },
  )
})
