import type { CollectionTable } from './tables.ts'

/** A name in double quotes: any column of a lexicon is safe, keywords too. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

const KNOWN_ACCOUNT = 'EXISTS (SELECT 1 FROM lexidex_account WHERE did = ?)'
const NOT_DELETED = 'NOT EXISTS (SELECT 1 FROM lexidex_account WHERE did = ? AND hidden = 2)'
/**
 * What a repo was found to hold as a whole at a rev has the last word on all that came before. Binds: did, rev.
 */
const NOT_BEFORE_VERIFIED = 'NOT EXISTS (SELECT 1 FROM lexidex_account WHERE did = ? AND verified_rev > ?)'

/** In place of a rev: later than any. Retries were judged when they first came. */
export const LATEST = 'zzzzzzzzzzzzz'

/**
 * The guarded upsert of a record. It needs a known account that is not deleted, and was not compared as a whole at a
 * later rev; it loses to a row of an equal or later rev and to a tombstone of one; the time of the first meeting stays.
 *
 * Binds, in order: uri, did, rkey, cid, rev, indexed_at, sort_at; the collection's columns; record; did; rev, or `LATEST`;
 * uri, rev; then the subject's DID where the collection has a subject.
 */
export function putSql(collection: CollectionTable): string {
  const table = quote(collection.table)
  const columns = collection.columns.map(quote)
  const names = ['uri', 'did', 'rkey', 'cid', 'rev', 'indexed_at', 'sort_at', 'hidden', ...columns, 'record']
  const values = ['?, ?, ?, ?, ?, ?, ?', 'account.hidden', ...columns.map(() => '?'), '?']
  const guards = [
    'account.did = ?',
    'account.hidden < 2',
    "? >= coalesce(account.verified_rev, '')",
    'NOT EXISTS (SELECT 1 FROM lexidex_tombstone WHERE uri = ? AND rev >= ?)',
    ...(collection.subject < 0 ? [] : [KNOWN_ACCOUNT]),
  ]
  return [
    `INSERT INTO ${table} (${names.join(', ')})`,
    `SELECT ${values.join(', ')} FROM lexidex_account AS account`,
    `WHERE ${guards.join(' AND ')}`,
    replaceEarlier(collection),
  ].join('\n')
}

/** What an insert of a record does where there is one: replaces it, unless its rev is equal or later. */
export function replaceEarlier(collection: CollectionTable): string {
  const table = quote(collection.table)
  // `hidden` is not updated: the row already has its account's, and the column is watched by triggers.
  const updates = [
    'cid = excluded.cid',
    'rev = excluded.rev',
    `sort_at = min(excluded.sort_at, ${table}.indexed_at)`,
    ...collection.columns.map(quote).map((column) => `${column} = excluded.${column}`),
    'record = excluded.record',
  ]
  return `ON CONFLICT (uri) DO UPDATE SET ${updates.join(', ')}
WHERE excluded.rev > ${table}.rev`
}

/** Binds: uri, rev; did, rev. */
export function removeSql(collection: CollectionTable): string {
  return `DELETE FROM ${quote(collection.table)} WHERE uri = ? AND rev <= ? AND ${NOT_BEFORE_VERIFIED}`
}

/**
 * Remembers a deletion. Of accounts unknown to a dependent collection nothing is kept, so nothing need stay deleted;
 * without that guard every deletion on the network would leave a row.
 *
 * Binds: uri, rev, deleted_at; did, rev; then did where the collection is dependent.
 */
export function tombstoneSql(collection: CollectionTable): string {
  return upsertTombstone(collection.discover ? [] : [KNOWN_ACCOUNT])
}

/**
 * Keeps what a refused version replaced away. Of deleted accounts nothing is refused: they may come back with the same
 * version, and it must then be met anew.
 *
 * Binds: uri, rev, deleted_at; did, rev; did; then did where the collection is dependent.
 */
export function refusalTombstoneSql(collection: CollectionTable): string {
  return upsertTombstone(collection.discover ? [NOT_DELETED] : [NOT_DELETED, KNOWN_ACCOUNT])
}

