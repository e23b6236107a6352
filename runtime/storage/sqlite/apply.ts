import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { LexidexError, messageOf } from '../../core/errors.ts'
import type {
  AccountOperation,
  ApplyBatch,
  CheckOperation,
  ColumnValue,
  DeleteOperation,
  PutOperation,
  QuarantineOperation,
} from '../../core/operation.ts'
import { misfit } from '../misfit.ts'
import type { ApplyResult } from '../store.ts'
import { AccountWriter } from './account-writes.ts'
import { inTransaction, type TransactionStatements, transactionStatements } from './connection.ts'
import * as sql from './statements.ts'
import { accountOf, type CollectionTable } from './tables.ts'

/** An operation that names its collection by the table: all that is left of it in another thread. */
type OnTable<O> = Omit<O, 'collection'> & { readonly collection: { readonly table: string } }

export type WrittenOperation =
  | OnTable<PutOperation>
  | OnTable<DeleteOperation>
  | OnTable<QuarantineOperation>
  | CheckOperation
  | AccountOperation

export type WrittenBatch = Omit<ApplyBatch, 'operations'> & { readonly operations: readonly WrittenOperation[] }

interface TableStatements extends CollectionTable {
  readonly put: StatementSync
  readonly remove: StatementSync
  readonly tombstone: StatementSync
  readonly refusalTombstone: StatementSync
  readonly quarantine: StatementSync
  /** Reused for every put, so that a row costs no array. */
  readonly binds: ColumnValue[]
}

interface SharedStatements extends TransactionStatements {
  readonly cursor: StatementSync
  readonly clearReplaced: StatementSync
  readonly clearSettled: StatementSync
  readonly liftTombstone: StatementSync
  readonly renewVersions: StatementSync
}

/** Applies batches with statements that are prepared once. Every method is one synchronous piece of work. */
export class BatchWriter {
  readonly #db: DatabaseSync
  readonly #shared: SharedStatements
  readonly #accounts: AccountWriter
  readonly #tables = new Map<string, TableStatements>()
  #hasWritten = false

  /** @throws LexidexError where a table or column is missing */
  constructor(db: DatabaseSync, tables: readonly CollectionTable[]) {
    this.#db = db
    try {
      this.#shared = prepareShared(db)
      this.#accounts = new AccountWriter(db, tables)
      for (const table of tables) this.#tables.set(table.table, prepareTable(db, table))
    } catch (cause) {
      throw misfit(messageOf(cause), cause)
    }
  }

  apply(batch: WrittenBatch): ApplyResult {
    const result = inTransaction(this.#db, this.#shared, () => {
      if (!this.#hasWritten) this.#shared.renewVersions.run(batch.now * 1000)
      return this.#write(batch)
    })
    this.#hasWritten = true
    return result
  }

  #write({ operations, positions, now }: WrittenBatch): ApplyResult {
    this.#accounts.remember(this.#newAuthors(operations), now)
    let puts = 0
    let deletes = 0
    let quarantined = 0
    const replaced: [string, string][] = []
    for (const operation of operations) {
      switch (operation.op) {
        case 'put':
          if (this.#put(operation)) puts++
          if (!operation.retry) replaced.push([operation.uri, operation.rev])
          break
        case 'delete':
          if (this.#delete(operation, now)) deletes++
          break
        case 'quarantine':
          if (this.#quarantine(operation, now)) quarantined++
          break
        case 'check':
          this.#accounts.check(operation, now)
          break
        case 'account':
          this.#accounts.settle(operation, now)
          break
      }
    }
    if (replaced.length > 0) this.#shared.clearReplaced.run(JSON.stringify(replaced))
    for (const { source, epoch, cursor } of positions) this.#shared.cursor.run(source, epoch, cursor, now)
    return { puts, deletes, quarantined }
  }

  /** They become known before any row of the batch asks whether they are. */
  #newAuthors(operations: WrittenBatch['operations']): Set<string> {
    const dids = new Set<string>()
    for (const operation of operations) {
      if (operation.op === 'put' && this.#statementsOf(operation).discover) dids.add(operation.did)
    }
    return dids
  }

  #put(operation: OnTable<PutOperation>): boolean {
    const { put, binds, subject } = this.#statementsOf(operation)
    const { uri, did, rev, values } = operation
    if (operation.retry) this.#shared.liftTombstone.run(uri, rev, uri, rev)
    let n = 0
    binds[n++] = uri
    binds[n++] = did
    binds[n++] = operation.rkey
    binds[n++] = operation.cid
    binds[n++] = rev
    binds[n++] = operation.indexedAt
    binds[n++] = operation.sortAt
    for (let i = 0; i < values.length; i++) binds[n++] = values[i]!
    binds[n++] = operation.record
    binds[n++] = did
    binds[n++] = operation.retry ? sql.LATEST : rev
    binds[n++] = uri
    binds[n++] = rev
    if (subject >= 0) binds[n++] = accountOf(values[subject]!)
    const kept = put.run(...binds).changes !== 0
    if (operation.retry) this.#shared.clearSettled.run(uri, rev, did, sql.LATEST)
    return kept
  }

  #delete(operation: OnTable<DeleteOperation>, now: number): boolean {
    const { remove, tombstone, discover } = this.#statementsOf(operation)
    const { uri, rev, did } = operation
    const removed = remove.run(uri, rev, did, rev).changes !== 0
    this.#shared.clearSettled.run(uri, rev, did, rev)
    const buried = tombstone.run(uri, rev, now, did, rev, ...(discover ? [] : [did])).changes !== 0
    return buried || removed
  }

  #quarantine(operation: OnTable<QuarantineOperation>, now: number): boolean {
    const { nsid, discover, quarantine, remove, refusalTombstone } = this.#statementsOf(operation)
    const { uri, did, rev, cid, reason, record } = operation
    const guards = discover ? [did] : [did, did]
    const kept = quarantine.run(uri, nsid, did, rev, cid, reason, record, now, uri, rev, uri, rev, did, rev, ...guards)
    const removed = remove.run(uri, rev, did, rev).changes !== 0
    refusalTombstone.run(uri, rev, now, did, rev, ...guards)
    return kept.changes !== 0 || removed
  }

  #statementsOf({ collection }: OnTable<{ readonly op: string }>): TableStatements {
    const statements = this.#tables.get(collection.table)
    if (statements === undefined) {
      throw new LexidexError(`The store was not told of the table ${collection.table}`, {
        hint: 'Pass all collections of the app to `store.use()` before applying.',
      })
    }
    return statements
  }
}

function prepareShared(db: DatabaseSync): SharedStatements {
  return {
    ...transactionStatements(db),
    cursor: db.prepare(sql.UPSERT_CURSOR),
    clearReplaced: db.prepare(sql.CLEAR_REPLACED),
    clearSettled: db.prepare(sql.CLEAR_SETTLED),
    liftTombstone: db.prepare(sql.LIFT_TOMBSTONE),
    renewVersions: db.prepare(sql.RENEW_VERSIONS),
  }
}

function prepareTable(db: DatabaseSync, table: CollectionTable): TableStatements {
  return {
    ...table,
    put: db.prepare(sql.putSql(table)),
    remove: db.prepare(sql.removeSql(table)),
    tombstone: db.prepare(sql.tombstoneSql(table)),
    refusalTombstone: db.prepare(sql.refusalTombstoneSql(table)),
    quarantine: db.prepare(sql.quarantineSql(table)),
    binds: new Array<ColumnValue>(12 + table.columns.length + (table.subject < 0 ? 0 : 1)).fill(null),
  }
}
