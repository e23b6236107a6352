import { type RawBuilder, sql } from 'kysely'
import type { ColumnValue } from '../../core/operation.ts'

/** Values of one request by name: parameters, and what the runtime adds to them. */
export type Values = Readonly<Record<string, ColumnValue | readonly ColumnValue[]>>

/**
 * Stands in for a value while a statement is compiled. The compiled statement holds slots where it binds values, so
 * that one statement serves every request of the same shape.
 */
export class Slot {
  readonly name: string
  /** Which of several values; 0 where there is one. */
  readonly index: number

  constructor(name: string, index = 0) {
    this.name = name
    this.index = index
  }
}

/** A slot where a query takes nothing but expressions. */
export function slot(name: string): RawBuilder<any> {
  return sql`${new Slot(name)}`
}

/** The values to bind, in order. What was no slot when the statement was compiled is bound as it is. */
export function bind(parameters: readonly unknown[], values: Values): ColumnValue[] {
  const bound = new Array<ColumnValue>(parameters.length)
  for (let i = 0; i < parameters.length; i++) {
    const parameter = parameters[i]
    bound[i] = parameter instanceof Slot ? fill(parameter, values) : (parameter as ColumnValue)
  }
  return bound
}

function fill({ name, index }: Slot, values: Values): ColumnValue {
  const value = values[name]
  if (value === undefined) throw new Error(`No value for "${name}"`)
  if (!isList(value)) return value
  // A statement has room for more values than the request has: the last one fills it up.
  return value[Math.min(index, value.length - 1)]!
}

function isList(value: ColumnValue | readonly ColumnValue[]): value is readonly ColumnValue[] {
  return Array.isArray(value)
}
