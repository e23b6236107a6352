/** A backfilled index of a small network, which events are then kept from. */
import { afterEach, beforeEach } from 'vitest'
import { EVENT, type HttpFault, type Network, RSVP, startNetwork } from '../../../fixtures/network/index.ts'
import type { RefreshOptions, RefreshResult } from '../../../runtime/operations/refresh/refresh.ts'
import { type CalendarIndexer, indexed, openIndexer } from '../support.ts'

export const GET_REPO = 'com.atproto.sync.getRepo'
export const LIST = 'com.atproto.repo.listRecords'
export const NONE = { missing: 0, staleUpdates: 0, inSync: 0, deleted: 0 }

export let network: Network
export let indexer: CalendarIndexer
export let did: string
export let warnings: string[]

/** For each test of the file that calls this. */
export function freshIndex(): void {
  beforeEach(async () => {
    warnings = []
    network = await startNetwork({ accounts: 8, events: 20, rsvps: 60, pdsCount: 2 })
    const logger = { log: () => {}, warn: (text: string) => warnings.push(text), error: () => {} }
    indexer = await openIndexer(network, { logger })
    await indexer.backfillAll()
    did = network.accounts[0]!.did
  })
  afterEach(async () => {
    await indexer.close()
    await network.close()
  })
}

export const soup = (name = 'Soup') => ({ $type: EVENT, name, createdAt: '2026-01-16T09:00:00Z' })
export const refresh = (options: RefreshOptions = {}) => indexer.refresh({ ignoreWindowMs: 0, ...options })
export const uriOf = (rkey: string, collection = EVENT) => `at://${did}/${collection}/${rkey}`
export const account = (of = did) =>
  indexer.db.selectFrom('lexidex_account').selectAll().where('did', '=', of).executeTakeFirstOrThrow()
export const hasEvent = async (rkey: string) =>
  (await indexed(indexer, 'event')).some((row) => row.startsWith(`${uriOf(rkey)} `))
export const changesOf = ({ total: { missing, staleUpdates, deleted } }: RefreshResult) => [
  missing,
  staleUpdates,
  deleted,
]

/** Changes that the index hears nothing of: 2 new events, 1 changed, 1 deleted, 1 deleted RSVP. */
export function loseEvents(): void {
  network.put(did, EVENT, 'soup', soup())
  network.put(did, EVENT, 'stew', soup('Stew'))
  const [changed, gone] = network.records(EVENT).filter((record) => record.did !== did)
  network.put(changed!.did, EVENT, changed!.rkey, { ...changed!.value, name: 'Changed' })
  network.delete(gone!.did, EVENT, gone!.rkey)
  const rsvp = network.records(RSVP)[0]!
  network.delete(rsvp.did, RSVP, rsvp.rkey)
}

/** A fault for the archives of one account. Counts how often they were asked for. */
export function spoil(archive: HttpFault): { readonly calls: number } {
  const seen = { calls: 0 }
  network.faults.pds = (request, answer) => {
    if (request.method !== GET_REPO || request.params.get('did') !== did) return undefined
    seen.calls++
    return archive(request, answer)
  }
  return seen
}
