/** The ceiling of answers that are asked for again: node:http and bytes that are ready, whatever becomes of the index. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createSqliteStore } from 'lexidex/sqlite'
import { createIndexer } from '../../../fixtures/apps/calendar/src/lexidex/index.ts'
import { offerServer } from './server.ts'

offerServer(async (database) => {
  const indexer = createIndexer(createSqliteStore(database))
  await indexer.migrate()
  const answers = new Map<string, Uint8Array>()
  const server = createServer(async (request, response) => {
    const url = request.url!
    let body = answers.get(url)
    if (body === undefined) {
      body = await (await indexer.fetch(new Request(`http://localhost${url}`))).bytes()
      answers.set(url, body)
    }
    response.writeHead(200, {
      'content-type': 'application/json; charset=utf-8',
      'access-control-allow-origin': '*',
      'content-length': body.byteLength,
    })
    response.end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
