import type { CounterPlan, SchemaPlan, TablePlan } from '../../plan/types.ts'
import type { Statement } from '../dialect.ts'
import { recounts } from './counters.ts'
import { rebuildList } from './lists.ts'
import { name } from './quote.ts'
import { wordsFunction } from './search.ts'
import { bulkLoadTrigger } from './triggers.ts'

/**
 * The trigger that makes all counts, lists and words anew, as whole sets. It fires when the mark of a bulk load is removed:
 * so whatever becomes of a load, its mark cannot go without them.
 */
export function rebuildTrigger(plan: SchemaPlan): Statement[] {
  const lists = plan.tables.flatMap((table) => table.lists.flatMap((list) => rebuildList(table, list)))
  const body = [...plan.tables.flatMap(rebuildSearch), ...lists, ...plan.counters.flatMap(rebuildCounts)]
  if (body.length === 0) return []
  return [
    ...bulkLoadTrigger(
      'lexidex_rebuild',
      body,
      'After a bulk load, which keeps no words, lists or counts: the end of its mark makes them anew',
    ),
  ]
}

function rebuildSearch({ name: table, search }: TablePlan): string[] {
  if (search === null) return []
  return [
    `  DELETE FROM ${name(search.table)};`,
    `  INSERT INTO ${name(search.table)} (id, words)`,
    `  SELECT id, ${name(wordsFunction(search))}(record) FROM ${name(table)};`,
  ]
}

function rebuildCounts(counter: CounterPlan): string[] {
  const columns = counter.counts.map(({ column }) => name(column))
  const numbers = columns.map((_, i) => `coalesce(counted.n${i}, 0)`)
  const sets = columns.map((column, i) => `${column} = ${numbers[i]}`)
  const differs = columns.map((column, i) => `parent.${column} <> ${numbers[i]}`)
  const counted = recounts(counter).map((count, i) => `${count} AS n${i}`)
  return [
    `  UPDATE ${name(counter.parent)} AS changed SET`,
    `    ${sets.join(',\n    ')}`,
    `  FROM ${name(counter.parent)} AS parent LEFT JOIN (`,
    `    SELECT ${[`child.${name(counter.column)} AS pointer`, ...counted].join(',\n      ')}`,
    `    FROM ${name(counter.child)} AS child WHERE child.hidden = 0 GROUP BY child.${name(counter.column)}`,
    `  ) AS counted ON counted.pointer = parent.${counter.match}`,
    '  WHERE changed.id = parent.id AND (',
    `    ${differs.join('\n    OR ')}`,
    '  );',
  ]
}
