import { messageOf } from '../../runtime/core/errors.ts'
import { type QueryParam, queryParams } from '../../runtime/core/query-params.ts'
import type { Issues } from './issues.ts'
import { compareText } from './order.ts'
import type { ParsedCollection, ParsedQuery } from './schema.ts'

/** A query of the config. */
export interface ResolvedQuery {
  /** Last part of its NSID. */
  readonly name: string
  /** `custom`: it answers by itself. `list`: it narrows `listRecords`. */
  readonly kind: 'custom' | 'list'
  readonly description: string
  /** Null where it declares none, and takes any. */
  readonly params: readonly QueryParam[] | null
}

/** What every collection has, or its client. */
const TAKEN = ['defs', 'getRecord', 'iterate', 'listRecords']

/** Queries of a collection, sorted by name. */
export function resolveQueries(collection: string, parsed: ParsedCollection, issues: Issues): ResolvedQuery[] {
  const at = `collections.${collection}`
  const own = resolveAll(`${at}.queries`, 'custom', parsed.queries, issues)
  const lists = resolveAll(`${at}.pipelineQueries`, 'list', parsed.pipelineQueries, issues)
  for (const { name } of lists) {
    if (!parsed.methods.includes('listRecords')) {
      issues.error('no-list', `${at}.pipelineQueries.${name}`, 'It narrows `listRecords`, which is not served.', {
        hint: 'Add `listRecords` to `methods`.',
      })
    }
    if (own.some((query) => query.name === name)) {
      issues.error('name-clash', `${at}.pipelineQueries.${name}`, `There is \`${name}\` among \`queries\` as well.`, {
        hint: 'Rename one of the two.',
      })
    }
  }
  return [...own, ...lists].sort((a, b) => compareText(a.name, b.name))
}

function resolveAll(
  at: string,
  kind: ResolvedQuery['kind'],
  queries: Readonly<Record<string, ParsedQuery>>,
  issues: Issues,
): ResolvedQuery[] {
  return Object.entries(queries).map(([name, { description = '', params: schema }]) => {
    if (TAKEN.includes(name)) {
      issues.error('name-clash', `${at}.${name}`, `\`${name}\` is the name of a method already.`, {
        hint: 'Choose another name.',
      })
    }
    let params: readonly QueryParam[] | null = null
    try {
      if (schema !== undefined) params = queryParams(schema)
    } catch (error) {
      issues.error('unreadable-params', `${at}.${name}.params`, `The schema cannot be read: ${messageOf(error)}`, {
        hint: 'Use strings, numbers, booleans, enums and arrays of them; a query string holds nothing else.',
      })
    }
    return { name, kind, description, params }
  })
}
