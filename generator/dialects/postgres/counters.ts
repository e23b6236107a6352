import { identifier } from '../../model/names.ts'
import type { CounterPlan, SchemaPlan } from '../../plan/types.ts'
import type { Statement } from '../dialect.ts'
import { isAt, rowKey } from './partitions.ts'
import { literal, name } from './quote.ts'
import { type Event, statementTrigger } from './triggers.ts'

/**
 * The triggers that keep the counts of one relation: one step per parent and statement, up for the children that it
 * wrote and down for what they were before; and a recount when a parent arrives after its children. Hidden children do
 * not count.
 */
export function counterTriggers(counter: CounterPlan, plan: SchemaPlan): Statement[] {
  const comment = `Counts of \`${counter.relation}\` on ${counter.parent}, kept by what happens to ${counter.child}`
  const events: readonly Event[] = ['INSERT', 'DELETE', 'UPDATE']
  return [
    ...events.flatMap((event, i) =>
      statementTrigger(
        identifier(counter.name, event.toLowerCase()),
        event,
        counter.child,
        stepBody(counter, event, plan),
        i === 0 ? comment : undefined,
      ),
    ),
    ...statementTrigger(identifier(counter.name, 'parent'), 'INSERT', counter.parent, recountBody(counter, plan)),
  ]
}

/** Rows that a statement wrote, with the direction in which each counts. */
function written(counter: CounterPlan, event: Event, columns: readonly (string | null)[]): string {
  const list = [...new Set(columns)].filter((column) => column !== null).map(name)
  const rows = (from: string, n: string) =>
    `SELECT ${[...list, `${n} AS lexidex_n`].join(', ')} FROM ${from} WHERE ${name(counter.column)} IS NOT NULL AND hidden = 0`
  if (event === 'INSERT') return rows('new_rows', '1')
  if (event === 'DELETE') return rows('old_rows', '-1')
  return `${rows('new_rows', '1')}\n      UNION ALL\n      ${rows('old_rows', '-1')}`
}

function stepBody(counter: CounterPlan, event: Event, plan: SchemaPlan): string[] {
  const parent = name(counter.parent)
  const pointer = name(counter.column)
  const rows = event === 'DELETE' ? ['old_rows'] : event === 'INSERT' ? ['new_rows'] : ['new_rows', 'old_rows']
  const pointers = rows.map((from) => `SELECT ${pointer} FROM ${from}`).join(' UNION ALL ')
  const sets = counter.counts.map(({ column }, i) => `    ${name(column)} = parent.${name(column)} + step.n${i}`)
  const match =
    counter.match === 'uri' ? isAt(plan, counter.parent, 'parent', 'step.pointer') : ['parent.did = step.pointer']
  const conditions = [...match, ...selfConditions(counter, event)]
  return [
    // An update of no rows is one too: where children are parents, this one would call itself for ever.
    `  IF NOT EXISTS (SELECT FROM ${rows[0]}) THEN RETURN NULL; END IF;`,
    `  PERFORM lexidex_lock(ARRAY(${pointers}));`,
    `  UPDATE ${parent} AS parent SET`,
    sets.join(',\n'),
    '  FROM (',
    ...(counter.distinct === null ? steps(counter, event) : distinctSteps(counter, counter.distinct, event)),
    '  ) AS step',
    `  WHERE ${conditions.join('\n    AND ')};`,
  ]
}

/** A record that points at another of the same statement, or at itself, is counted by the parent's trigger. */
function selfConditions(counter: CounterPlan, event: Event): string[] {
  return counter.child === counter.parent && event === 'INSERT' ? ['parent.id NOT IN (SELECT id FROM new_rows)'] : []
}

