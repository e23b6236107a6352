/** What is written of accounts whose state was found out, many at once. Values of `hidden`: 0 shown, 1 hidden, 2 deleted. */
import { quote } from '../sqlite/statements.ts'

/**
 * The accounts among `?2` that are not as hidden as `?1` yet, with what they have in a table whose URIs are in order. They
 * come first, so that an account that stays as it is costs one look.
 */
function rowsOfChanging(table: string, column: string): string {
  return `SELECT stored.${column} FROM json_each(?2) AS item
  CROSS JOIN lexidex_account AS account ON account.did = item.value AND account.hidden <> ?1
  CROSS JOIN ${table} AS stored ON stored.uri >= 'at://' || item.value || '/' AND stored.uri < 'at://' || item.value || '0'`
}

/** Binds: hidden, JSON array of DIDs. Runs before the accounts are marked themselves. */
export function hideRows(name: string): string {
  const table = quote(name)
  return `UPDATE ${table} SET hidden = ?1 WHERE id IN (
  ${rowsOfChanging(table, 'id')}
  WHERE stored.hidden <> ?1
)`
}

/** Binds: as `hideRows`. */
export function purgeRows(name: string): string {
  const table = quote(name)
  return `DELETE FROM ${table} WHERE id IN (
  ${rowsOfChanging(table, 'id')}
)`
}

/** What refused versions of accounts that go have left. Binds: as `hideRows`, in this order before the next two. */
export const LIFT_TOMBSTONES_OF = `DELETE FROM lexidex_tombstone WHERE uri IN (
  SELECT buried.uri FROM (
  ${rowsOfChanging('lexidex_quarantine', 'uri, stored.rev')}
  ) AS refused CROSS JOIN lexidex_tombstone AS buried ON buried.uri = refused.uri AND buried.rev = refused.rev
)`

export const PURGE_QUARANTINE_OF = `DELETE FROM lexidex_quarantine WHERE uri IN (
  ${rowsOfChanging('lexidex_quarantine', 'uri')}
)`

export const PURGE_JOBS_OF = `DELETE FROM lexidex_job WHERE did IN (
  SELECT did FROM lexidex_account WHERE hidden <> ?1 AND did IN (SELECT value FROM json_each(?2))
)`

/** What could not be fetched while the account was away is tried again. Binds: as `hideRows`, with 0 for hidden. */
export const REVIVE_JOBS_OF = `UPDATE lexidex_job SET status = 'pending', attempts = 0, due_at = 0
WHERE status <> 'completed' AND did IN (
  SELECT did FROM lexidex_account WHERE hidden <> ?1 AND did IN (SELECT value FROM json_each(?2))
)`

/** What was removed has to be fetched again once the account is back. Binds: as `hideRows`; runs after all of those. */
export const SET_HIDDEN = `UPDATE lexidex_account SET hidden = ?1,
  verified_rev = iif(?1 = 2, NULL, verified_rev),
  resync = iif(?1 = 2, 0, iif(hidden = 2, 1, resync))
WHERE did IN (SELECT value FROM json_each(?2)) AND hidden <> ?1`

/**
 * A hint that came while the account was asked leaves it due. Binds: resolved_at; rows of did, status, handle, pds, asked
 * at, each DID once.
 */
export const SET_FOUND = `UPDATE lexidex_account SET status = found.status, handle = found.handle, pds = found.pds,
  resolved_at = ?, check_due_at = iif(check_due_at >= found.asked_at, check_due_at, NULL),
  check_attempts = 0, check_error = NULL
FROM (
  SELECT item.value ->> 0 AS did, item.value ->> 1 AS status, item.value ->> 2 AS handle, item.value ->> 3 AS pds,
    item.value ->> 4 AS asked_at
  FROM json_each(?) AS item
) AS found
WHERE lexidex_account.did = found.did`

/** Binds: rows of handle, did of the known account that has it. */
export const CLEAR_HANDLES = `UPDATE lexidex_account SET handle = NULL WHERE did IN (
  SELECT other.did FROM json_each(?) AS item
  CROSS JOIN lexidex_account AS owner ON owner.did = item.value ->> 1
  CROSS JOIN lexidex_account AS other ON other.handle = item.value ->> 0 AND other.did <> owner.did
)`
