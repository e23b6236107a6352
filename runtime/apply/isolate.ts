import { messageOf } from '../core/errors.ts'
import type { Operation, QuarantineOperation } from '../core/operation.ts'

/** Writes operations in one transaction, or throws and writes nothing. */
export type Write = (operations: readonly Operation[]) => Promise<void>

/** An operation that the database takes in no form. */
export interface Refused {
  readonly operation: Operation
  readonly reason: string
}

/**
 * Applies a batch that the database refused as a whole: halves it until what is at fault stands alone. That operation
 * is quarantined; the rest is applied. Batches that were written stay so when this throws, and may be written again.
 *
 * @returns operations that could not even be quarantined
 * @throws the database's error where it is a passing one, or where nothing at all could be written: then the fault is
 * the database's and no operation may be given up
 */
export async function isolate(
  operations: readonly Operation[],
  write: Write,
  isTransient: (error: unknown) => boolean,
): Promise<readonly Refused[]> {
  const refused: Refused[] = []
  let written = false
  let lastError: unknown

  async function attempt(part: readonly Operation[]): Promise<boolean> {
    try {
      await write(part)
      written = true
      return true
    } catch (error) {
      if (isTransient(error)) throw error
      lastError = error
      return false
    }
  }

  async function halve(part: readonly Operation[]): Promise<void> {
    if (await attempt(part)) return
    const [only, second] = part
    if (only === undefined) return
    if (second !== undefined) {
      const middle = part.length >> 1
      await halve(part.slice(0, middle))
      await halve(part.slice(middle))
      return
    }
    const reason = `The database refused it: ${messageOf(lastError)}`
    const quarantined = inQuarantine(only, reason)
    if (quarantined !== null && (await attempt([quarantined]))) return
    refused.push({ operation: only, reason })
  }

  await halve(operations)
  if (!written) throw lastError
  return refused
}

/** The operation as a quarantine of its version; null where it has none. */
function inQuarantine(operation: Operation, reason: string): QuarantineOperation | null {
  if (operation.op !== 'put' && operation.op !== 'quarantine') return null
  const { collection, uri, did, rev, cid } = operation
  // A quarantine that was refused is tried once more without the text, the one part of it without a limit.
  const record = operation.op === 'put' ? operation.record : JSON.stringify('The record could not be kept.')
  return { op: 'quarantine', collection, uri, did, rev, cid, reason, record }
}
