import { LexidexError } from '../core/errors.ts'

/** Jetstream takes no more `wantedCollections` than this. */
const MAX_COLLECTIONS = 100

/**
 * The subscriptions that follow these collections.
 *
 * @throws LexidexError where there is no URL, an invalid one, or more than 100 collections
 */
export function subscriptionUrls(urls: readonly string[], collections: readonly string[]): readonly URL[] {
  if (urls.length === 0) {
    throw new LexidexError('No Jetstream to follow', { hint: 'Name at least one in `jetstreams` of the config.' })
  }
  if (collections.length > MAX_COLLECTIONS) {
    throw new LexidexError(`Jetstream filters by at most ${MAX_COLLECTIONS} collections, not ${collections.length}`, {
      hint: 'Split the collections over two apps, each with an index of its own.',
    })
  }
  return urls.map((text) => {
    const url = URL.canParse(text) ? new URL(text) : null
    if (url === null || !/^wss?:$/.test(url.protocol)) {
      throw new LexidexError(`Not the URL of a Jetstream: ${text}`, { hint: 'Write it as wss://host.' })
    }
    if (url.pathname === '/') url.pathname = '/subscribe'
    for (const collection of collections) url.searchParams.append('wantedCollections', collection)
    return url
  })
}
