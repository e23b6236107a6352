import { counterName, identifier } from '../model/names.ts'
import type { CollectionModel, FieldModel, Model } from '../model/types.ts'
import type { ColumnType, CounterPlan, IndexPlan, SchemaPlan, TablePlan } from './types.ts'

/** Decides how a model is stored. */
export function planSchema(model: Model): SchemaPlan {
  return {
    tables: model.collections.map((collection) => planTable(collection, model)),
    counters: model.collections.flatMap(planCounters),
  }
}

function planTable(collection: CollectionModel, model: Model): TablePlan {
  return {
    name: collection.table,
    nsid: collection.nsid,
    columns: collection.fields.map((field) => ({ name: field.column, type: columnType(field) })),
    counts: collection.counts.map((count) => count.column),
    indexes: planIndexes(collection, model),
    search:
      collection.search === null
        ? null
        : {
            table: collection.search.table,
            columns: collection.search.columns.map(({ column, segments }) => ({ name: column, segments })),
          },
  }
}

function columnType(field: FieldModel): ColumnType {
  return field.kind === 'cid' ? 'text' : field.kind
}

/**
 * The indexes that serve every filter with its order, and no more: each one costs every write a random page.
 * All of them end with what makes the order total.
 */
function planIndexes(collection: CollectionModel, model: Model): IndexPlan[] {
  const wanted: string[][] = []
  if (collection.methods.includes('listRecords')) {
    wanted.push(['sort_at', 'uri'])
    for (const field of collection.fields) {
      if (field.filter === 'equal') wanted.push([field.column, 'sort_at', 'uri'])
      if (field.filter === 'range') wanted.push([field.column, 'uri'])
    }
    for (const count of collection.counts) wanted.push([count.column, 'uri'])
  }
  for (const parent of model.collections) {
    for (const relation of parent.relations) {
      if (relation.collection !== collection.name) continue
      if (relation.groups === null) wanted.push([relation.column, 'sort_at', 'uri'])
      else wanted.push([relation.column, relation.groups.column, 'sort_at', 'uri'])
      if (relation.distinct !== null) wanted.push([relation.column, relation.distinct])
    }
  }
  // Last: where two indexes look alike to SQLite it takes the newer one, and one account has few records.
  wanted.push(['did', 'sort_at', 'uri'])
  const names = new Set<string>()
  return withoutRepeats(wanted).map((columns) => {
    const name = indexName(collection.table, columns)
    // A field with a range that a relation reads as well has two indexes, of different orders.
    const free = names.has(name) ? identifier(name, columns[1]!) : name
    names.add(free)
    return { name: free, columns }
  })
}

/** Drops what another index begins with. */
function withoutRepeats(wanted: readonly string[][]): string[][] {
  const isPrefix = (a: string[], b: string[]) => a.every((column, i) => b[i] === column)
  return wanted.filter(
    (columns, i) =>
      !wanted.some((other, j) => i !== j && isPrefix(columns, other) && (other.length > columns.length || j < i)),
  )
}

/** Named by the columns that tell it apart: `event_mode`, `rsvp_subject_uri_status`. */
function indexName(table: string, columns: readonly string[]): string {
  const telling = columns.filter((column, i) => i === 0 || (column !== 'sort_at' && column !== 'uri'))
  return identifier(table, 'by', ...telling)
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
