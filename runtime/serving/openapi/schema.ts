/** JSON Schema of lexicon types, as OpenAPI 3.1 has it. */

export type Json = Readonly<Record<string, unknown>>

/** Formats of lexicons that JSON Schema has another name for; the rest keep theirs. */
const FORMATS: Readonly<Record<string, string>> = { datetime: 'date-time' }

/** One value of each format, so that documentation has something to show. */
const EXAMPLES: Readonly<Record<string, string>> = {
  'at-identifier': 'alice.example.com',
  'at-uri': 'at://did:plc:z72i7hdynmk6r22z27h6tvur/com.example.record/3kb3fge5lm32x',
  cid: 'bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a',
  datetime: '2026-05-01T18:00:00Z',
  did: 'did:plc:z72i7hdynmk6r22z27h6tvur',
  handle: 'alice.example.com',
  nsid: 'com.example.record',
  'record-key': '3kb3fge5lm32x',
  uri: 'https://example.com',
}

/**
 * Where a definition is among the components.
 *
 * @param ref `nsid#name`, `nsid`, or `#name` of the document `id`
 */
export function componentName(ref: string, id: string): string {
  const [nsid, name = 'main'] = (ref.startsWith('#') ? id + ref : ref).split('#')
  // No segment of an NSID has an underscore.
  return name === 'main' ? nsid! : `${nsid}_${name}`
}

/** @param id NSID of the document that the definition is in */
export function toSchema(definition: Json, id: string): Json {
  const { type, description } = definition
  const about = description === undefined ? {} : { description }
  switch (type) {
    case 'string':
      return { type: 'string', ...about, ...stringRules(definition) }
    case 'integer':
    case 'boolean':
      return { type, ...about, ...pick(definition, ['minimum', 'maximum', 'default', 'enum', 'const']) }
    case 'array': {
      const { items, minLength, maxLength } = definition
      return {
        type: 'array',
        ...about,
        items: toSchema(items as Json, id),
        ...defined({ minItems: minLength, maxItems: maxLength }),
      }
    }
    case 'object':
    case 'params':
      return { type: 'object', ...about, ...objectRules(definition, id) }
    case 'ref':
      return { $ref: reference(definition.ref as string, id), ...about }
    case 'union':
      return { ...about, ...unionRules(definition, id) }
    case 'token':
      return { type: 'string', ...about }
    case 'cid-link':
      return { type: 'object', ...about, required: ['$link'], properties: { $link: { type: 'string' } } }
    case 'bytes':
      return { type: 'object', ...about, required: ['$bytes'], properties: { $bytes: { type: 'string' } } }
    case 'blob':
      return {
        type: 'object',
        ...about,
        required: ['$type', 'ref', 'mimeType', 'size'],
        properties: {
          $type: { const: 'blob' },
          ref: toSchema({ type: 'cid-link' }, id),
          mimeType: { type: 'string' },
          size: { type: 'integer' },
        },
      }
    default:
      // `unknown`, and what lexicons may have one day: anything.
      return { ...about }
  }
}

function stringRules(definition: Json): Json {
  const { format, maxLength, knownValues } = definition
  const example = typeof format === 'string' ? EXAMPLES[format] : undefined
  return defined({
    ...pick(definition, ['default', 'enum', 'const']),
    format: typeof format === 'string' ? (FORMATS[format] ?? format) : undefined,
    // Lexicons count bytes, JSON Schema characters, which are never more.
    maxLength,
    examples: (knownValues as readonly string[] | undefined) ?? (example === undefined ? undefined : [example]),
  })
}

function objectRules({ properties = {}, required, nullable = [] }: Json, id: string): Json {
  const entries = Object.entries(properties as Record<string, Json>).map(([name, property]) => {
    const schema = toSchema(property, id)
    return [name, (nullable as readonly string[]).includes(name) ? { anyOf: [schema, { type: 'null' }] } : schema]
  })
  return defined({ required, properties: Object.fromEntries(entries) })
}

function unionRules({ refs, closed }: Json, id: string): Json {
  const options = (refs as readonly string[]).map((ref) => ({ $ref: reference(ref, id) }))
  const other = { type: 'object', required: ['$type'], properties: { $type: { type: 'string' } } }
  return { anyOf: closed === true ? options : [...options, other] }
}

function reference(ref: string, id: string): string {
  return `#/components/schemas/${componentName(ref, id)}`
}

function pick(from: Json, keys: readonly string[]): Json {
  return Object.fromEntries(keys.filter((key) => from[key] !== undefined).map((key) => [key, from[key]]))
}

function defined(values: Json): Json {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}
