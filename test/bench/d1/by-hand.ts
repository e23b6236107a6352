/** A backfill as one would write it by hand for these three collections: no validation, no bookkeeping, nothing retried. */
import { EVENT, RSVP } from '../../../fixtures/network/content.ts'
import type { D1Binding } from '../../../runtime/storage/d1/index.ts'
import { applyRaw, rowsOf } from './raw.ts'

export interface Account {
  readonly did: string
  readonly pds: string
}

/** Records per transaction. */
const BATCH = 1000

/** @returns how many records were listed */
export async function backfillByHand(db: D1Binding, accounts: readonly Account[], atOnce: number): Promise<number> {
  const left = [...accounts]
  let waiting: Parameters<typeof rowsOf>[0][number][] = []
  let records = 0
  // One after the other, as ours are.
  let writing = Promise.resolve()

  const write = () => {
    const batch = rowsOf(waiting)
    waiting = []
    writing = writing.then(() => applyRaw(db, batch))
  }

  const list = async ({ did, pds }: Account, collection: string) => {
    let cursor: string | undefined
    do {
      const query = new URLSearchParams({ repo: did, collection, limit: '100', ...(cursor && { cursor }) })
      const response = await fetch(`${pds}/xrpc/com.atproto.repo.listRecords?${query}`)
      const page = (await response.json()) as {
        records: { uri: string; cid: string; value: object }[]
        cursor?: string
      }
      for (const { uri, cid, value } of page.records) {
        const commit = { operation: 'create', collection, rkey: uri.split('/').at(-1)!, rev: REV, cid, record: value }
        waiting.push({ kind: 'commit', did, time_us: 1, commit } as (typeof waiting)[number])
        records++
        if (waiting.length === BATCH) write()
      }
      cursor = page.cursor
    } while (cursor !== undefined)
  }

  const work = async () => {
    for (let account = left.pop(); account !== undefined; account = left.pop()) {
      for (const collection of [EVENT, RSVP, 'app.bsky.actor.profile']) await list(account, collection)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  write()
  await writing
  return records
}

const REV = '3aaaaaaaaaaaa'
