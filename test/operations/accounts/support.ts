/** Two accounts with records in a backfilled index whose clock is moved by hand, and their checks. */
import { afterEach, beforeEach } from 'vitest'
import { type Account, EVENT, type Network, RSVP, startNetwork } from '../../../fixtures/network/index.ts'
import { type CalendarIndexer, manualClock, openIndexer } from '../support.ts'

export let network: Network
export let clock: ReturnType<typeof manualClock>
export let indexer: CalendarIndexer
/** Hosts an event that Bob is going to. */
export let alice: Account
export let bob: Account

/** For each test of the file that calls this. */
export function freshIndex(): void {
  beforeEach(async () => {
    network = await startNetwork({ accounts: 6, events: 0, rsvps: 0, statuses: 0, profiles: 6 })
    ;[alice, bob] = network.accounts as [Account, Account]
    const event = { $type: EVENT, name: 'Soup', createdAt: '2026-01-16T09:00:00Z' }
    const { uri, cid } = network.put(alice.did, EVENT, 'soup', event)
    network.put(bob.did, EVENT, 'bread', { ...event, name: 'Bread' })
    network.put(bob.did, RSVP, 'yes', { $type: RSVP, subject: { uri, cid }, status: `${RSVP}#going` })
    clock = manualClock()
    indexer = await openIndexer(network, { clock })
    await indexer.backfillAll()
    await check()
  })
  afterEach(async () => {
    await indexer.close()
    await network.close()
  })
}

/** Notes that a stream has said something of an account. */
export async function hint(did: string, resync = false): Promise<void> {
  await indexer.store.apply({ operations: [{ op: 'check', did, resync }], positions: [], now: clock.now() })
}

export async function check() {
  clock.advance(1)
  return indexer.checkAccounts()
}

export async function hinted(did: string) {
  await hint(did)
  return check()
}

export async function account(did: string) {
  return indexer.db.selectFrom('lexidex_account').selectAll().where('did', '=', did).executeTakeFirstOrThrow()
}

export async function get(path: string): Promise<any> {
  return (await indexer.fetch(new Request(`http://localhost/xrpc/com.example.${path}`))).json()
}

export const names = async () => (await get('event.listRecords')).records.map((record: any) => record.value.name).sort()
export const going = async () => (await get('event.listRecords?search=soup')).records[0]?.rsvpsGoingCount
