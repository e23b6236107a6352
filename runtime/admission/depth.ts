import { messageOf } from '../core/errors.ts'

/** Records nested deeper are refused: databases and JSON libraries give up at depths of their own. */
export const MAX_DEPTH = 128

/** Whether `value` nests deeper than `max` arrays and objects. Never recurses. */
export function isDeeperThan(value: unknown, max: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  const open: object[] = [value]
  const depths: number[] = [1]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const depth = depths.pop()!
    if (depth > max) return true
    const children = Array.isArray(node) ? node : Object.values(node)
    for (const child of children) {
      if (typeof child === 'object' && child !== null) {
        open.push(child)
        depths.push(depth + 1)
      }
    }
  }
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
