/**
 * Writes of many rows at once, each with one JSON array of rows to bind. The rules are those of SQLite's statements of
 * single rows; see there.
 */
import { quote, replaceEarlier } from '../sqlite/statements.ts'
import type { CollectionTable } from '../sqlite/tables.ts'

/** The nth member of a row. */
const at = (n: number): string => `item.value ->> ${n}`

const isKnown = (did: string): string => `EXISTS (SELECT 1 FROM lexidex_account WHERE did = ${did})`
const isNotDeleted = (did: string): string =>
  `NOT EXISTS (SELECT 1 FROM lexidex_account WHERE did = ${did} AND hidden = 2)`

/** What a repo was found to hold as a whole has the last word on all that came before. */
const isNotBeforeVerified = (did: string, rev: string): string =>
  `NOT EXISTS (SELECT 1 FROM lexidex_account WHERE did = ${did} AND verified_rev > ${rev})`

/**
 * Row: uri, did, rkey, cid, rev, indexed_at, sort_at; the columns; record; then the subject's DID where the collection has
 * a subject. Returns one row for each that was kept.
 *
 * @param isRetry retries were judged when they first came
 */
export function putRows(collection: CollectionTable, isRetry: boolean): string {
  const table = quote(collection.table)
  const columns = collection.columns.map(quote)
  const names = ['uri', 'did', 'rkey', 'cid', 'rev', 'indexed_at', 'sort_at', 'hidden', ...columns, 'record']
  const values = Array.from({ length: 8 + columns.length }, (_, n) => at(n))
  values.splice(7, 0, 'account.hidden')
  const guards = [
    'account.hidden < 2',
    ...(isRetry ? [] : [`${at(4)} >= coalesce(account.verified_rev, '')`]),
    `NOT EXISTS (SELECT 1 FROM lexidex_tombstone WHERE uri = ${at(0)} AND rev >= ${at(4)})`,
    ...(collection.subject < 0 ? [] : [isKnown(at(8 + columns.length))]),
  ]
  return `INSERT INTO ${table} (${names.join(', ')})
SELECT ${values.join(', ')}
FROM json_each(?) AS item CROSS JOIN lexidex_account AS account ON account.did = ${at(1)}
WHERE ${guards.join(' AND ')}
${replaceEarlier(collection)}
RETURNING 1`
}

/** Row: uri, rev, did. Returns the URIs of rows that went. */
export function removeRows(collection: CollectionTable): string {
  const table = quote(collection.table)
  return `DELETE FROM ${table} WHERE id IN (
  SELECT stored.id FROM json_each(?) AS item CROSS JOIN ${table} AS stored ON stored.uri = ${at(0)}
  WHERE stored.rev <= ${at(1)} AND ${isNotBeforeVerified(at(2), at(1))}
) RETURNING uri`
}

/** Row: uri, rev, did, time. Returns the URIs of deletions that were news. */
export function tombstoneRows(collection: CollectionTable): string {
  return upsertTombstones(collection.discover ? [] : [isKnown(at(2))])
}

/** Row: as `tombstoneRows`. */
export function refusalTombstoneRows(collection: CollectionTable): string {
  return upsertTombstones([isNotDeleted(at(2)), ...(collection.discover ? [] : [isKnown(at(2))])])
}

function upsertTombstones(guards: readonly string[]): string {
  return `INSERT INTO lexidex_tombstone (uri, rev, deleted_at)
SELECT ${at(0)}, ${at(1)}, ${at(3)} FROM json_each(?) AS item
WHERE ${[isNotBeforeVerified(at(2), at(1)), ...guards].join(' AND ')}
ON CONFLICT (uri) DO UPDATE SET rev = excluded.rev, deleted_at = excluded.deleted_at
WHERE excluded.rev > lexidex_tombstone.rev
RETURNING uri`
}

/** Row: uri, rev, did, time, cid, reason, record. Returns the URIs of versions that were kept. */
export function quarantineRows(collection: CollectionTable): string {
  return quarantine(collection, at(6))
}

/** The same for a record of its own. Binds: record; rows of the rest. */
export function quarantineLongRow(collection: CollectionTable): string {
  return quarantine(collection, '?')
}

function quarantine(collection: CollectionTable, record: string): string {
  const guards = [
    `NOT EXISTS (SELECT 1 FROM lexidex_tombstone WHERE uri = ${at(0)} AND rev >= ${at(1)})`,
    `NOT EXISTS (SELECT 1 FROM ${quote(collection.table)} WHERE uri = ${at(0)} AND rev > ${at(1)})`,
    isNotBeforeVerified(at(2), at(1)),
    isNotDeleted(at(2)),
    ...(collection.discover ? [] : [isKnown(at(2))]),
  ]
  return `INSERT INTO lexidex_quarantine (uri, rev, did, quarantined_at, cid, reason, record, collection)
SELECT ${[0, 1, 2, 3, 4, 5].map(at).join(', ')}, ${record}, '${collection.nsid}' FROM json_each(?) AS item
WHERE ${guards.join(' AND ')}
ON CONFLICT (uri) DO UPDATE SET rev = excluded.rev, cid = excluded.cid, reason = excluded.reason,
  record = excluded.record, quarantined_at = excluded.quarantined_at
WHERE excluded.rev > lexidex_quarantine.rev
RETURNING uri`
}

/** Refused versions that a retry settles. Row: uri, rev. */
export const CLEAR_RETRIED_ROWS = clearRows('true')

/** Refused versions that a deletion settles. Row: uri, rev, did. */
export const CLEAR_DELETED_ROWS = clearRows(isNotBeforeVerified(at(2), at(1)))

function clearRows(guard: string): string {
  return `DELETE FROM lexidex_quarantine WHERE uri IN (
  SELECT refused.uri FROM json_each(?) AS item CROSS JOIN lexidex_quarantine AS refused ON refused.uri = ${at(0)}
  WHERE refused.rev <= ${at(1)} AND ${guard}
)`
}

/** Tombstones that quarantines of these very versions left. Row: uri, rev. */
export const LIFT_TOMBSTONE_ROWS = `DELETE FROM lexidex_tombstone WHERE uri IN (
  SELECT buried.uri FROM json_each(?) AS item
  CROSS JOIN lexidex_quarantine AS refused ON refused.uri = ${at(0)} AND refused.rev = ${at(1)}
  CROSS JOIN lexidex_tombstone AS buried ON buried.uri = refused.uri AND buried.rev = refused.rev
)`

/** Jobs for accounts that are not known yet, one per NSID. Binds: updated_at, JSON array of DIDs, JSON array of NSIDs. */
export const JOBS_OF_NEW = `INSERT INTO lexidex_job (did, collection, updated_at)
SELECT item.value, dependent.value, ? FROM json_each(?) AS item CROSS JOIN json_each(?) AS dependent
WHERE NOT ${isKnown('item.value')}
ON CONFLICT (did, collection) DO NOTHING`

/** Binds: first_seen_at, JSON array of DIDs. */
export const REMEMBER = `INSERT INTO lexidex_account (did, first_seen_at)
SELECT value, ? FROM json_each(?) WHERE true ON CONFLICT (did) DO NOTHING`

/** Binds: check_due_at; rows of did, resync, each DID once. */
export const CHECK_ROWS = `UPDATE lexidex_account SET check_due_at = ?, resync = max(lexidex_account.resync, due.resync)
FROM (SELECT ${at(0)} AS did, ${at(1)} AS resync FROM json_each(?) AS item) AS due
WHERE lexidex_account.did = due.did`
