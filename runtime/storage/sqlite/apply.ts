import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { CollectionDef } from '../../core/collection.ts'
import { LexidexError, messageOf } from '../../core/errors.ts'
import type {
  ApplyBatch,
  ColumnValue,
  DeleteOperation,
  PutOperation,
  QuarantineOperation,
} from '../../core/operation.ts'
import type { ApplyResult } from '../store.ts'
import { inTransaction, type TransactionStatements, transactionStatements } from './connection.ts'
import * as sql from './statements.ts'

interface CollectionStatements {
  readonly collection: CollectionDef
  readonly put: StatementSync
  readonly remove: StatementSync
  readonly tombstone: StatementSync
  readonly quarantine: StatementSync
  /** Place of the subject's column among the values; -1 where there is none. */
  readonly subject: number
  /** Reused for every put, so that a row costs no array. */
  readonly binds: ColumnValue[]
}

interface SharedStatements extends TransactionStatements {
  readonly accounts: StatementSync
  readonly jobs: StatementSync
  readonly cursor: StatementSync
  readonly clearReplaced: StatementSync
  readonly clearSettled: StatementSync
  readonly liftTombstone: StatementSync
}

/** Applies batches with statements that are prepared once. Every method is one synchronous piece of work. */
export class BatchWriter {
  readonly #db: DatabaseSync
  readonly #shared: SharedStatements
  readonly #byTable = new Map<string, CollectionStatements>()
  /** JSON array of the dependent collections' NSIDs; null where there are none. */
  readonly #dependents: string | null

  /** @throws LexidexError where a table or column is missing */
  constructor(db: DatabaseSync, collections: readonly CollectionDef[]) {
    this.#db = db
    const dependents = collections.filter((collection) => !collection.discover).map(({ nsid }) => nsid)
    this.#dependents = dependents.length > 0 ? JSON.stringify(dependents) : null
    try {
      this.#shared = prepareShared(db)
      for (const collection of collections) this.#byTable.set(collection.table, prepareCollection(db, collection))
    } catch (cause) {
      throw new LexidexError(`The database does not fit the collections: ${messageOf(cause)}`, {
        hint: 'Run the migrations first (`migrate()`), those emitted together with these collections.',
        cause,
      })
    }
  }

  apply(batch: ApplyBatch): ApplyResult {
    return inTransaction(this.#db, this.#shared, () => this.#write(batch))
  }

  #write({ operations, positions, now }: ApplyBatch): ApplyResult {
    this.#rememberAccounts(operations, now)
    let puts = 0
    let deletes = 0
    let quarantined = 0
    const replaced: [string, string][] = []
    for (const operation of operations) {
      const statements = this.#statementsOf(operation.collection)
      switch (operation.op) {
        case 'put':
          if (this.#put(statements, operation)) puts++
          if (!operation.retry) replaced.push([operation.uri, operation.rev])
          break
        case 'delete':
          if (this.#delete(statements, operation, now)) deletes++
          break
        case 'quarantine':
          if (this.#quarantine(statements, operation, now)) quarantined++
          break
      }
    }
    if (replaced.length > 0) this.#shared.clearReplaced.run(JSON.stringify(replaced))
    for (const { source, epoch, cursor } of positions) this.#shared.cursor.run(source, epoch, cursor, now)
    return { puts, deletes, quarantined }
  }

  /** Authors of discovered records become known before any row of the batch asks whether they are. */
  #rememberAccounts(operations: ApplyBatch['operations'], now: number): void {
    const dids = new Set<string>()
    for (const { op, collection, did } of operations) {
      if (op === 'put' && collection.discover) dids.add(did)
    }
    if (dids.size === 0) return
    const added = this.#shared.accounts.all(now, JSON.stringify([...dids]))
    if (added.length === 0 || this.#dependents === null) return
    this.#shared.jobs.run(now, JSON.stringify(added.map((row) => row.did)), this.#dependents)
  }

  #put({ put, binds, subject }: CollectionStatements, operation: PutOperation): boolean {
    const { collection, uri, did, rev, values } = operation
    if (operation.retry) this.#shared.liftTombstone.run(uri, rev, uri, rev)
    let n = 0
    binds[n++] = uri
    binds[n++] = did
    binds[n++] = operation.rkey
    binds[n++] = operation.cid
    binds[n++] = rev
    binds[n++] = operation.indexedAt
    binds[n++] = operation.sortAt
    binds[n++] = did
    for (let i = 0; i < values.length; i++) binds[n++] = values[i]!
    binds[n++] = operation.record
    binds[n++] = uri
    binds[n++] = rev
    if (!collection.discover) binds[n++] = did
    if (subject >= 0) binds[n++] = accountOf(values[subject]!)
    const kept = put.run(...binds).changes !== 0
    if (operation.retry) this.#shared.clearSettled.run(uri, rev)
    return kept
  }

  #delete(statements: CollectionStatements, operation: DeleteOperation, now: number): boolean {
    const { uri, rev } = operation
    const removed = statements.remove.run(uri, rev).changes !== 0
    this.#shared.clearSettled.run(uri, rev)
    return this.#bury(statements, operation, now) || removed
  }

  #quarantine(statements: CollectionStatements, operation: QuarantineOperation, now: number): boolean {
    const { uri, did, rev, cid, reason, record, collection } = operation
    const guards = collection.discover ? [uri, rev, uri, rev] : [uri, rev, uri, rev, did]
    const kept = statements.quarantine.run(uri, collection.nsid, did, rev, cid, reason, record, now, ...guards)
    const removed = statements.remove.run(uri, rev).changes !== 0
    this.#bury(statements, operation, now)
    return kept.changes !== 0 || removed
  }

