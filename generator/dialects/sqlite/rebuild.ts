import { identifier } from '../../model/names.ts'
import type { CounterPlan, SchemaPlan, TablePlan } from '../../plan/types.ts'
import type { Statement } from '../dialect.ts'
import { rebuildList } from './lists.ts'
import { jsonPath, literal, name } from './quote.ts'

/**
 * Triggers that make all counts, lists and words anew, as whole sets. They fire when the mark of a bulk load is removed:
 * so whatever becomes of a load, its mark cannot go without them.
 */
export function rebuildTriggers(plan: SchemaPlan): Statement[] {
  const lists = plan.tables.flatMap((table) => table.lists.map((list) => trigger(list.table, rebuildList(table, list))))
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
  return trigger(search.table, [
    `  INSERT INTO ${index} (${index}) VALUES ('delete-all');`,
    `  INSERT INTO ${index} (rowid, ${columns})`,
    `  SELECT id, ${texts} FROM ${name(table)};`,
  ])
}

function rebuildCounts(counter: CounterPlan): string {
  const parent = name(counter.parent)
  const what = counter.distinct === null ? 'count(*)' : `count(DISTINCT ${name(counter.distinct)})`
  const values = counter.counts.map(({ group }) =>
    group === null ? what : `${what} FILTER (WHERE ${name(counter.groupColumn!)} = ${literal(group)})`,
  )
  const columns = counter.counts.map(({ column }) => name(column))
  // A parent may be a child of its own table.
  const children = `${name(counter.child)} AS child WHERE child.${name(counter.column)} = ${parent}.${counter.match}`
  return trigger(counter.name, [
    `  UPDATE ${parent} SET ${columns.length === 1 ? columns[0] : `(${columns.join(', ')})`} = (`,
    `    SELECT ${values.join(',\n      ')}`,
    `    FROM ${children} AND child.hidden = 0`,
    '  )',
    `  WHERE ${columns.map((column) => `${column} <> 0`).join(' OR ')}`,
    `    OR EXISTS (SELECT 1 FROM ${children});`,
  ])
}

function trigger(of: string, body: string[]): string {
  return [
    `CREATE TRIGGER ${name(identifier(of, 'rebuild'))} AFTER DELETE ON lexidex_state`,
    "WHEN OLD.name = 'bulk_load'",
    'BEGIN',
    ...body,
    'END',
  ].join('\n')
}
