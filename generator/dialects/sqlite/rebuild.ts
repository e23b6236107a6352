import { identifier } from '../../model/names.ts'
import type { CounterPlan, SchemaPlan, TablePlan } from '../../plan/types.ts'
import type { Statement } from '../dialect.ts'
import { childrenOf, recounted } from './counters.ts'
import { rebuildList } from './lists.ts'
import { jsonPath, name } from './quote.ts'
import { bulkLoadTrigger } from './triggers.ts'

/**
 * Triggers that make all counts, lists and words anew, as whole sets. They fire when the mark of a bulk load is removed:
 * so whatever becomes of a load, its mark cannot go without them.
 */
export function rebuildTriggers(plan: SchemaPlan): Statement[] {
  const lists = plan.tables.flatMap((table) =>
    table.lists.map((list) => bulkLoadTrigger(identifier(list.table, 'rebuild'), rebuildList(table, list))),
  )
  const triggers = [...plan.tables.map(rebuildSearch), ...lists, ...plan.counters.map(rebuildCounts)].filter(
    (sql) => sql !== null,
  )
  const comment = 'After a bulk load, which keeps no words, lists or counts: the end of its mark makes them anew'
  return triggers.map((sql, i) => (i === 0 ? { comment, sql } : { sql }))
}

function rebuildSearch({ name: table, search }: TablePlan): string | null {
  if (search === null) return null
  const index = name(search.table)
  const columns = search.columns.map((column) => name(column.name)).join(', ')
  const texts = search.columns.map(({ segments }) => `record ->> ${jsonPath(segments)}`).join(', ')
  return bulkLoadTrigger(identifier(search.table, 'rebuild'), [
    `  INSERT INTO ${index} (${index}) VALUES ('delete-all');`,
    `  INSERT INTO ${index} (rowid, ${columns})`,
    `  SELECT id, ${texts} FROM ${name(table)};`,
  ])
}

function rebuildCounts(counter: CounterPlan): string {
  const pointer = `${name(counter.parent)}.${counter.match}`
  // An index has all that is counted but `hidden`. To ask first for the few that are takes a fifth of the time that it
  // takes to look at the row of every child.
  const shown = `      AND child.id NOT IN (SELECT id FROM ${name(counter.child)} WHERE hidden <> 0)`
  return bulkLoadTrigger(identifier(counter.name, 'rebuild'), [
    ...(counter.distinct === null ? recounted(counter, pointer, shown) : recounted(counter, pointer)),
    `  WHERE ${counter.counts.map(({ column }) => `${name(column)} <> 0`).join(' OR ')}`,
    `    OR EXISTS (SELECT 1 FROM ${childrenOf(counter, pointer)});`,
  ])
}
