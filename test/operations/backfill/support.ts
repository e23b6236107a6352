import { afterEach, beforeEach } from 'vitest'
import { type Network, startNetwork } from '../../../fixtures/network/index.ts'
import { type CalendarIndexer, openIndexer } from '../support.ts'

export const LIST = 'com.atproto.repo.listRecords'
export const GET_REPO = 'com.atproto.sync.getRepo'
/** What a host says that gives no archives. */
export const NOT_OFFERED = { status: 501, body: { error: 'MethodNotImplemented', message: 'no' } }

export interface BackfillSetting {
  readonly network: Network
  readonly indexer: CalendarIndexer
  /** Every job, in order of account and collection. */
  jobs(): Promise<readonly Job[]>
  /** In place of the indexer, one that knows nothing. */
  reopen(): Promise<void>
}

interface Job {
  readonly did: string
  readonly collection: string
  readonly status: string
  readonly attempts: number
  readonly cursor: string | null
  readonly last_error: string | null
  readonly due_at: number
  readonly records: number
}

/** A network on two hosts, and an indexer that knows nothing of it yet, for each test of the file that calls this. */
export function freshSetting(): BackfillSetting {
  const setting: { -readonly [K in keyof BackfillSetting]: BackfillSetting[K] } = {
    network: undefined as never,
    indexer: undefined as never,
    jobs: () =>
      setting.indexer.db
        .selectFrom('lexidex_job')
        .select(['did', 'collection', 'status', 'attempts', 'cursor', 'last_error', 'due_at', 'records'])
        .orderBy('did')
        .orderBy('collection')
        .execute(),
    async reopen() {
      await setting.indexer.close()
      setting.indexer = await openIndexer(setting.network)
    },
  }
  beforeEach(async () => {
    setting.network = await startNetwork({ accounts: 12, events: 30, rsvps: 150, pdsCount: 2 })
    setting.indexer = await openIndexer(setting.network)
  })
  afterEach(async () => {
    await setting.indexer.close()
    await setting.network.close()
  })
  return setting
}
