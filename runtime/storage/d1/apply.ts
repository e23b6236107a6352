import { LexidexError } from '../../core/errors.ts'
import type { ApplyBatch, DeleteOperation, PutOperation, QuarantineOperation } from '../../core/operation.ts'
import { CLEAR_REPLACED, LATEST, putSql, RENEW_VERSIONS, UPSERT_CURSOR } from '../sqlite/statements.ts'
import { accountOf, type CollectionTable } from '../sqlite/tables.ts'
import type { ApplyResult } from '../store.ts'
import { AccountStatements } from './account-writes.ts'
import type { D1Binding } from './binding.ts'
import { type Group, groupsOf } from './groups.ts'
import { arraysOf, fits, isLong, type Row, wellFormed } from './rows.ts'
import * as sql from './statements.ts'
import { Transaction } from './transaction.ts'

/** What is left of a record that D1 cannot hold. */
const NOT_KEPT = JSON.stringify('The record could not be kept.')

/** Writes batches, each as one transaction of statements that hold many rows each. */
export class BatchWriter {
  readonly #binding: D1Binding
  readonly #tables: ReadonlyMap<string, CollectionTable>
  readonly #accounts: AccountStatements
  #hasWritten = false

  constructor(binding: D1Binding, tables: readonly CollectionTable[]) {
    this.#binding = binding
    this.#tables = new Map(tables.map((table) => [table.table, table]))
    this.#accounts = new AccountStatements(tables)
  }

  async apply({ operations, positions, now }: ApplyBatch): Promise<ApplyResult> {
    const transaction = new Transaction()
    const result = { puts: 0, deletes: 0, quarantined: 0 }
    const kept = operations.map((operation) => (operation.op === 'put' ? this.#storable(operation) : operation))
    this.#accounts.remember(transaction, this.#newAuthors(kept), now)
    for (const group of groupsOf(kept)) this.#write(transaction, group, now, result)
    const replaced: Row[] = []
    for (const operation of kept) {
      if (operation.op === 'put' && !operation.retry) replaced.push([operation.uri, operation.rev])
    }
    for (const { json } of arraysOf(replaced)) transaction.add(CLEAR_REPLACED, [json])
    for (const { source, epoch, cursor } of positions) transaction.add(UPSERT_CURSOR, [source, epoch, cursor, now])
    // Not for a position alone: a Worker has a new store for every cycle, most of which find nothing.
    const isFirst = !this.#hasWritten && operations.length > 0
    if (isFirst) transaction.add(RENEW_VERSIONS, [now * 1000])
    await transaction.run(this.#binding)
    if (isFirst) this.#hasWritten = true
    return result
  }

  #write(transaction: Transaction, group: Group, now: number, result: Counts): void {
    for (const [table, puts] of group.puts) this.#put(transaction, this.#tableOf(table), puts, result)
    for (const [table, retries] of group.retries) {
      const versions = retries.map(({ uri, rev }): Row => [uri, rev])
      for (const { json } of arraysOf(versions)) transaction.add(sql.LIFT_TOMBSTONE_ROWS, [json])
      this.#put(transaction, this.#tableOf(table), retries, result)
      for (const { json } of arraysOf(versions)) transaction.add(sql.CLEAR_RETRIED_ROWS, [json])
    }
    for (const [table, deletes] of group.deletes) this.#delete(transaction, this.#tableOf(table), deletes, now, result)
    for (const [table, refused] of group.refusals) this.#refuse(transaction, this.#tableOf(table), refused, now, result)
    this.#accounts.check(transaction, group.checks, now)
    this.#accounts.settle(transaction, group.findings, now)
  }

  #put(transaction: Transaction, table: CollectionTable, puts: readonly PutOperation[], result: Counts): void {
    const isRetry = puts[0]!.retry === true
    const rows = puts.map((put): Row => {
      const { uri, did, rkey, cid, rev, indexedAt, sortAt, values, record } = put
      const subject = table.subject < 0 ? [] : [accountOf(values[table.subject]!)]
      return [uri, did, rkey, cid, rev, indexedAt, sortAt, ...values.map(wellFormed), record, ...subject]
    })
    const count = (kept: Record<string, unknown>[]) => {
      result.puts += kept.length
    }
    for (const part of arraysOf(rows)) {
      if (!isLong(part.json)) {
        transaction.add(sql.putRows(table, isRetry), [part.json], count)
        continue
      }
      const [row] = part.rows
      const [uri, did, , , rev] = row!
      const record = 7 + table.columns.length
      const judged = isRetry ? LATEST : rev!
      const values = [...row!.slice(0, record + 1), did!, judged, uri!, rev!, ...row!.slice(record + 1)]
      transaction.add(`${putSql(table)}\nRETURNING 1`, values, count)
    }
  }

  #delete(
    transaction: Transaction,
    table: CollectionTable,
    deletes: readonly DeleteOperation[],
    now: number,
    result: Counts,
  ): void {
    for (const { json } of arraysOf(deletes.map(({ uri, rev, did }) => [uri, rev, did, now]))) {
      const removed = new Set<string>()
      transaction.add(sql.removeRows(table), [json], (rows) => addUris(removed, rows))
      transaction.add(sql.CLEAR_DELETED_ROWS, [json])
      transaction.add(sql.tombstoneRows(table), [json], (rows) => {
        result.deletes += rows.length + othersIn(removed, rows)
      })
    }
  }

