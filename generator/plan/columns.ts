import type { Issues } from '../input/issues.ts'
import type { Model } from '../model/types.ts'
import type { SchemaPlan } from './types.ts'

/** Columns of every table: where a record is from and when, its text, and the row's number. */
const BASE_COLUMNS = 10

/** Refuses tables that a database would not take: the migration would fail, after everything else went well. */
export function checkColumns(
  model: Model,
  plan: SchemaPlan,
  { title, maxColumns = Infinity }: { readonly title: string; readonly maxColumns?: number },
  issues: Issues,
): void {
  for (const [i, { name }] of model.collections.entries()) {
    const { columns, counts } = plan.tables[i]!
    const all = BASE_COLUMNS + columns.length + counts.length
    if (all <= maxColumns) continue
    issues.error(
      'too-many-columns',
      `collections.${name}`,
      `Its table would have ${all} columns, ${counts.length} of them counts; ${title} takes ${maxColumns}.`,
      { hint: 'Count fewer groups (`groups`), do without counts (`count: false`), or without fields of `queryable`.' },
    )
  }
}
