import type { CollectionDef, ColumnKind } from '../../core/collection.ts'
import type { ColumnValue } from '../../core/operation.ts'
import type { Values } from '../shared/slots.ts'

/**
 * What a parameter does to a list: an operator, and the column that it reads. Data rather than code, so that the runtime
 * knows what an index serves, and so that whatever filters records means the same by it.
 *
 * - `equal`, `anyOf`, `noneOf`: of one value, of several; a list holds a value, and a missing one is none of any.
 * - `prefix`: text that begins with the value.
 * - `exists`: true where the record has the field, false where it has not.
 * - `min`, `max`: bounds, themselves included.
 */
export type Filter<Column extends string = string> =
  | { readonly equal: Column }
  | { readonly anyOf: Column }
  | { readonly noneOf: Column }
  | { readonly prefix: Column }
  | { readonly exists: Column }
  | { readonly min: Column }
  | { readonly max: Column }

export type Operator = 'equal' | 'anyOf' | 'noneOf' | 'prefix' | 'exists' | 'min' | 'max'

/** A filter of one list. */
export interface ListFilter {
  /** The parameter; also the name of its value. */
  readonly name: string
  readonly operator: Operator
  readonly column: string
  /** Of a list: the table with a row for each of its values. */
  readonly valuesTable: string | undefined
  readonly kind: ColumnKind
}

/** A filter that a request gives, but not its value: what statements differ by. */
export interface AskedFilter extends ListFilter {
  /** How many values it has; of `exists`, 1 for true and 0 for false. */
  readonly size: number
}

/** The account that a list is of, as a filter. */
export const DID: ListFilter = {
  name: '$did',
  operator: 'equal',
  column: 'did',
  valuesTable: undefined,
  kind: 'text',
}

/** Longest text that a column holds; nothing that is longer sorts between a prefix and its end. */
const MAX_TEXT = 1024

export function listFilter(collection: CollectionDef, name: string, filter: Filter): ListFilter {
  const [operator, column] = Object.entries(filter)[0] as [Operator, string]
  const def = collection.columns[column]
  return { name, operator, column, valuesTable: def?.valuesTable, kind: def?.kind ?? 'integer' }
}

/** A filter with what a request gives for it: what the statement depends on, and the values to bind. */
export function askFilter(filter: ListFilter, given: any): { asked: AskedFilter; values: Values } {
  const { name, operator } = filter
  switch (operator) {
    case 'exists':
      return { asked: { ...filter, size: given ? 1 : 0 }, values: {} }
    case 'prefix':
      return { asked: { ...filter, size: 1 }, values: { [name]: given, [endOf(name)]: prefixEnd(given) } }
    case 'anyOf':
    case 'noneOf': {
      // In order, so that the same values are the same request, and that gaps between them can be read.
      const values = [...(given as ColumnValue[])].sort(compareValues)
      return { asked: { ...filter, size: values.length }, values: { [name]: values } }
    }
    default:
      return { asked: { ...filter, size: 1 }, values: { [name]: given } }
  }
}

/** Name of the value that ends the texts of a prefix. */
export function endOf(name: string): string {
  return `${name}$end`
}

/** The first text, by code points, that comes after all that begin with `prefix`. */
function prefixEnd(prefix: string): string {
  const points = [...prefix].map((char) => char.codePointAt(0)!)
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    // Surrogates are no characters of their own.
    if (last < 0x10ffff) return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1)
  }
  return prefix + '\u{10ffff}'.repeat(MAX_TEXT)
}

/** As databases order them: numbers by size, texts by code point. */
export function compareValues(a: ColumnValue, b: ColumnValue): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  const [x, y] = [[...String(a)], [...String(b)]]
  for (let i = 0; i < x.length && i < y.length; i++) {
    const difference = x[i]!.codePointAt(0)! - y[i]!.codePointAt(0)!
    if (difference !== 0) return difference
  }
  return x.length - y.length
}

/** Values that a statement has room for where a request has `size`: few statements serve all lists of values. */
export function roomFor(size: number): number {
  return 2 ** Math.ceil(Math.log2(size))
}
