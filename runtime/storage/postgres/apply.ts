import type pg from 'pg'
import { LexidexError } from '../../core/errors.ts'
import type { ApplyBatch, Operation, PutOperation } from '../../core/operation.ts'
import type { ApplyResult } from '../store.ts'
import { settle } from './account-writes.ts'
import { bigintArray, textArray } from './arrays.ts'
import { type Bound, prepared } from './connection.ts'
import * as sql from './statements.ts'
import { accountOf, type CollectionTable } from './tables.ts'
import { type TableWave, type Wave, wavesOf } from './waves.ts'

/** Bytes of a column's text: an index page holds two columns of them and a URI. Longer text is cut, as admission does. */
const MAX_BYTES = 1024

interface Statements extends CollectionTable {
  readonly insert: string
  readonly update: string
  readonly remove: string
  readonly refuse: string
}

/** Writes batches as sets, some ten statements each. Knows the tables; every call brings its transaction. */
export class BatchWriter {
  readonly #tables: ReadonlyMap<string, Statements>
  readonly #dependents: Buffer
  readonly #named: boolean

  /** @param named whether statements are prepared by name */
  constructor(tables: readonly CollectionTable[], named: boolean) {
    this.#named = named
    this.#dependents = textArray(tables.filter(({ discover }) => !discover).map(({ nsid }) => nsid))
    this.#tables = new Map(
      tables.map((table) => [
        table.table,
        {
          ...table,
          insert: sql.insertSql(table),
          update: sql.updateSql(table),
          remove: sql.deleteSql(table),
          refuse: sql.quarantineSql(table),
        },
      ]),
    )
  }

  /**
   * All of the batch but for BEGIN and COMMIT.
   *
   * @param isFirst whether it is the first of this process
   */
  async write(
    client: pg.ClientBase,
    { operations, positions, now }: ApplyBatch,
    isFirst: boolean,
  ): Promise<ApplyResult> {
    const query = (text: string, values: readonly Bound[]) => client.query(prepared(text, values, this.#named))
    const run = async (text: string, values: readonly Bound[]) => (await query(text, values)).rowCount ?? 0
    const count = async (text: string, values: readonly Bound[]): Promise<number> => {
      const { rows } = await query(text, values)
      return rows[0].changed
    }
    const waves = wavesOf(operations)
    await this.#lock(run, operations)
    const authors = this.#newAuthors(operations)
    if (authors.length > 0) await run(sql.REMEMBER, [textArray(authors), now, this.#dependents])
    const result = { puts: 0, deletes: 0, quarantined: 0 }
    for (const wave of waves) {
      if (wave.account !== null) await settle(run, [...this.#tables.values()], wave.account, now)
      for (const [table, lists] of wave.tables) {
        const statements = this.#statementsOf(table)
        result.puts += await this.#retry(run, statements, lists)
        result.puts += await put(run, statements, lists.puts)
        if (lists.deletes.length > 0) result.deletes += await count(statements.remove, deletedArrays(lists, now))
        if (lists.quarantines.length > 0) {
          result.quarantined += await count(statements.refuse, refusedArrays(lists, statements.nsid, now))
        }
      }
      await check(run, wave, now)
    }
    const replaced = operations.filter((one) => one.op === 'put' && !one.retry) as PutOperation[]
    if (replaced.length > 0) await run(sql.CLEAR_REPLACED, [...uriRev(replaced), dids(replaced)])
    if (isFirst) await run(sql.RENEW_VERSIONS, [now * 1000])
    if (positions.length > 0) {
      const columns = (['source', 'epoch', 'cursor'] as const).map((key) => textArray(positions.map((one) => one[key])))
      await run(sql.UPSERT_CURSORS, [...columns, now])
    }
    return result
  }

  async #lock(run: (text: string, values: readonly Bound[]) => Promise<number>, operations: readonly Operation[]) {
    if (operations.some(({ op }) => op === 'account')) return run(sql.LOCK_ALL, [])
    const accounts = new Set<string>()
    const uris = new Map<Statements, string[]>()
    for (const operation of operations) {
      accounts.add(operation.did)
      if (operation.op === 'check' || operation.op === 'account') continue
      const statements = this.#statementsOf(operation.collection.table)
      const { pointers, subject } = statements
      if (pointers.length > 0) {
        const known = uris.get(statements)
        if (known === undefined) uris.set(statements, [operation.uri])
        else known.push(operation.uri)
      }
      if (operation.op !== 'put') continue
      for (const at of subject < 0 ? pointers : [...pointers, subject]) {
        const account = accountOf(operation.values[at] ?? null)
        if (account !== null) accounts.add(account)
      }
    }
    return run(sql.lockSql([...uris.keys()]), [textArray([...accounts]), ...[...uris.values()].map(textArray)])
  }

  /** They become known before any row of the batch asks whether they are. In order: other writers add the same. */
  #newAuthors(operations: readonly Operation[]): string[] {
    const authors = new Set<string>()
    for (const operation of operations) {
      if (operation.op === 'put' && this.#statementsOf(operation.collection.table).discover) authors.add(operation.did)
    }
    return [...authors].sort()
  }

  async #retry(
    run: (text: string, values: readonly Bound[]) => Promise<number>,
    statements: Statements,
    { retries }: TableWave,
  ): Promise<number> {
    if (retries.length === 0) return 0
    const keys = uriRev(retries)
    await run(sql.LIFT_TOMBSTONES, keys)
    const puts = await put(run, statements, retries)
    await run(sql.CLEAR_SETTLED, keys)
    return puts
  }

  #statementsOf(table: string): Statements {
    const statements = this.#tables.get(table)
    if (statements !== undefined) return statements
    throw new LexidexError(`The store was not told of the table ${table}`, {
      hint: 'Pass all collections of the app to `store.use()` before applying.',
    })
  }
}

async function put(
  run: (text: string, values: readonly Bound[]) => Promise<number>,
  statements: Statements,
  puts: readonly PutOperation[],
): Promise<number> {
  if (puts.length === 0) return 0
  const arrays = putArrays(statements, puts)
  const inserted = await run(statements.insert, arrays)
  return inserted === puts.length ? inserted : inserted + (await run(statements.update, arrays))
}

async function check(
  run: (text: string, values: readonly Bound[]) => Promise<number>,
  { checks }: Wave,
  now: number,
): Promise<void> {
  if (checks.size === 0) return
  await run(sql.CHECK, [textArray([...checks.keys()]), bigintArray([...checks.values()].map(Number)), now])
}

function putArrays({ columns, subject }: CollectionTable, puts: readonly PutOperation[]): Buffer[] {
  const texts = (['uri', 'did', 'rkey', 'cid', 'rev'] as const).map((key) => textArray(puts.map((one) => one[key])))
  return [
    ...texts,
    bigintArray(puts.map(({ indexedAt }) => indexedAt)),
    bigintArray(puts.map(({ sortAt }) => sortAt)),
    ...columns.map(({ kind }, i) => {
      const values = puts.map((one) => one.values[i] ?? null)
      if (kind === 'text') return textArray(values.map(fit))
      return kind === 'list' ? textArray(values.map(fitAll)) : bigintArray(values)
    }),
    textArray(puts.map(({ record }) => record)),
    bigintArray(puts.map(({ retry }) => Number(retry === true))),
    ...(subject < 0 ? [] : [textArray(puts.map(({ values }) => accountOf(values[subject] ?? null)))]),
  ]
}

function fit(value: string | number | null): string | null {
  if (value === null) return null
  const text = String(value)
  // No character takes more than three bytes for each UTF-16 unit of it.
  if (text.length * 3 <= MAX_BYTES) return text
  const bytes = Buffer.from(text)
  if (bytes.length <= MAX_BYTES) return text
  let end = MAX_BYTES
  while ((bytes[end]! & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end)
}

/** The same for the values of a list, each of which is in an index. */
function fitAll(list: string | number | null): string | null {
  if (typeof list !== 'string' || list.length * 3 <= MAX_BYTES) return list as string | null
  return JSON.stringify([...new Set((JSON.parse(list) as string[]).map(fit))])
}

function deletedArrays({ deletes }: TableWave, now: number): Bound[] {
  return [...uriRev(deletes), dids(deletes), now]
}

function refusedArrays({ quarantines }: TableWave, nsid: string, now: number): Bound[] {
  const rest = (['cid', 'reason', 'record'] as const).map((key) => textArray(quarantines.map((one) => one[key])))
  return [...uriRev(quarantines), dids(quarantines), ...rest, now, nsid]
}

function uriRev(operations: readonly { readonly uri: string; readonly rev: string }[]): [Buffer, Buffer] {
  return [textArray(operations.map(({ uri }) => uri)), textArray(operations.map(({ rev }) => rev))]
}

function dids(operations: readonly { readonly did: string }[]): Buffer {
  return textArray(operations.map(({ did }) => did))
}
