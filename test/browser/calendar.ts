import { startNetwork } from '../../fixtures/network/index.ts'
import { serve } from '../../runtime/node/index.ts'
import { type CalendarIndexer, openIndexer } from '../operations/support.ts'

export interface ServedCalendar {
  /** Without a slash at the end. */
  readonly url: string
  readonly indexer: CalendarIndexer
  close(): Promise<void>
}

/** The calendar app, backfilled from a network of its own and served: 120 events, more than two pages. */
export async function serveCalendar(): Promise<ServedCalendar> {
  const network = await startNetwork({ accounts: 12, events: 120, rsvps: 300 })
  const indexer = await openIndexer(network)
  await indexer.backfillAll()
  const { url, close } = await serve(indexer, { port: 0 })
  return {
    url,
    indexer,
    async close() {
      await close()
      await indexer.close()
      await network.close()
    },
  }
}
