import { counterName } from '../model/names.ts'
import type { CollectionModel, FieldModel, Model } from '../model/types.ts'
import { planIndexes } from './indexes.ts'
import type { ColumnType, CounterPlan, ListPlan, SchemaPlan, TablePlan } from './types.ts'

/** Decides how a model is stored. */
export function planSchema(model: Model): SchemaPlan {
  return {
    tables: model.collections.map((collection) => planTable(collection, model)),
    counters: model.collections.flatMap(planCounters),
    ...(model.rest && { authors: true }),
  }
}

function planTable(collection: CollectionModel, model: Model): TablePlan {
  return {
    name: collection.table,
    nsid: collection.nsid,
    columns: collection.fields.map((field) => ({ name: field.column, type: columnType(field) })),
    counts: collection.counts.map((count) => count.column),
    indexes: planIndexes(collection, model),
    lists: collection.fields.flatMap(planList),
    search:
      collection.search === null
        ? null
        : {
            table: collection.search.table,
            columns: collection.search.columns.map(({ column, segments }) => ({ name: column, segments })),
          },
    ...(collection.partitions === undefined ? {} : { partitions: collection.partitions }),
  }
}

function columnType({ kind }: FieldModel): ColumnType {
  return kind === 'cid' || kind === 'list' ? 'text' : kind
}

function planList({ param, column, valuesTable }: FieldModel): ListPlan[] {
  return valuesTable === null ? [] : [{ table: valuesTable, column, serves: [`?${param}=`] }]
}

function planCounters(parent: CollectionModel): CounterPlan[] {
  return parent.relations
    .filter((relation) => relation.count)
    .map((relation) => ({
      name: counterName(parent.table, relation.name),
      relation: relation.name,
      parent: parent.table,
      child: relation.childTable,
      column: relation.column,
      match: relation.match,
      groupColumn: relation.groups?.column ?? null,
      distinct: relation.distinct,
      counts: parent.counts
        .filter((count) => count.relation === relation.name)
        .map(({ column, group }) => ({
          column,
          group: relation.groups?.values.find(({ name }) => name === group)?.value ?? null,
        })),
    }))
}
