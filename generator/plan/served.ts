import type { Issues } from '../input/issues.ts'
import { indexedFilters, paramsOf } from '../model/filters.ts'
import type { CollectionModel, FieldModel, Model } from '../model/types.ts'
import type { SchemaPlan, TablePlan } from './types.ts'

/** Refuses filters that no index of the plan serves: they would read the whole table. */
export function checkServed(model: Model, plan: SchemaPlan, issues: Issues): void {
  for (const [i, collection] of model.collections.entries()) {
    if (!collection.methods.includes('listRecords')) continue
    // By place: names may clash, which is told elsewhere.
    const table = plan.tables[i]!
    for (const field of collection.fields) if (!isServed(field, table)) refuse(collection, field, issues)
  }
}

function isServed(field: FieldModel, table: TablePlan): boolean {
  if (indexedFilters(field).length === 0) return true
  const indexes = [...table.indexes.map(({ columns }) => columns[0]), ...table.lists.map(({ column }) => column)]
  return indexes.includes(field.column)
}

function refuse(collection: CollectionModel, field: FieldModel, issues: Issues): void {
  const params = indexedFilters(field).flatMap((filter) => paramsOf(field.param, filter).map((param) => `?${param}=`))
  const without = field.filters.includes('not') ? ", or keep what needs none: `filters: ['not']`" : ''
  issues.error(
    'unserved-filter',
    `collections.${collection.name}.queryable.${field.path}`,
    `No index serves ${params.map((param) => `\`${param}\``).join(', ')}.`,
    { hint: `Leave \`index: false\` out${without}.` },
  )
}
