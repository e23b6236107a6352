import { makeAtUri } from '../../core/at-uri.ts'
import type { CollectionDef } from '../../core/collection.ts'
import { bookkeeping, type OperationContext } from '../context.ts'

const PAGE = 500
/** Values per statement: D1 binds no more. */
const MAX_VALUES = 90

/** What is stored of a record, as far as comparing needs it. */
export interface StoredRow {
  readonly uri: string
  readonly cid: string
  readonly rev: string
  /** µs since 1970: when this index first met the record. */
  readonly indexed_at: number
}

const COLUMNS = ['uri', 'cid', 'rev', 'indexed_at'] as const

/** An account's rows in one collection, in the order of their keys, page by page. */
export async function* storedRows(
  { store }: OperationContext,
  { table, nsid }: CollectionDef,
  did: string,
): AsyncGenerator<StoredRow, void> {
  let after = makeAtUri(did, nsid, '')
  const end = endOf(after)
  for (;;) {
    const rows: readonly StoredRow[] = await store.db
      .selectFrom(table)
      .select(COLUMNS)
      .where('uri', '>', after)
      .where('uri', '<', end)
      .orderBy('uri')
      .limit(PAGE)
      .execute()
    yield* rows
    if (rows.length < PAGE) return
    after = rows.at(-1)!.uri
  }
}

export async function rowsByUri(
  { store }: OperationContext,
  { table }: CollectionDef,
  uris: readonly string[],
): Promise<ReadonlyMap<string, StoredRow>> {
  const found = new Map<string, StoredRow>()
  for (let i = 0; i < uris.length; i += MAX_VALUES) {
    const part = uris.slice(i, i + MAX_VALUES)
    const rows: readonly StoredRow[] = await store.db
      .selectFrom(table)
      .select(COLUMNS)
      .where('uri', 'in', part)
      .execute()
    for (const row of rows) found.set(row.uri, row)
  }
  return found
}

/** Versions of an account's records in one collection that were refused, by URI. */
export async function refusedVersions(
  { store }: OperationContext,
  { nsid }: CollectionDef,
  did: string,
): Promise<Map<string, { readonly cid: string; readonly rev: string }>> {
  const prefix = makeAtUri(did, nsid, '')
  const rows = await bookkeeping(store)
    .selectFrom('lexidex_quarantine')
    .select(['uri', 'cid', 'rev'])
    .where('uri', '>', prefix)
    .where('uri', '<', endOf(prefix))
    .execute()
  return new Map(rows.map(({ uri, ...version }) => [uri, version]))
}

/** The latest rev of an account that anything here has: its rows, its deletions, its last comparison. */
export async function highestRev({ store, collections }: OperationContext, did: string): Promise<string> {
  const db = bookkeeping(store)
  const prefix = `at://${did}/`
  const account = db.selectFrom('lexidex_account').select('verified_rev as rev').where('did', '=', did)
  const tombstones = db
    .selectFrom('lexidex_tombstone')
    .select((eb) => eb.fn.max('rev').as('rev'))
    .where('uri', '>', prefix)
    .where('uri', '<', endOf(prefix))
  const rows = collections.map(({ table }) =>
    store.db
      .selectFrom(table)
      .select((eb) => eb.fn.max('rev').as('rev'))
      .where('did', '=', did),
  )
  let highest = ''
  for (const query of [account, tombstones, ...rows]) {
    const rev = (await query.executeTakeFirst())?.rev
    if (typeof rev === 'string' && rev > highest) highest = rev
  }
  return highest
}

/** The first text after all that begins with `prefix`, which ends in a slash. */
function endOf(prefix: string): string {
  return `${prefix.slice(0, -1)}0`
}
