/** Read by tsc only: what the emitted client takes to filter lists by. */
import { createClient } from '../../fixtures/apps/bluesky/src/lexidex/client.js'

const api = createClient('https://index.example.com')

export const calls = [
  api.post.listRecords({ tags: 'atproto' }),
  api.post.listRecords({ tags: ['atproto', 'bluesky'], tagsNot: ['spam'], langs: 'de' }),
  api.post.listRecords({ createdAtMin: '2026-01-01T00:00:00Z', indexedAtMax: '2026-02-01T00:00:00Z' }),
  api.post.listRecords({ likesCountMin: 10, likesCountMax: 20, sort: 'likesCount', order: 'asc' }),
  api.post.listRecords({ embedType: 'app.bsky.embed.images', embedTypeNot: ['app.bsky.embed.video'], limit: 10 }),
  api.post.listRecords({ embedTypeExists: false, search: 'tea', sort: 'relevance' }),
  api.follow.listRecords({ subjectNot: 'did:plc:alice', sort: 'createdAt' }),
  // @ts-expect-error a flag
  api.post.listRecords({ embedTypeExists: 'yes' }),
  // @ts-expect-error one value
  api.post.listRecords({ createdAtMin: ['2026-01-01T00:00:00Z'] }),
  // @ts-expect-error no prefix of what has known values
  api.post.listRecords({ embedTypePrefix: 'app.bsky.' }),
  // @ts-expect-error a number
  api.post.listRecords({ likesCountMax: '20' }),
  // @ts-expect-error nothing is searched there
  api.follow.listRecords({ sort: 'relevance' }),
]