  #bury(statements: CollectionStatements, operation: DeleteOperation | QuarantineOperation, now: number): boolean {
    const { uri, rev, did, collection } = operation
    const guards = collection.discover ? [] : [did]
    return statements.tombstone.run(uri, rev, now, ...guards).changes !== 0
  }

  #statementsOf(collection: CollectionDef): CollectionStatements {
    const statements = this.#byTable.get(collection.table)
    if (statements === undefined) {
      throw new LexidexError(`The store was not told of the collection ${collection.name}`, {
        hint: 'Pass all collections of the app to `store.use()` before applying.',
      })
    }
    return statements
  }
}

/** The DID in a column that holds a DID or an at-uri; null where there is none. */
function accountOf(subject: ColumnValue): string | null {
  if (typeof subject !== 'string') return null
  if (!subject.startsWith('at://')) return subject
  const end = subject.indexOf('/', 5)
  return end < 0 ? subject.slice(5) : subject.slice(5, end)
}

function prepareShared(db: DatabaseSync): SharedStatements {
  return {
    ...transactionStatements(db),
    accounts: db.prepare(sql.INSERT_ACCOUNTS),
    jobs: db.prepare(sql.INSERT_JOBS),
    cursor: db.prepare(sql.UPSERT_CURSOR),
    clearReplaced: db.prepare(sql.CLEAR_REPLACED),
    clearSettled: db.prepare(sql.CLEAR_SETTLED),
    liftTombstone: db.prepare(sql.LIFT_TOMBSTONE),
  }
}

function prepareCollection(db: DatabaseSync, collection: CollectionDef): CollectionStatements {
  const columns = Object.keys(collection.columns)
  const guards = (collection.discover ? 0 : 1) + (collection.subjectColumn === undefined ? 0 : 1)
  if (collection.subjectColumn !== undefined && !columns.includes(collection.subjectColumn)) {
    throw new LexidexError(`${collection.name} has no column ${collection.subjectColumn} for its subject`)
  }
  return {
    collection,
    put: db.prepare(sql.putSql(collection)),
    remove: db.prepare(sql.removeSql(collection)),
    tombstone: db.prepare(sql.tombstoneSql(collection)),
    quarantine: db.prepare(sql.quarantineSql(collection)),
    subject: collection.subjectColumn === undefined ? -1 : columns.indexOf(collection.subjectColumn),
    binds: new Array<ColumnValue>(8 + columns.length + 3 + guards).fill(null),
  }
}
