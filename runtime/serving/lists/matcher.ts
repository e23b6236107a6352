import { isDid } from '../../core/at-uri.ts'
import { invalidRequest } from '../../core/errors.ts'
import type { ColumnValue } from '../../core/operation.ts'
import type { ListDef } from '../define.ts'
import { type AskedFilter, compareValues } from '../params/filters.ts'
import { parseParams, readQuery } from '../params/params.ts'
import type { Values } from '../shared/slots.ts'
import { actorOf, askFilters, filtersOf } from './request.ts'

/** Columns of a row by name, as its table holds them. */
export type MatchedRow = Readonly<Record<string, ColumnValue>>

/**
 * Whether rows that are at hand, such as one that was just written, are among those that a list gives for `query`: by its
 * filters, the account and `hidden`, which mean the same here as in any database. Order, pages and what is embedded play
 * no part.
 *
 * @param list A `listRecords` as emitted
 * @param query Parameters as in a URL, without the leading `?`; an account by its DID
 * @returns a function of rows: of one with `hidden` and every column that the list filters by
 * @throws {XrpcError} 400 as the list itself; also on a search, for which only a database knows the words
 */
export function createMatcher(list: ListDef, query: string): (row: MatchedRow) => boolean {
  const params: Record<string, any> = parseParams(list.params, readQuery(query))
  if (params.search !== undefined)
    throw invalidRequest('Parameter "search" is for lists: rows by themselves have no words.')
  const account = actorOf(params)
  if (account !== undefined && !isDid(account)) {
    throw invalidRequest('A row is compared with the DID of an account: look the handle up first.')
  }
  const { asked, values } = askFilters(filtersOf(list), params, account)
  return (row) => row.hidden === 0 && asked.every((filter) => passes(filter, row[filter.column] ?? null, values))
}

function passes(filter: AskedFilter, value: ColumnValue, values: Values): boolean {
  const { name, operator } = filter
  if (operator === 'exists') return (value !== null) === (filter.size === 1)
  const asked = values[name] as ColumnValue & readonly ColumnValue[]
  if (filter.valuesTable !== undefined) {
    const held = value === null ? [] : (JSON.parse(value as string) as string[])
    return held.some((one) => asked.includes(one)) !== (operator === 'noneOf')
  }
  if (operator === 'noneOf') return value === null || !asked.includes(value)
  if (value === null) return false
  switch (operator) {
    case 'equal':
      return value === asked
    case 'anyOf':
      return asked.includes(value)
    case 'prefix':
      return (value as string).startsWith(asked as unknown as string)
    case 'min':
      return compareValues(value, asked) >= 0
    case 'max':
      return compareValues(value, asked) <= 0
  }
}
