import { paramsOf } from '../model/filters.ts'
import type { CollectionModel, FieldFilter, FieldModel, Model } from '../model/types.ts'
import { array, quote, sentences } from './code.ts'
import { hydrateParams } from './hydrate-params.ts'
import type { ParamView } from './param-view.ts'

/** Most values of a repeated parameter; the runtime's limit. */
const MAX_VALUES = 100

const TEXT = { schema: 'z.string()', client: 'string', lexicon: { type: 'string' } } as const

const SCALARS = {
  text: TEXT,
  list: TEXT,
  cid: { schema: 'z.string()', client: 'string', lexicon: { type: 'string', format: 'cid' } },
  integer: { schema: 'integerParam()', client: 'number', lexicon: { type: 'integer' } },
  boolean: { schema: 'booleanParam()', client: 'boolean', lexicon: { type: 'boolean' } },
  datetime: { schema: 'datetimeParam()', client: 'string', lexicon: { type: 'string', format: 'datetime' } },
} as const

function filterParams(field: FieldModel, filter: FieldFilter): ParamView[] {
  const names = paramsOf(field.param, filter)
  switch (filter) {
    case 'equal':
      return [field.kind === 'boolean' ? equalParam(field, names[0]!) : manyParam(field, names[0]!, 'anyOf')]
    case 'not':
      return [manyParam(field, names[0]!, 'noneOf')]
    case 'prefix':
      return [prefixParam(field, names[0]!)]
    case 'exists':
      return [existsParam(field, names[0]!)]
    case 'range':
      return [boundParam(field, names[0]!, 'min'), boundParam(field, names[1]!, 'max')]
  }
}

function equalParam(field: FieldModel, name: string): ParamView {
  const { schema, client, lexicon } = SCALARS[field.kind]
  const description = sentences('Equal', field.description)
  return { name, description, schema, clientType: [client], lexicon, filter: filterOf('equal', field.column) }
}

function manyParam(field: FieldModel, name: string, operator: 'anyOf' | 'noneOf'): ParamView {
  const { schema, client, lexicon } = SCALARS[field.kind]
  const known = field.knownValues.length === 0 ? {} : { knownValues: field.knownValues }
  const words =
    field.kind === 'list'
      ? { anyOf: 'Holds any of the values given', noneOf: 'Holds none of the values given' }
      : { anyOf: 'Equal to any of the values given', noneOf: 'Equal to none of the values given' }
  const absent = operator === 'noneOf' && field.optional ? 'Records without it are listed, too' : ''
  return {
    name,
    description: sentences(words[operator], field.description, absent),
    schema: `many(${schema})`,
    clientType: [client, `readonly ${client}[]`],
    lexicon: { type: 'array', maxLength: MAX_VALUES, items: { ...lexicon, ...known } },
    filter: filterOf(operator, field.column),
  }
}

function prefixParam(field: FieldModel, name: string): ParamView {
  return {
    name,
    description: sentences('Begins with this text', field.description),
    schema: 'prefixParam()',
    clientType: ['string'],
    lexicon: { type: 'string', minLength: 1 },
    filter: filterOf('prefix', field.column),
  }
}

function existsParam(field: FieldModel, name: string): ParamView {
  return {
    name,
    description: sentences(`Whether the record has \`${field.path}\``),
    schema: 'flag()',
    clientType: ['boolean'],
    lexicon: { type: 'boolean' },
    filter: filterOf('exists', field.column),
  }
}

function boundParam(field: FieldModel, name: string, operator: 'min' | 'max'): ParamView {
  const { schema, client, lexicon } = SCALARS[field.kind]
  const words =
    field.kind === 'datetime' ? { min: 'At or after', max: 'At or before' } : { min: 'At least', max: 'At most' }
  return {
    name,
    description: sentences(words[operator], field.description),
    schema: field.kind === 'text' ? `${schema}.optional()` : schema,
    clientType: [client],
    lexicon,
    filter: filterOf(operator, field.column),
  }
}

function filterOf(operator: string, column: string): string {
  return `{ ${operator}: ${quote(column)} }`
}

function countParams(collection: CollectionModel): ParamView[] {
  return collection.counts.flatMap((count) => {
    const group = count.group === null ? '' : ` in \`${count.group}\``
    return (
      [
        ['Min', 'At least', 'min'],
        ['Max', 'At most', 'max'],
      ] as const
    ).map(([suffix, words, operator]) => ({
      name: count.name + suffix,
      description: sentences(`${words} this many \`${count.relation}\`${group}`),
      schema: 'count()',
      clientType: ['number'],
      lexicon: { type: 'integer', minimum: 0 },
      filter: filterOf(operator, count.column),
    }))
  })
}

function searchParams(collection: CollectionModel): ParamView[] {
  if (collection.search === null) return []
  const fields = collection.search.columns.map(({ path }) => `\`${path}\``).join(', ')
  return [
    {
      name: 'search',
      description: sentences(`Words to look for in ${fields}: \`word\`, \`prefix*\`, \`"a phrase"\`, \`OR\`, \`-not\``),
      schema: 'search()',
      clientType: ['string'],
      lexicon: { type: 'string', maxLength: 1000 },
      filter: null,
    },
  ]
}

/** Values of `sort` that are columns, and the column that each orders by; `createdAt` comes first, the default. */
export function sortsOf(collection: CollectionModel): { name: string; column: string }[] {
  const fields = collection.fields.filter(({ filters }) => filters.includes('range'))
  const own = [
    ...fields.map(({ param, column }) => ({ name: param, column })),
    ...collection.counts.map(({ name, column }) => ({ name, column })),
  ]
  // The record's time under its usual name, unless that is a column of its own.
  return own.some(({ name }) => name === 'createdAt') ? own : [{ name: 'createdAt', column: 'sort_at' }, ...own]
}

function sortParams(collection: CollectionModel): ParamView[] {
  const columns = sortsOf(collection).map(({ name }) => name)
  const sorts = collection.search === null ? columns : [...columns, 'relevance']
  const without = collection.search === null ? '' : '; with a search the most relevant one'
  return [
    {
      name: 'sort',
      description: `What to order by; the newest record comes first without it${without}.`,
      schema: `z.enum(${array(sorts.map(quote), '  ')}).optional()`,
      clientType: sorts.map(quote),
      lexicon: { type: 'string', enum: sorts },
      filter: null,
    },
  ]
}

/** Parameters of listRecords beyond those of every list. */
export function listParamsOf(collection: CollectionModel, model: Model): ParamView[] {
  return [
    ...collection.fields.flatMap((field) => field.filters.flatMap((filter) => filterParams(field, filter))),
    ...countParams(collection),
    ...searchParams(collection),
    ...sortParams(collection),
    ...hydrateParams(collection, model),
  ]
}