  #refuse(
    transaction: Transaction,
    table: CollectionTable,
    refused: readonly QuarantineOperation[],
    now: number,
    result: Counts,
  ): void {
    const rows = refused.map(({ uri, rev, did, cid, reason, record }): Row => {
      const text = fits([record]) ? record : NOT_KEPT
      return [uri, rev, did, now, cid, wellFormed(reason), text]
    })
    for (const { json, rows: part } of arraysOf(rows)) {
      const kept: Record<string, unknown>[] = []
      const keep = (rows: Record<string, unknown>[]) => void kept.push(...rows)
      // One that is too long for JSON in JSON is bound with its text beside the rest.
      if (!isLong(json)) transaction.add(sql.quarantineRows(table), [json], keep)
      else transaction.add(sql.quarantineLongRow(table), [part[0]!.at(-1)!, withoutRecord(part[0]!)], keep)
      const versions = JSON.stringify(part.map((row) => row.slice(0, 4)))
      transaction.add(sql.removeRows(table), [versions], (removed) => {
        result.quarantined += kept.length + othersIn(new Set(removed.map(uriOf)), kept)
      })
      transaction.add(sql.refusalTombstoneRows(table), [versions])
    }
  }

  /** D1 holds no row of more than 2 MB: a record that is larger is refused, and told of, as one that breaks its lexicon. */
  #storable(put: PutOperation): PutOperation | QuarantineOperation {
    if (fits([put.uri, put.record, ...put.values])) return put
    const { collection, uri, did, rev, cid } = put
    const reason = 'Record is larger than D1 can hold: a row has 2 MB at most'
    return { op: 'quarantine', collection, uri, did, rev, cid, reason, record: NOT_KEPT }
  }

  /** They become known before any row of the batch asks whether they are. */
  #newAuthors(operations: ApplyBatch['operations']): ReadonlySet<string> {
    const dids = new Set<string>()
    for (const operation of operations) {
      if (operation.op === 'put' && this.#tableOf(operation.collection.table).discover) dids.add(operation.did)
    }
    return dids
  }

  #tableOf(name: string): CollectionTable {
    const table = this.#tables.get(name)
    if (table !== undefined) return table
    throw new LexidexError(`The store was not told of the table ${name}`, {
      hint: 'Pass all collections of the app to `store.use()` before applying.',
    })
  }
}

type Counts = { -readonly [K in keyof ApplyResult]: number }

function uriOf(row: Record<string, unknown>): string {
  return String(row.uri)
}

function addUris(to: Set<string>, rows: Record<string, unknown>[]): void {
  for (const row of rows) to.add(uriOf(row))
}

/** How many of the URIs are not among the rows'. */
function othersIn(uris: ReadonlySet<string>, rows: Record<string, unknown>[]): number {
  if (uris.size === 0) return 0
  const among = new Set(rows.map(uriOf))
  return [...uris].filter((uri) => !among.has(uri)).length
}

function withoutRecord(row: Row): string {
  return JSON.stringify([row.slice(0, -1)])
}
