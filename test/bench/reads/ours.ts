/** The calendar app, as a deployment serves it; every answer put together anew. */
import { serve } from 'lexidex/node'
import { createSqliteStore } from 'lexidex/sqlite'
import { createIndexer } from '../../../fixtures/apps/calendar/src/lexidex/index.ts'
import { offerServer } from './server.ts'

offerServer(async (database) => {
  const indexer = createIndexer(createSqliteStore(database), { cache: { maxBytes: 0 } })
  await indexer.migrate()
  const { url } = await serve(indexer, { port: 0 })
  return url
})
