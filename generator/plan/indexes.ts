import { indexedFilters, paramsOf } from '../model/filters.ts'
import { identifier } from '../model/names.ts'
import type { CollectionModel, FieldModel, Model } from '../model/types.ts'
import type { IndexPlan } from './types.ts'

/** What every index ends with: the time that lists are ordered by, and what makes the order total. */
const ORDER = ['sort_at', 'uri']

interface Wanted {
  readonly columns: readonly string[]
  readonly serves: readonly string[]
}

/**
 * The indexes that serve every filter and every sort, and no more: each one costs every write a random page.
 *
 * One form serves all uses of a column. `(column, sort_at, uri)` has the rows of one value in the order of lists, the
 * rows of a range together, and all rows in the order of the column.
 */
export function planIndexes(collection: CollectionModel, model: Model): IndexPlan[] {
  const wanted: Wanted[] = []
  if (collection.methods.includes('listRecords')) {
    wanted.push({ columns: ORDER, serves: ['every list', '?createdAtMin=', '?createdAtMax='] })
    for (const field of collection.fields) wanted.push(...fieldIndexes(field))
    for (const { column, name } of collection.counts) {
      wanted.push({ columns: [column, ...ORDER], serves: [`?${name}Min=`, `?${name}Max=`, `sort=${name}`] })
    }
    wanted.push({ columns: ['indexed_at'], serves: ['?indexedAtMin=', '?indexedAtMax='] })
  } else if (model.rest) {
    wanted.push({ columns: ORDER, serves: ['/records'] })
  }
  for (const parent of model.collections) {
    for (const relation of parent.relations) {
      if (relation.collection !== collection.name) continue
      const serves = [`${relation.name} of ${parent.name}`]
      const group = relation.groups === null ? [] : [relation.groups.column]
      wanted.push({ columns: [relation.column, ...group, ...ORDER], serves })
      if (relation.distinct !== null) wanted.push({ columns: [relation.column, relation.distinct], serves })
    }
  }
  // Last: where two indexes look alike to SQLite it takes the newer one, and one account has few records.
  wanted.push({ columns: ['did', ...ORDER], serves: ['?did=', '?actor='] })
  return withoutRepeats(wanted).map(({ columns, serves }) => ({
    name: indexName(collection.table, columns),
    columns,
    serves,
  }))
}

function fieldIndexes(field: FieldModel): Wanted[] {
  const filters = indexedFilters(field)
  if (filters.length === 0 || !field.index || field.kind === 'list') return []
  const params = filters.flatMap((filter) => paramsOf(field.param, filter).map((param) => `?${param}=`))
  const sort = filters.includes('range') ? [`sort=${field.param}`] : []
  return [{ columns: [field.column, ...ORDER], serves: [...params, ...sort] }]
}

/** What another index begins with is served by that one. */
function withoutRepeats(wanted: readonly Wanted[]): Wanted[] {
  const isPrefix = (a: Wanted, b: Wanted) => a.columns.every((column, i) => b.columns[i] === column)
  const kept = wanted.filter(
    (index, i) =>
      !wanted.some(
        (other, j) => i !== j && isPrefix(index, other) && (other.columns.length > index.columns.length || j < i),
      ),
  )
  return kept.map((index) => {
    const covered = wanted.filter((other) => isPrefix(other, index))
    return { ...index, serves: [...new Set(covered.flatMap(({ serves }) => serves))] }
  })
}

/** Named by the columns that tell it apart: `event_by_mode`, `rsvp_by_subject_uri_status`. */
function indexName(table: string, columns: readonly string[]): string {
  const telling = columns.filter((column, i) => i === 0 || !ORDER.includes(column))
  return identifier(table, 'by', ...telling)
}
