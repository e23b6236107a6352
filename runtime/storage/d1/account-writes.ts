import type { AccountOperation } from '../../core/operation.ts'
import type { CollectionTable } from '../sqlite/tables.ts'
import * as sql from './account-statements.ts'
import { arraysOf, type Row } from './rows.ts'
import { CHECK_ROWS, JOBS_OF_NEW, REMEMBER } from './statements.ts'
import type { Transaction } from './transaction.ts'

const SHOWN = 0
const HIDDEN = 1
const DELETED = 2

/** What batches write about accounts, beside their records. */
export class AccountStatements {
  readonly #tables: readonly string[]
  /** JSON array of the dependent collections' NSIDs; null where there are none. */
  readonly #dependents: string | null

  constructor(tables: readonly CollectionTable[]) {
    this.#tables = tables.map(({ table }) => table)
    const dependents = tables.filter(({ discover }) => !discover).map(({ nsid }) => nsid)
    this.#dependents = dependents.length > 0 ? JSON.stringify(dependents) : null
  }

  /** Makes accounts known, each new one with a pending job per dependent collection. */
  remember(transaction: Transaction, dids: ReadonlySet<string>, now: number): void {
    if (dids.size === 0) return
    const json = JSON.stringify([...dids])
    // First, while those that are new are not known.
    if (this.#dependents !== null) transaction.add(JOBS_OF_NEW, [now, json, this.#dependents])
    transaction.add(REMEMBER, [now, json])
  }

  check(transaction: Transaction, checks: ReadonlyMap<string, boolean>, now: number): void {
    const rows = [...checks].map(([did, resync]): Row => [did, resync ? 1 : 0])
    for (const { json } of arraysOf(rows)) transaction.add(CHECK_ROWS, [now, json])
  }

  settle(transaction: Transaction, findings: readonly AccountOperation[], now: number): void {
    if (findings.length === 0) return
    for (const hidden of [SHOWN, HIDDEN, DELETED]) {
      const dids = findings.filter(({ status }) => hiddenBy(status) === hidden).map(({ did }) => did)
      if (dids.length > 0) this.#showOrHide(transaction, hidden, JSON.stringify(dids))
    }
    const rows = findings.map(
      ({ did, status, handle, pds, askedAt }): Row => [did, status, handle, pds, askedAt ?? null],
    )
    for (const { json } of arraysOf(rows)) transaction.add(sql.SET_FOUND, [now, json])
    const handles = findings.flatMap(({ did, handle }): Row[] => (handle === null ? [] : [[handle, did]]))
    for (const { json } of arraysOf(handles)) transaction.add(sql.CLEAR_HANDLES, [json])
  }

  #showOrHide(transaction: Transaction, hidden: number, dids: string): void {
    const add = (statement: string) => transaction.add(statement, [hidden, dids])
    if (hidden === DELETED) {
      for (const table of this.#tables) add(sql.purgeRows(table))
      // Should the account come back with the same versions, they are to be judged anew.
      add(sql.LIFT_TOMBSTONES_OF)
      add(sql.PURGE_QUARANTINE_OF)
      add(sql.PURGE_JOBS_OF)
    } else {
      for (const table of this.#tables) add(sql.hideRows(table))
      if (hidden === SHOWN) add(sql.REVIVE_JOBS_OF)
    }
    add(sql.SET_HIDDEN)
  }
}

function hiddenBy(status: string): number {
  return status === 'active' ? SHOWN : status === 'deleted' ? DELETED : HIDDEN
}
