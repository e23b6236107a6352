/** How the parameters of a method are laid out in its form. */
import { type Method, nestedEmbeds, type Param } from './lexicon.ts'

/** The ways to filter by one field, next to each other. */
export interface Field {
  readonly name: string
  /** The plain parameter and its bounds. */
  readonly main: readonly Control[]
  /** What is asked for less often: `Not`, `Prefix`, `Exists`. */
  readonly more: readonly Control[]
}

export interface Control {
  readonly param: Param
  /** What it says of the field: "is", "from". */
  readonly operator: string
}

export interface Layout {
  readonly required: readonly Param[]
  readonly search: Param | undefined
  readonly account: readonly Param[]
  readonly filters: readonly Field[]
  /** Filters that are needed less often. */
  readonly moreFilters: readonly Field[]
  readonly order: readonly Param[]
  readonly embed: readonly Param[]
  /** What embeds something in what is embedded. */
  readonly nested: readonly Param[]
  readonly limit: Param | undefined
}

/** Filters that are shown at once. */
const MOST_FILTERS = 8

const ACCOUNT = new Set(['did', 'actor'])
const ORDER = ['sort', 'order']

export function layout({ params }: Method): Layout {
  const named = new Map(params.map((param) => [param.name, param]))
  const isEmbed = ({ name }: Param) => /^hydrate[A-Z]/.test(name) || name === 'profiles'
  const nested = nestedEmbeds(params)
  const rest = params.filter(
    (param) =>
      !param.required &&
      !['search', 'limit', 'cursor'].includes(param.name) &&
      !ACCOUNT.has(param.name) &&
      !ORDER.includes(param.name) &&
      !isEmbed(param),
  )
  const filters = fieldsOf(rest)
  // Every list can be narrowed by these; and no form should be longer than what it is for.
  const rare = filters.filter(({ name }, i) => ['createdAt', 'indexedAt'].includes(name) || i >= MOST_FILTERS)
  return {
    required: params.filter(({ required }) => required),
    search: named.get('search'),
    // They mean the same; one is enough.
    account: [named.get('actor') ?? named.get('did')].filter(
      (param) => param !== undefined && !param.required,
    ) as Param[],
    filters: filters.filter((field) => !rare.includes(field)),
    moreFilters: rare,
    order: ORDER.flatMap((name) => named.get(name) ?? []),
    embed: params.filter((param) => isEmbed(param) && !nested.includes(param)),
    nested,
    limit: named.get('limit'),
  }
}

/** Parameters that end so say something of the field before it. */
const SUFFIXES: Readonly<Record<string, { readonly more: boolean; operator(param: Param): string }>> = {
  Min: { more: false, operator: ({ format }) => (format === 'datetime' ? 'from' : 'at least') },
  Max: { more: false, operator: ({ format }) => (format === 'datetime' ? 'until' : 'at most') },
  Not: { more: true, operator: () => 'is not' },
  Prefix: { more: true, operator: () => 'starts with' },
  Exists: { more: true, operator: () => 'is there' },
}

function fieldsOf(params: readonly Param[]): Field[] {
  const fields = new Map<string, { name: string; main: Control[]; more: Control[] }>()
  const at = (name: string) => {
    const field = fields.get(name) ?? { name, main: [], more: [] }
    fields.set(name, field)
    return field
  }
  for (const param of params) {
    const [, base, ending] = /^(.+)(Min|Max|Not|Prefix|Exists)$/.exec(param.name) ?? []
    const suffix = ending === undefined ? undefined : SUFFIXES[ending]
    if (base === undefined || suffix === undefined) at(param.name).main.push({ param, operator: 'is' })
    else at(base)[suffix.more ? 'more' : 'main'].push({ param, operator: suffix.operator(param) })
  }
  // A field that can only be asked for in a rarer way shows that one.
  return [...fields.values()].map((field) =>
    field.main.length === 0 ? { ...field, main: field.more, more: [] } : field,
  )
}
