import type { CollectionModel, FieldModel, Model } from '../model/types.ts'
import { quote, sentences } from './code.ts'
import { hydrateParams } from './hydrate-params.ts'

/** One parameter of a method, as every artifact needs it. */
export interface ParamView {
  readonly name: string
  readonly description: string
  /** Its schema in emitted code. */
  readonly schema: string
  /** Its type in the emitted client. */
  readonly clientType: string
  /** Its schema in the method lexicon. */
  readonly lexicon: Record<string, unknown>
  /** How it narrows the list, in emitted code; null where it does not. */
  readonly where: string | null
}

const SCALARS = {
  text: { schema: 'z.string()', client: 'string', lexicon: { type: 'string' } },
  cid: { schema: 'z.string()', client: 'string', lexicon: { type: 'string', format: 'cid' } },
  integer: { schema: 'integerParam()', client: 'number', lexicon: { type: 'integer' } },
  boolean: { schema: 'booleanParam()', client: 'boolean', lexicon: { type: 'boolean' } },
  datetime: { schema: 'datetimeParam()', client: 'string', lexicon: { type: 'string', format: 'datetime' } },
} as const

function equalParam(field: FieldModel): ParamView {
  const scalar = SCALARS[field.kind]
  const name = field.param
  const base = { name, description: sentences('Equal to any of the values given', field.description) }
  const known = field.knownValues.length === 0 ? {} : { knownValues: field.knownValues }
  if (field.kind === 'boolean') {
    return {
      ...base,
      description: sentences('Equal', field.description),
      schema: scalar.schema,
      clientType: scalar.client,
      lexicon: scalar.lexicon,
      where: `if (p.${name} !== undefined) q = q.where(${quote(field.column)}, '=', p.${name})`,
    }
  }
  return {
    ...base,
    schema: `many(${scalar.schema})`,
    clientType: `${scalar.client} | readonly ${scalar.client}[]`,
    lexicon: { type: 'array', maxLength: 100, items: { ...scalar.lexicon, ...known } },
    where: `if (p.${name}) q = q.where(${quote(field.column)}, 'in', p.${name})`,
  }
}

function rangeParams(field: FieldModel): ParamView[] {
  const scalar = SCALARS[field.kind]
  const [min, max] = field.kind === 'datetime' ? ['At or after', 'At or before'] : ['At least', 'At most']
  return (
    [
      ['Min', min, '>='],
      ['Max', max, '<='],
    ] as const
  ).map(([suffix, words, operator]) => {
    const name = field.param + suffix
    return {
      name,
      description: sentences(words, field.description),
      schema: field.kind === 'text' || field.kind === 'cid' ? 'z.string().optional()' : scalar.schema,
      clientType: scalar.client,
      lexicon: scalar.lexicon,
      where: `if (p.${name} !== undefined) q = q.where(${quote(field.column)}, '${operator}', p.${name})`,
    }
  })
}

function countParams(collection: CollectionModel): ParamView[] {
  return collection.counts.map((count) => {
    const name = `${count.name}Min`
    const group = count.group === null ? '' : ` in \`${count.group}\``
    return {
      name,
      description: sentences(`At least this many \`${count.relation}\`${group}`),
      schema: 'count()',
      clientType: 'number',
      lexicon: { type: 'integer', minimum: 0 },
      where: `if (p.${name} !== undefined) q = q.where(${quote(count.column)}, '>=', p.${name})`,
    }
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
      clientType: 'string',
      lexicon: { type: 'string', maxLength: 1000 },
      where: null,
    },
  ]
}

/** Values of `sort`, and the column that each orders by. */
export function sortsOf(collection: CollectionModel): { name: string; column: string }[] {
  return [
    ...collection.fields.filter((f) => f.filter === 'range').map((f) => ({ name: f.param, column: f.column })),
    ...collection.counts.map((count) => ({ name: count.name, column: count.column })),
  ]
}

function sortParams(collection: CollectionModel): ParamView[] {
  const sorts = sortsOf(collection).map(({ name }) => name)
  if (sorts.length === 0) return []
  return [
    {
      name: 'sort',
      description: 'What to order by; the newest record comes first without it.',
      schema: `z.enum([${sorts.map(quote).join(', ')}]).optional()`,
      clientType: sorts.map(quote).join(' | '),
      lexicon: { type: 'string', enum: sorts },
      where: null,
    },
  ]
}

/** Parameters of listRecords beyond those of every list. */
export function listParamsOf(collection: CollectionModel, model: Model): ParamView[] {
  return [
    ...collection.fields.flatMap((field) =>
      field.filter === 'equal' ? [equalParam(field)] : field.filter === 'range' ? rangeParams(field) : [],
    ),
    ...countParams(collection),
    ...searchParams(collection),
    ...sortParams(collection),
    ...hydrateParams(collection, model),
  ]
}
