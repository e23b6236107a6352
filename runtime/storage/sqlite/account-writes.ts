import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { AccountOperation, CheckOperation } from '../../core/operation.ts'
import { quote } from './statements.ts'
import type { CollectionTable } from './tables.ts'

/** Values of `hidden`: rows know the first two, accounts all three. */
const SHOWN = 0
const HIDDEN = 1
const DELETED = 2

/** What batches write about accounts, beside their records. */
export class AccountWriter {
  readonly #statements: ReturnType<typeof prepareAccounts>
  readonly #tables: readonly { readonly hide: StatementSync; readonly purge: StatementSync }[]
  /** JSON array of the dependent collections' NSIDs; null where there are none. */
  readonly #dependents: string | null

  constructor(db: DatabaseSync, tables: readonly CollectionTable[]) {
    this.#statements = prepareAccounts(db)
    this.#tables = tables.map(({ table }) => ({ hide: db.prepare(hideSql(table)), purge: db.prepare(purgeSql(table)) }))
    const dependents = tables.filter(({ discover }) => !discover).map(({ nsid }) => nsid)
    this.#dependents = dependents.length > 0 ? JSON.stringify(dependents) : null
  }

  /** Makes accounts known, each new one with a pending job per dependent collection. */
  remember(dids: ReadonlySet<string>, now: number): void {
    if (dids.size === 0) return
    const added = this.#statements.insert.all(now, JSON.stringify([...dids]))
    if (added.length === 0 || this.#dependents === null) return
    this.#statements.insertJobs.run(now, JSON.stringify(added.map((row) => row.did)), this.#dependents)
  }

  check({ did, resync }: CheckOperation, now: number): void {
    this.#statements.check.run(now, resync ? 1 : 0, did)
  }

  settle({ did, status, handle, pds, askedAt }: AccountOperation, now: number): void {
    const { setHidden, setFound, clearHandle } = this.#statements
    const hidden = status === 'active' ? SHOWN : status === 'deleted' ? DELETED : HIDDEN
    if (setHidden.run(hidden, hidden, hidden, did, hidden).changes !== 0) this.#showOrHide(did, hidden)
    const known = setFound.run(status, handle, pds, now, askedAt ?? null, did).changes !== 0
    if (known && handle !== null) clearHandle.run(handle, did)
  }

  #showOrHide(did: string, hidden: number): void {
    const [from, to] = uriRange(did)
    if (hidden !== DELETED) {
      for (const { hide } of this.#tables) hide.run(hidden, from, to, hidden)
      if (hidden === SHOWN) this.#statements.reviveJobs.run(did)
      return
    }
    const { liftTombstones, purgeQuarantine, purgeJobs } = this.#statements
    for (const { purge } of this.#tables) purge.run(from, to)
    // Should the account come back with the same versions, they are to be judged anew.
    liftTombstones.run(from, to)
    purgeQuarantine.run(from, to)
    purgeJobs.run(did)
  }
}

/** Where the URIs of an account's records begin and end. Every table has its URIs in order, whatever else it has. */
function uriRange(did: string): [from: string, to: string] {
  // `0` follows `/`, and no DID contains either.
  return [`at://${did}/`, `at://${did}0`]
}

/** Binds: hidden; first and last URI; hidden. */
function hideSql(table: string): string {
  return `UPDATE ${quote(table)} SET hidden = ? WHERE uri >= ? AND uri < ? AND hidden <> ?`
}

/** Binds: first and last URI. */
function purgeSql(table: string): string {
  return `DELETE FROM ${quote(table)} WHERE uri >= ? AND uri < ?`
}

function prepareAccounts(db: DatabaseSync) {
  return {
    /** Binds: first_seen_at, JSON array of DIDs. Returns those that were new. */
    insert: db.prepare(`INSERT INTO lexidex_account (did, first_seen_at)
SELECT value, ? FROM json_each(?) WHERE true
ON CONFLICT (did) DO NOTHING
RETURNING did`),

    /** A job for every pair. Binds: updated_at, JSON array of DIDs, JSON array of NSIDs. */
    insertJobs: db.prepare(`INSERT INTO lexidex_job (did, collection, updated_at)
SELECT account.value, dependent.value, ? FROM json_each(?) AS account CROSS JOIN json_each(?) AS dependent
WHERE true ON CONFLICT (did, collection) DO NOTHING`),

    /** Binds: check_due_at, resync, did. */
    check: db.prepare('UPDATE lexidex_account SET check_due_at = ?, resync = max(resync, ?) WHERE did = ?'),

    /**
     * Changes no row where the account is as hidden already. What was removed has to be fetched again once the account
     * is back. Binds: hidden, three times; did; hidden.
     */
    setHidden: db.prepare(`UPDATE lexidex_account SET hidden = ?,
  verified_rev = iif(? = ${DELETED}, NULL, verified_rev),
  resync = iif(? = ${DELETED}, 0, iif(hidden = ${DELETED}, 1, resync))
WHERE did = ? AND hidden <> ?`),

    /** A hint that came while the account was asked leaves it due. Binds: status, handle, pds, resolved_at, asked at, did. */
    setFound: db.prepare(`UPDATE lexidex_account SET status = ?, handle = ?, pds = ?, resolved_at = ?,
  check_due_at = iif(check_due_at >= ?, check_due_at, NULL), check_attempts = 0, check_error = NULL
WHERE did = ?`),

    /** Binds: handle, did of the account that has it. */
    clearHandle: db.prepare('UPDATE lexidex_account SET handle = NULL WHERE handle = ? AND did <> ?'),

    /** Those that the account's refused versions left. Binds: first and last URI. */
    liftTombstones: db.prepare(`DELETE FROM lexidex_tombstone WHERE uri IN (
  SELECT q.uri FROM lexidex_quarantine AS q JOIN lexidex_tombstone AS t ON t.uri = q.uri AND t.rev = q.rev
  WHERE q.uri >= ? AND q.uri < ?
)`),

    /** Binds: first and last URI. */
    purgeQuarantine: db.prepare('DELETE FROM lexidex_quarantine WHERE uri >= ? AND uri < ?'),

    /** What could not be had of an account while it was away is due once it is back. Binds: did. */
    reviveJobs: db.prepare(
      "UPDATE lexidex_job SET status = 'pending', attempts = 0, due_at = 0 WHERE did = ? AND status <> 'completed'",
    ),

    /** Binds: did. */
    purgeJobs: db.prepare('DELETE FROM lexidex_job WHERE did = ?'),
  }
}
