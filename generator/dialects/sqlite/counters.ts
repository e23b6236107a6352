import { identifier } from '../../model/names.ts'
import type { CounterPlan } from '../../plan/types.ts'
import type { Statement } from '../dialect.ts'
import { literal, name } from './quote.ts'

type Row = 'OLD' | 'NEW'

/**
 * The triggers that keep the counts of one relation: a step up or down per child written, and a recount when a
 * parent arrives after its children. Hidden children do not count.
 */
export function counterTriggers(counter: CounterPlan): Statement[] {
  const child = name(counter.child)
  const pointer = name(counter.column)
  const watched = [...new Set([counter.column, counter.groupColumn, counter.distinct, 'hidden'])].filter(
    (c) => c !== null,
  )
  const changed = watched.map((column) => `OLD.${name(column)} IS NOT NEW.${name(column)}`)
  return [
    {
      comment: `Counts of \`${counter.relation}\` on ${counter.parent}, kept by what happens to ${counter.child}`,
      sql: trigger(counter, 'insert', `AFTER INSERT ON ${child}`, `NEW.${pointer} IS NOT NULL AND NEW.hidden = 0`, [
        // A record that points at itself is counted by the parent's trigger.
        step(counter, 'NEW', '+', counter.child === counter.parent ? 'id <> NEW.id' : undefined),
      ]),
    },
    {
      sql: trigger(counter, 'delete', `AFTER DELETE ON ${child}`, `OLD.${pointer} IS NOT NULL AND OLD.hidden = 0`, [
        step(counter, 'OLD', '-'),
      ]),
    },
    {
      sql: trigger(
        counter,
        'update',
        `AFTER UPDATE OF ${watched.map(name).join(', ')} ON ${child}`,
        changed.join('\n  OR '),
        [step(counter, 'OLD', '-', 'OLD.hidden = 0'), step(counter, 'NEW', '+', 'NEW.hidden = 0')],
      ),
    },
    {
      sql: trigger(
        counter,
        'parent',
        `AFTER INSERT ON ${name(counter.parent)}`,
        `EXISTS (SELECT 1 FROM ${child} WHERE ${pointer} = NEW.${counter.match})`,
        [recount(counter)],
      ),
    },
  ]
}

function trigger(counter: CounterPlan, event: string, on: string, when: string, body: string[]): string {
  const title = identifier(counter.name, event)
  return [`CREATE TRIGGER ${name(title)} ${on}`, `WHEN ${when}`, 'BEGIN', ...body, 'END'].join('\n')
}

/** One up or one down for the parents of a child row. */
function step(counter: CounterPlan, row: Row, sign: '+' | '-', condition?: string): string {
  const sets = counter.counts.map(({ column, group }) => {
    const parts = [
      group === null ? null : `${row}.${name(counter.groupColumn!)} IS ${literal(group)}`,
      counter.distinct === null ? null : isOnly(counter, counter.distinct, row, group),
    ].filter((part) => part !== null)
    const amount = parts.length === 0 ? '1' : `(${parts.join(' AND ')})`
    return `    ${name(column)} = ${name(column)} ${sign} ${amount}`
  })
  const where = [`${counter.match} = ${row}.${name(counter.column)}`, condition].filter((part) => part !== undefined)
  return [`  UPDATE ${name(counter.parent)} SET`, sets.join(',\n'), `  WHERE ${where.join(' AND ')};`].join('\n')
}

/** No other visible child of the same parent (and group) has the row's value in the distinct column. */
function isOnly(counter: CounterPlan, distinct: string, row: Row, group: string | null): string {
  const conditions = [
    `${name(counter.column)} = ${row}.${name(counter.column)}`,
    `${name(distinct)} = ${row}.${name(distinct)}`,
    'hidden = 0',
    `id <> ${row}.id`,
    ...(group === null ? [] : [`${name(counter.groupColumn!)} = ${literal(group)}`]),
  ]
  const other = `SELECT 1 FROM ${name(counter.child)} WHERE ${conditions.join(' AND ')}`
  return `${row}.${name(distinct)} IS NOT NULL AND NOT EXISTS (\n      ${other}\n    )`
}

function recount(counter: CounterPlan): string {
  return [...recounted(counter, `NEW.${counter.match}`), '  WHERE id = NEW.id;'].join('\n')
}

/**
 * Sets each count to what the children say, without what ends the statement.
 *
 * @param shown the line that tells a child that counts from one that is hidden; default: at the end of the line before
 */
export function recounted(counter: CounterPlan, pointer: string, shown?: string): string[] {
  const what = counter.distinct === null ? 'count(*)' : `count(DISTINCT ${name(counter.distinct)})`
  const counts = counter.counts.map(({ group }) =>
    group === null ? what : `${what} FILTER (WHERE ${name(counter.groupColumn!)} = ${literal(group)})`,
  )
  const columns = counter.counts.map(({ column }) => name(column))
  return [
    `  UPDATE ${name(counter.parent)} SET ${columns.length === 1 ? columns[0] : `(${columns.join(', ')})`} = (`,
    `    SELECT ${counts.join(',\n      ')}`,
    `    FROM ${childrenOf(counter, pointer)}${shown === undefined ? ' AND child.hidden = 0' : `\n${shown}`}`,
    '  )',
  ]
}

/** The children of one parent. It may be a row of the same table. */
export function childrenOf(counter: CounterPlan, pointer: string): string {
  return `${name(counter.child)} AS child WHERE child.${name(counter.column)} = ${pointer}`
}
