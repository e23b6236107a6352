import type { AccountOperation } from '../../core/operation.ts'
import type { Bound } from './connection.ts'
import { quote } from './sql.ts'
import type { CollectionTable } from './tables.ts'

/** Values of `hidden`: rows know the first two, accounts all three. */
const SHOWN = 0
const HIDDEN = 1
const DELETED = 2

/** Runs a statement of the batch's transaction. Resolves to the number of rows that it changed. */
export type Run = (sql: string, values: readonly Bound[]) => Promise<number>

/** What was found out of an account: hides, shows or removes all that it has. */
export async function settle(
  run: Run,
  tables: readonly CollectionTable[],
  { did, status, handle, pds, askedAt }: AccountOperation,
  now: number,
): Promise<void> {
  const hidden = status === 'active' ? SHOWN : status === 'deleted' ? DELETED : HIDDEN
  if ((await run(SET_HIDDEN, [hidden, did])) !== 0) await showOrHide(run, tables, did, hidden)
  const known = await run(SET_FOUND, [status, handle, pds, now, askedAt ?? null, did])
  if (known !== 0 && handle !== null) await run(CLEAR_HANDLE, [handle, did])
}

async function showOrHide(run: Run, tables: readonly CollectionTable[], did: string, hidden: number): Promise<void> {
  const range = uriRange(did)
  if (hidden !== DELETED) {
    for (const { table } of tables) await run(hideSql(table), [...range, hidden])
    if (hidden === SHOWN) await run(REVIVE_JOBS, [did])
    return
  }
  for (const { table } of tables) await run(purgeSql(table), range)
  // Should the account come back with the same versions, they are to be judged anew.
  await run(LIFT_TOMBSTONES, range)
  await run(PURGE_QUARANTINE, range)
  await run(PURGE_JOBS, [did])
}

/** Where the URIs of an account's records begin and end. Every table has its URIs in order, whatever else it has. */
function uriRange(did: string): [from: string, to: string] {
  // `0` follows `/`, and no DID contains either.
  return [`at://${did}/`, `at://${did}0`]
}

/** Binds: first and last URI; hidden. */
function hideSql(table: string): string {
  return `UPDATE ${quote(table)} SET hidden = $3 WHERE uri >= $1 AND uri < $2 AND hidden <> $3`
}

/** Binds: first and last URI. */
function purgeSql(table: string): string {
  return `DELETE FROM ${quote(table)} WHERE uri >= $1 AND uri < $2`
}

/**
 * Changes no row where the account is as hidden already. What was removed has to be fetched again once the account is
 * back. Binds: hidden, did.
 */
const SET_HIDDEN = `UPDATE lexidex_account SET hidden = $1::smallint,
  verified_rev = CASE WHEN $1::smallint = ${DELETED} THEN NULL ELSE verified_rev END,
  resync = CASE WHEN $1::smallint = ${DELETED} THEN 0 WHEN hidden = ${DELETED} THEN 1 ELSE resync END
WHERE did = $2 AND hidden <> $1::smallint`

/** A hint that came while the account was asked leaves it due. Binds: status, handle, pds, resolved_at, asked at, did. */
const SET_FOUND = `UPDATE lexidex_account SET status = $1, handle = $2, pds = $3, resolved_at = $4,
  check_due_at = CASE WHEN check_due_at >= $5::bigint THEN check_due_at END, check_attempts = 0, check_error = NULL
WHERE did = $6`

/** Binds: handle, did of the account that has it. */
const CLEAR_HANDLE = 'UPDATE lexidex_account SET handle = NULL WHERE handle = $1 AND did <> $2'

/** What was given up, or put off, while the account could not be had. Binds: did. */
const REVIVE_JOBS = `UPDATE lexidex_job SET status = 'pending', attempts = 0, due_at = 0
WHERE did = $1 AND status <> 'completed'`

/** Those that the account's refused versions left. Binds: first and last URI. */
const LIFT_TOMBSTONES = `DELETE FROM lexidex_tombstone AS grave USING lexidex_quarantine AS refused
WHERE refused.uri >= $1 AND refused.uri < $2 AND grave.uri = refused.uri AND grave.rev = refused.rev`

/** Binds: first and last URI. */
const PURGE_QUARANTINE = 'DELETE FROM lexidex_quarantine WHERE uri >= $1 AND uri < $2'

/** Binds: did. */
const PURGE_JOBS = 'DELETE FROM lexidex_job WHERE did = $1'
