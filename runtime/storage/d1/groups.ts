import type {
  AccountOperation,
  ApplyBatch,
  DeleteOperation,
  Operation,
  PutOperation,
  QuarantineOperation,
} from '../../core/operation.ts'

/** Operations of one kind, each kind of records by its table. No two kinds speak of the same record. */
export interface Group {
  readonly puts: Map<string, PutOperation[]>
  readonly retries: Map<string, PutOperation[]>
  readonly deletes: Map<string, DeleteOperation[]>
  readonly refusals: Map<string, QuarantineOperation[]>
  /** By DID: whether the repo has to be compared as a whole as well. */
  readonly checks: Map<string, boolean>
  /** No two of the same account or with the same handle, and nothing else beside them. */
  readonly findings: AccountOperation[]
}

function newGroup(): Group {
  return {
    puts: new Map(),
    retries: new Map(),
    deletes: new Map(),
    refusals: new Map(),
    checks: new Map(),
    findings: [],
  }
}

/**
 * Operations in groups of which each may be written kind by kind. Within a kind they keep their order, and operations on
 * the same record too: what would have to pass another begins a new group.
 */
export function groupsOf(operations: ApplyBatch['operations']): readonly Group[] {
  const groups: Group[] = []
  let group = newGroup()
  /** What the group speaks of, and in which kind. */
  let kinds = new Map<string, string>()
  let findings = false

  function begin(): void {
    groups.push(group)
    group = newGroup()
    kinds = new Map()
  }

  for (const operation of operations) {
    const isFinding = operation.op === 'account'
    const kind = kindOf(operation)
    const keys = keysOf(operation)
    const isClash = keys.some((key) => kinds.has(key) && (isFinding || kinds.get(key) !== kind))
    if (kinds.size > 0 && (isClash || isFinding !== findings)) begin()
    findings = isFinding
    for (const key of keys) kinds.set(key, kind)
    add(group, operation)
  }
  groups.push(group)
  return groups
}

function kindOf(operation: Operation): string {
  return operation.op === 'put' && operation.retry ? 'retry' : operation.op
}

function keysOf(operation: Operation): readonly string[] {
  switch (operation.op) {
    case 'check':
      return [operation.did]
    case 'account':
      return operation.handle === null ? [operation.did] : [operation.did, `@${operation.handle}`]
    default:
      return [operation.uri]
  }
}

function add(group: Group, operation: Operation): void {
  switch (operation.op) {
    case 'put':
      push(operation.retry ? group.retries : group.puts, operation)
      break
    case 'delete':
      push(group.deletes, operation)
      break
    case 'quarantine':
      push(group.refusals, operation)
      break
    case 'check':
      group.checks.set(operation.did, operation.resync || group.checks.get(operation.did) === true)
      break
    case 'account':
      group.findings.push(operation)
      break
  }
}

function push<O extends PutOperation | DeleteOperation | QuarantineOperation>(
  by: Map<string, O[]>,
  operation: O,
): void {
  const { table } = operation.collection
  const list = by.get(table)
  if (list === undefined) by.set(table, [operation])
  else list.push(operation)
}