/** What each parent's counts change by. Rows that stayed as they were cancel out. */
function steps(counter: CounterPlan, event: Event): string[] {
  const pointer = name(counter.column)
  const sums = counter.counts.map(({ group }) => `coalesce(sum(lexidex_n)${groupFilter(counter, group)}, 0)`)
  return [
    `    SELECT ${[`${pointer} AS pointer`, ...sums.map((sum, i) => `${sum} AS n${i}`)].join(',\n      ')}`,
    '    FROM (',
    `      ${written(counter, event, [counter.column, counter.groupColumn])}`,
    '    ) AS written',
    `    GROUP BY ${pointer}`,
    ...(event === 'UPDATE' ? [`    HAVING ${sums.map((sum) => `${sum} <> 0`).join('\n      OR ')}`] : []),
  ]
}

function groupFilter(counter: CounterPlan, group: string | null): string {
  return group === null ? '' : ` FILTER (WHERE ${name(counter.groupColumn!)} = ${literal(group)})`
}

/** The same where values count, not rows: a value counts while a child has it, of this statement or any other. */
function distinctSteps(counter: CounterPlan, distinct: string, event: Event): string[] {
  const pointer = name(counter.column)
  const value = name(distinct)
  const kinds = counter.counts.map(({ group }, i) => {
    const other = [
      `other.${pointer} = pair.pointer AND other.${value} = pair.value AND other.hidden = 0`,
      ...(group === null ? [] : [`other.${name(counter.groupColumn!)} = ${literal(group)}`]),
      ...(event === 'DELETE' ? [] : ['other.id NOT IN (SELECT id FROM new_rows)']),
    ].join('\n          AND ')
    const filter = groupFilter(counter, group)
    const had = `sign(coalesce(sum(greatest(lexidex_n, 0))${filter}, 0)) - sign(coalesce(sum(greatest(-lexidex_n, 0))${filter}, 0))`
    return { had: `${had} AS had${i}`, other, i }
  })
  return [
    `    SELECT pointer, ${kinds
      .map(
        ({ other, i }) =>
          `coalesce(sum(had${i}) FILTER (WHERE had${i} <> 0 AND NOT EXISTS (\n        SELECT FROM ${name(counter.child)} AS other WHERE ${other}\n      )), 0) AS n${i}`,
      )
      .join(',\n      ')}`,
    '    FROM (',
    `      SELECT ${[`${pointer} AS pointer`, `${value} AS value`, ...kinds.map(({ had }) => had)].join(',\n        ')}`,
    '      FROM (',
    `        ${written(counter, event, [counter.column, distinct, counter.groupColumn])}`,
    '      ) AS written',
    `      WHERE ${value} IS NOT NULL`,
    `      GROUP BY ${pointer}, ${value}`,
    '    ) AS pair',
    '    GROUP BY pointer',
  ]
}

function recountBody(counter: CounterPlan, plan: SchemaPlan): string[] {
  const child = name(counter.child)
  const pointer = name(counter.column)
  const columns = counter.counts.map(({ column }) => name(column))
  const key = rowKey(plan, counter.parent)
  const parentKey = key.map((column) => `parent.${column}`).join(', ')
  return [
    `  PERFORM lexidex_lock(ARRAY(SELECT ${counter.match} FROM new_rows));`,
    `  UPDATE ${name(counter.parent)} AS parent SET (${columns.join(', ')}) = (`,
    `    SELECT ${recounts(counter).join(',\n      ')}`,
    `    FROM ${child} AS child WHERE child.${pointer} = parent.${counter.match} AND child.hidden = 0`,
    '  )',
    `  WHERE ${key.length === 1 ? parentKey : `(${parentKey})`} IN (`,
    `    SELECT ${key.join(', ')} FROM new_rows WHERE EXISTS (SELECT FROM ${child} WHERE ${pointer} = new_rows.${counter.match})`,
    '  );',
  ]
}

/** Each count over the rows of `child`. */
export function recounts(counter: CounterPlan): string[] {
  const what = counter.distinct === null ? 'count(*)' : `count(DISTINCT child.${name(counter.distinct)})`
  return counter.counts.map(({ group }) =>
    group === null ? what : `${what} FILTER (WHERE child.${name(counter.groupColumn!)} = ${literal(group)})`,
  )
}