function upsertTombstone(guards: readonly string[]): string {
  return `INSERT INTO lexidex_tombstone (uri, rev, deleted_at)
SELECT ?, ?, ? WHERE ${[NOT_BEFORE_VERIFIED, ...guards].join(' AND ')}
ON CONFLICT (uri) DO UPDATE SET rev = excluded.rev, deleted_at = excluded.deleted_at
WHERE excluded.rev > lexidex_tombstone.rev`
}

/**
 * Keeps a refused version, unless a later one was seen. Runs before the tombstone of the same operation is written.
 *
 * Binds: uri, collection, did, rev, cid, reason, record, quarantined_at; uri, rev; uri, rev; did, rev; did; then did where
 * the collection is dependent.
 */
export function quarantineSql(collection: CollectionTable): string {
  const guards = [
    'NOT EXISTS (SELECT 1 FROM lexidex_tombstone WHERE uri = ? AND rev >= ?)',
    `NOT EXISTS (SELECT 1 FROM ${quote(collection.table)} WHERE uri = ? AND rev > ?)`,
    NOT_BEFORE_VERIFIED,
    NOT_DELETED,
    ...(collection.discover ? [] : [KNOWN_ACCOUNT]),
  ]
  return `INSERT INTO lexidex_quarantine (uri, collection, did, rev, cid, reason, record, quarantined_at)
SELECT ?, ?, ?, ?, ?, ?, ?, ? WHERE ${guards.join(' AND ')}
ON CONFLICT (uri) DO UPDATE SET rev = excluded.rev, cid = excluded.cid, reason = excluded.reason,
  record = excluded.record, quarantined_at = excluded.quarantined_at
WHERE excluded.rev > lexidex_quarantine.rev`
}

/** Forgets refused versions that a later put replaced. Binds: JSON array of [uri, rev]. */
export const CLEAR_REPLACED = `DELETE FROM lexidex_quarantine WHERE uri IN (
  SELECT q.uri FROM json_each(?) AS put CROSS JOIN lexidex_quarantine AS q ON q.uri = put.value ->> 0
  WHERE q.rev < put.value ->> 1 AND NOT EXISTS (
    SELECT 1 FROM lexidex_account WHERE did = q.did AND verified_rev > put.value ->> 1
  )
)`

/** Forgets a refused version that a deletion or a retry of it settles. Binds: uri, rev; did; rev, or `LATEST`. */
export const CLEAR_SETTLED = `DELETE FROM lexidex_quarantine WHERE uri = ? AND rev <= ? AND ${NOT_BEFORE_VERIFIED}`

/**
 * Takes back the tombstone that a quarantine left, so that its version can be tried again; never one of a deletion,
 * which has no refused version beside it. Binds: uri, rev; uri, rev.
 */
export const LIFT_TOMBSTONE = `DELETE FROM lexidex_tombstone WHERE uri = ? AND rev = ?
AND EXISTS (SELECT 1 FROM lexidex_quarantine WHERE uri = ? AND rev = ?)`

/** Binds: source, epoch, cursor, updated_at. */
export const UPSERT_CURSOR = `INSERT INTO lexidex_cursor (source, epoch, cursor, updated_at) VALUES (?, ?, ?, ?)
ON CONFLICT (source) DO UPDATE SET epoch = excluded.epoch, cursor = excluded.cursor, updated_at = excluded.updated_at`

/** None while a bulk load goes on, which does without the triggers. */
export const READ_VERSIONS = `SELECT name, version FROM lexidex_version
WHERE NOT EXISTS (SELECT 1 FROM lexidex_state WHERE name = 'bulk_load')`

/**
 * Lets versions go on from the time where that is later. From a backup that was put back they would else count on through
 * numbers that clients know, and that stood for something else. Binds: µs since 1970.
 */
export const RENEW_VERSIONS = 'UPDATE lexidex_version SET version = max(version + 1, ?)'
