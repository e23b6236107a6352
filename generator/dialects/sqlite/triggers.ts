import { name } from './quote.ts'

/** A trigger that runs at the end of a bulk load, when its mark is removed. */
export function bulkLoadTrigger(title: string, body: readonly string[]): string {
  return [
    `CREATE TRIGGER ${name(title)} AFTER DELETE ON lexidex_state`,
    "WHEN OLD.name = 'bulk_load'",
    'BEGIN',
    ...body,
    'END',
  ].join('\n')
}
