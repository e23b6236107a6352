import type {
  AccountOperation,
  CheckOperation,
  DeleteOperation,
  Operation,
  PutOperation,
  QuarantineOperation,
} from '../../core/operation.ts'

/** Operations on one table, each about another record, so that their order does not matter. */
export interface TableWave {
  readonly puts: PutOperation[]
  /** Second attempts, which first take back the tombstones of their own quarantines. */
  readonly retries: PutOperation[]
  readonly deletes: DeleteOperation[]
  readonly quarantines: QuarantineOperation[]
}

/** Part of a batch that is written as sets: a statement for all puts to a table, and so on. */
export interface Wave {
  readonly tables: Map<string, TableWave>
  /** The last word about each account: its DID, and whether its repo is to be compared. */
  readonly checks: Map<string, boolean>
  /** Where it is this alone. */
  readonly account: AccountOperation | null
}

/**
 * Cuts a batch into waves. Operations on the same record are in waves of their own, in their order; what was found out of
 * an account stands between all that came before it and all that came after it.
 */
export function wavesOf(operations: readonly Operation[]): Wave[] {
  const waves: Wave[] = []
  const last = new Map<string, number>()
  let first = 0
  const wave = (at: number): Wave => (waves[at] ??= newWave(null))
  for (const operation of operations) {
    if (operation.op === 'account') {
      waves.push(newWave(operation))
      first = waves.length
    } else if (operation.op === 'check') check(wave(first), operation)
    else {
      const at = Math.max(first, (last.get(operation.uri) ?? -1) + 1)
      last.set(operation.uri, at)
      add(wave(at), operation)
    }
  }
  return waves
}

function newWave(account: AccountOperation | null): Wave {
  return { tables: new Map(), checks: new Map(), account }
}

function check({ checks }: Wave, { did, resync }: CheckOperation): void {
  checks.set(did, resync || checks.get(did) === true)
}

function add({ tables }: Wave, operation: PutOperation | DeleteOperation | QuarantineOperation): void {
  const { table } = operation.collection
  let lists = tables.get(table)
  if (lists === undefined) {
    lists = { puts: [], retries: [], deletes: [], quarantines: [] }
    tables.set(table, lists)
  }
  if (operation.op === 'delete') lists.deletes.push(operation)
  else if (operation.op === 'quarantine') lists.quarantines.push(operation)
  else (operation.retry ? lists.retries : lists.puts).push(operation)
}
