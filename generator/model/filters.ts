import type { FieldFilter, FieldKind, FieldModel } from './types.ts'

/** What the kind of a field allows, in the order of its parameters. */
const SUPPORTED: Readonly<Record<FieldKind, readonly FieldFilter[]>> = {
  text: ['equal', 'not', 'prefix', 'range', 'exists'],
  integer: ['equal', 'not', 'range', 'exists'],
  datetime: ['equal', 'not', 'range', 'exists'],
  boolean: ['equal', 'exists'],
  cid: ['equal', 'not', 'exists'],
  list: ['equal', 'not'],
}

/** Filters that read an index; the others are tests on what another index, or the order, leads to. */
const INDEXED: readonly FieldFilter[] = ['equal', 'prefix', 'range', 'exists']

/** What the config says of one queryable field. */
export interface QueryOptions {
  readonly type?: 'range' | undefined
  readonly filters?: readonly FieldFilter[] | undefined
  readonly index?: boolean | undefined
}

/** What is known of a field before its filters are. */
export interface FilteredField {
  readonly kind: FieldKind
  /** Whether a record may be without it. */
  readonly optional: boolean
  /** Whether it is free text: of no format, and without known values. */
  readonly free: boolean
}

/** Filters that a kind allows. */
export function supportedFilters(kind: FieldKind): readonly FieldFilter[] {
  return SUPPORTED[kind]
}

/**
 * The filters of a field: those that the config names, else those that make sense for what it holds. `type: 'range'`
 * asks for a range in place of equality.
 */
export function filtersOf(field: FilteredField, options: QueryOptions): FieldFilter[] {
  const wanted = new Set<FieldFilter>(options.filters ?? defaults(field, options.type))
  if (options.type === 'range') wanted.add('range')
  return SUPPORTED[field.kind].filter((filter) => wanted.has(filter))
}

function defaults({ kind, optional, free }: FilteredField, type: 'range' | undefined): FieldFilter[] {
  const exists: FieldFilter[] = optional && kind !== 'list' ? ['exists'] : []
  if (type === 'range') return ['range', ...exists]
  if (kind === 'boolean' || kind === 'datetime') return ['equal', ...exists]
  return free && kind === 'text' ? ['equal', 'not', 'prefix', ...exists] : ['equal', 'not', ...exists]
}

/** Filters of a field that only an index serves. */
export function indexedFilters({ filters }: FieldModel): FieldFilter[] {
  return filters.filter((filter) => INDEXED.includes(filter))
}

/** Parameters of one filter of a field. */
export function paramsOf(param: string, filter: FieldFilter): readonly string[] {
  switch (filter) {
    case 'equal':
      return [param]
    case 'not':
      return [`${param}Not`]
    case 'prefix':
      return [`${param}Prefix`]
    case 'exists':
      return [`${param}Exists`]
    case 'range':
      return [`${param}Min`, `${param}Max`]
  }
}
