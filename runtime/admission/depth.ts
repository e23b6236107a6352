import { messageOf } from '../core/errors.ts'

/** Records nested deeper are refused: databases and JSON libraries give up at depths of their own. */
export const MAX_DEPTH = 128

/** Whether `value`, which is JSON, nests deeper than `max` arrays and objects. Goes no deeper than that itself. */
export function isDeeperThan(value: unknown, max: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (max === 0) return true
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (isDeeperThan(value[i], max - 1)) return true
    return false
  }
  for (const name in value) if (isDeeperThan((value as Record<string, unknown>)[name], max - 1)) return true
  return false
}

/**
 * A record as JSON text. Where it cannot be written out (nested too deep), a JSON string that says why: no record, so
 * that it is refused again when it is retried.
 */
export function quarantineText(record: unknown): string {
  try {
    return JSON.stringify(record) ?? 'null'
  } catch (error) {
    return JSON.stringify(`The record could not be kept: ${messageOf(error)}`)
  }
}
