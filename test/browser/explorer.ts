/** An index with the explorer, with records that nobody should have written, for tests in a browser. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { EVENT, type Network, startNetwork } from '../../fixtures/network/index.ts'
import { explorer } from '../../runtime/explorer/index.ts'
import type { IndexerOptions } from '../../runtime/indexer.ts'
import { serve } from '../../runtime/node/index.ts'
import { type CalendarIndexer, openIndexer } from '../operations/support.ts'

/** Runs where it is taken for markup or script; says so in the title of the page. */
export const HOSTILE = `<img src=x onerror="document.title='pwned'"><script>document.title='pwned'</script>`

export interface Explored {
  /** Without a slash at the end. */
  readonly url: string
  readonly network: Network
  readonly indexer: CalendarIndexer
  /** A record whose every text is hostile. */
  readonly hostile: string
  /** A record that was refused. */
  readonly refused: string
  close(): Promise<void>
}

export async function explore(options: IndexerOptions = {}): Promise<Explored> {
  const network = await startNetwork({ accounts: 12, events: 60, rsvps: 300 })
  const [first, second] = network.accounts
  const createdAt = '2026-01-10T10:00:00.000Z'
  const { uri: hostile } = network.put(first!.did, EVENT, 'hostile', {
    $type: EVENT,
    name: HOSTILE,
    description: `${HOSTILE}\n</pre></textarea>\u202Etxt.exe`,
    status: `javascript:document.title='pwned'`,
    mode: 'x'.repeat(5000),
    constructor: HOSTILE,
    uris: [{ uri: `javascript:document.title='pwned'`, name: HOSTILE }],
    nested: nest(100),
    createdAt,
  })
  const { uri: refused } = network.put(second!.did, EVENT, 'refused', { $type: EVENT, name: [HOSTILE], createdAt })
  const indexer = await openIndexer(network, { explorer, development: true, ...options })
  await indexer.backfillAll()
  const { url, close } = await serve(indexer, { port: 0 })
  return {
    url,
    network,
    indexer,
    hostile,
    refused,
    async close() {
      await close()
      await indexer.close()
      await network.close()
    },
  }
}

function nest(depth: number): unknown {
  let value: unknown = HOSTILE
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { [HOSTILE]: value }
  return value
}

/** The same index below a path, as behind a proxy. */
export async function mountBelow(path: string, { indexer }: Explored): Promise<{ url: string; close(): void }> {
  const server = createServer(async (request, response) => {
    const url = request.url === path ? '/' : request.url!.slice(path.length)
    if (request.url !== path && !request.url!.startsWith(`${path}/`)) return response.writeHead(404).end()
    const headers = { get: (name: string) => request.headers[name]?.toString() }
    const answer = await indexer.handle({ method: request.method!, url, headers })
    response.writeHead(answer.status, answer.headers).end(answer.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}${path}`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** Waits until the page shows an answer, and is not waiting for another. */
export async function settled(page: Page): Promise<void> {
  await page.locator('main h1').waitFor()
  await expect.poll(() => page.locator('[aria-busy]').count()).toBe(0)
}

/** Unfolds everything, and what that brings to light. */
export async function unfold(page: Page): Promise<void> {
  for (let level = 0; level < 3; level++) {
    await page.evaluate(async () => {
      for (const details of document.querySelectorAll('main details')) (details as HTMLDetailsElement).open = true
      // What is unfolded is filled a moment later.
      await new Promise((resolve) => setTimeout(resolve, 50))
    })
  }
}

/** Titles of the cards. */
export function titles(page: Page): Promise<string[]> {
  return page.locator('.card h3').allInnerTexts()
}
