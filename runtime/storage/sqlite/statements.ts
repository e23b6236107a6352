import type { CollectionDef } from '../../core/collection.ts'

/** A name in double quotes: any column of a lexicon is safe, keywords too. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

const KNOWN_ACCOUNT = 'EXISTS (SELECT 1 FROM lexidex_account WHERE did = ?)'

/**
 * The guarded upsert of a record. It loses to a row of an equal or later rev and to a tombstone of one; the time of
 * the first meeting stays.
 *
 * Binds, in order: uri, did, rkey, cid, rev, indexed_at, sort_at, did; the collection's columns; record; uri, rev;
 * then did where the collection is dependent, and the subject's DID where it has a subject.
 */
export function putSql(collection: CollectionDef): string {
  const table = quote(collection.table)
  const columns = Object.keys(collection.columns).map(quote)
  const names = ['uri', 'did', 'rkey', 'cid', 'rev', 'indexed_at', 'sort_at', 'hidden', ...columns, 'record']
  const values = [
    '?, ?, ?, ?, ?, ?, ?',
    'coalesce((SELECT hidden FROM lexidex_account WHERE did = ?), 0)',
    ...columns.map(() => '?'),
    '?',
  ]
  const guards = [
    'NOT EXISTS (SELECT 1 FROM lexidex_tombstone WHERE uri = ? AND rev >= ?)',
    ...(collection.discover ? [] : [KNOWN_ACCOUNT]),
    ...(collection.subjectColumn === undefined ? [] : [KNOWN_ACCOUNT]),
  ]
  // `hidden` is not updated: the row already has its account's, and the column is watched by triggers.
  const updates = [
    'cid = excluded.cid',
    'rev = excluded.rev',
    `sort_at = min(excluded.sort_at, ${table}.indexed_at)`,
    ...columns.map((column) => `${column} = excluded.${column}`),
    'record = excluded.record',
  ]
  return [
    `INSERT INTO ${table} (${names.join(', ')})`,
    `SELECT ${values.join(', ')}`,
    `WHERE ${guards.join(' AND ')}`,
    `ON CONFLICT (uri) DO UPDATE SET ${updates.join(', ')}`,
    `WHERE excluded.rev > ${table}.rev`,
  ].join('\n')
}

/** Binds: uri, rev. */
export function removeSql(collection: CollectionDef): string {
  return `DELETE FROM ${quote(collection.table)} WHERE uri = ? AND rev <= ?`
}

/**
 * Remembers a deletion. Of accounts unknown to a dependent collection nothing is kept, so nothing need stay deleted;
 * without that guard every deletion on the network would leave a row.
 *
 * Binds: uri, rev, deleted_at; then did where the collection is dependent.
 */
export function tombstoneSql(collection: CollectionDef): string {
  return `INSERT INTO lexidex_tombstone (uri, rev, deleted_at)
SELECT ?, ?, ? WHERE ${collection.discover ? 'true' : KNOWN_ACCOUNT}
ON CONFLICT (uri) DO UPDATE SET rev = excluded.rev, deleted_at = excluded.deleted_at
WHERE excluded.rev > lexidex_tombstone.rev`
}

/**
 * Keeps a refused version, unless a later one was seen. Runs before the tombstone of the same operation is written.
 *
 * Binds: uri, collection, did, rev, cid, reason, record, quarantined_at; uri, rev; uri, rev; then did where the
 * collection is dependent.
 */
export function quarantineSql(collection: CollectionDef): string {
  const guards = [
    'NOT EXISTS (SELECT 1 FROM lexidex_tombstone WHERE uri = ? AND rev >= ?)',
    `NOT EXISTS (SELECT 1 FROM ${quote(collection.table)} WHERE uri = ? AND rev > ?)`,
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
  WHERE q.rev < put.value ->> 1
)`

/** Forgets a refused version that a deletion or a retry of it settles. Binds: uri, rev. */
export const CLEAR_SETTLED = 'DELETE FROM lexidex_quarantine WHERE uri = ? AND rev <= ?'

/**
 * Takes back the tombstone that a quarantine left, so that its version can be tried again; never one of a deletion,
 * which has no refused version beside it. Binds: uri, rev; uri, rev.
 */
export const LIFT_TOMBSTONE = `DELETE FROM lexidex_tombstone WHERE uri = ? AND rev = ?
AND EXISTS (SELECT 1 FROM lexidex_quarantine WHERE uri = ? AND rev = ?)`

/** Binds: first_seen_at, JSON array of DIDs. Returns those that were new. */
export const INSERT_ACCOUNTS = `INSERT INTO lexidex_account (did, first_seen_at)
SELECT value, ? FROM json_each(?) WHERE true
ON CONFLICT (did) DO NOTHING
RETURNING did`

/** A job for every pair. Binds: updated_at, JSON array of DIDs, JSON array of NSIDs. */
export const INSERT_JOBS = `INSERT INTO lexidex_job (did, collection, updated_at)
SELECT account.value, dependent.value, ? FROM json_each(?) AS account CROSS JOIN json_each(?) AS dependent
WHERE true ON CONFLICT (did, collection) DO NOTHING`

/** Binds: source, epoch, cursor, updated_at. */
export const UPSERT_CURSOR = `INSERT INTO lexidex_cursor (source, epoch, cursor, updated_at) VALUES (?, ?, ?, ?)
ON CONFLICT (source) DO UPDATE SET epoch = excluded.epoch, cursor = excluded.cursor, updated_at = excluded.updated_at`
