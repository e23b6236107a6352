import type { Page } from '../core/page.ts'
import { loadParts } from './assets.ts'
import { assemble } from './document.ts'

let loaded: ReturnType<Page['load']> | null = null

/**
 * A page to look at an index with: its collections, a form for every method, how far it has read. Give it to
 * `createIndexer` and browsers get it at `/`; programs go on getting JSON there.
 *
 * It is one document that needs nothing else of the network, and runs under a policy that lets nothing else in.
 *
 * @example
 * import { explorer } from 'lexidex/explorer'
 *
 * const indexer = createIndexer(store, { explorer })
 */
export const explorer: Page = {
  load() {
    loaded ??= loadParts()
      .then(assemble)
      .catch((error) => {
        loaded = null
        throw error
      })
    return loaded
  },
}
