/** Methods of an index, read from its method lexicons. */

export interface Param {
  readonly name: string
  readonly type: 'string' | 'integer' | 'boolean'
  /** Whether it may be given several times. */
  readonly many: boolean
  readonly required: boolean
  readonly format: string | undefined
  /** The only values there are. */
  readonly values: readonly string[] | undefined
  /** Some of the values there are. */
  readonly known: readonly string[]
  readonly min: number | undefined
  readonly max: number | undefined
  readonly default: string | undefined
  readonly description: string
}

export interface Method {
  readonly nsid: string
  /** Without the namespace. */
  readonly id: string
  readonly kind: 'query' | 'procedure'
  readonly description: string
  /** Parameters of a query; properties of the input of a procedure. */
  readonly params: readonly Param[]
  /** Short name of the collection that it belongs to; null for methods of the index as a whole. */
  readonly collection: string | null
  /** Whether its answer is a page of records. */
  readonly isList: boolean
  /** Its lexicon document. */
  readonly lexicon: unknown
}

/** The methods among lexicon documents, in their order. Documents of other things are passed over. */
export function readMethods(documents: unknown, namespace: string): Method[] {
  if (!Array.isArray(documents)) return []
  return documents.flatMap((document) => {
    const main = document?.defs?.main
    if (main?.type !== 'query' && main?.type !== 'procedure') return []
    return [readMethod(document, main, namespace)]
  })
}

/** What a reader wants to see at first: whose records they are, and what they point at. */
export function usualParams({ params }: Method): readonly (readonly [string, string])[] {
  const nested = nestedEmbeds(params)
  return params
    .filter((param) => param.type === 'boolean' && !param.many && !nested.includes(param))
    .filter(({ name }) => name === 'profiles' || /^hydrate[A-Z]/.test(name))
    .map(({ name }) => [name, 'true'])
}

/** Parameters such as `hydrateRsvpsEvent`, which is of use only with `hydrateRsvps`. */
export function nestedEmbeds(params: readonly Param[]): readonly Param[] {
  const embeds = params.filter(({ name }) => /^hydrate[A-Z]/.test(name))
  const begins = (name: string, other: string) => name.startsWith(other) && /^[A-Z]/.test(name.slice(other.length))
  return embeds.filter(({ name }) => embeds.some((other) => begins(name, other.name)))
}

function readMethod(document: any, main: any, namespace: string): Method {
  const nsid = String(document.id)
  const id = nsid.startsWith(`${namespace}.`) ? nsid.slice(namespace.length + 1) : nsid
  const parts = id.split('.')
  const params = readParams(main.type === 'procedure' ? main.input?.schema : main.parameters)
  return {
    nsid,
    id,
    kind: main.type,
    description: String(main.description ?? ''),
    params,
    collection: parts.length === 2 ? parts[0]! : null,
    isList: main.output?.schema?.properties?.records?.type === 'array',
    lexicon: document,
  }
}

function readParams(schema: any): Param[] {
  const required: unknown[] = Array.isArray(schema?.required) ? schema.required : []
  return Object.entries<any>(schema?.properties ?? {}).map(([name, property]) => {
    const item = property.type === 'array' ? (property.items ?? {}) : property
    const type = item.type === 'integer' || item.type === 'boolean' ? item.type : 'string'
    return {
      name,
      type,
      many: property.type === 'array',
      required: required.includes(name),
      format: item.format,
      values: Array.isArray(item.enum) ? item.enum.map(String) : undefined,
      known: Array.isArray(item.knownValues) ? item.knownValues.map(String) : [],
      min: item.minimum,
      max: item.maximum,
      default: property.default === undefined ? undefined : String(property.default),
      description: String(property.description ?? ''),
    }
  })
}
